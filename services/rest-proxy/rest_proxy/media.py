"""Content types: which embedded format a request carries, which one a reader wants (Confluent's API reference, "Content Types")."""

from enum import StrEnum

from rest_proxy.errors import FormatMismatchError, NotAcceptableError, UnsupportedMediaTypeError

V2 = "application/vnd.kafka.v2+json"


class Format(StrEnum):
    """How keys and values stand in a JSON body: as JSON themselves, or as Base64."""

    JSON = "json"
    BINARY = "binary"

    @property
    def media_type(self) -> str:
        return f"application/vnd.kafka.{self}.v2+json"


_BY_MEDIA_TYPE = {fmt.media_type: fmt for fmt in Format}
_FOREIGN = {f"application/vnd.kafka.{fmt}.v2+json" for fmt in ("avro", "jsonschema", "protobuf")}
_ANY = {"*/*", "application/*", V2}


def _essence(header: str) -> str:
    return header.split(";", 1)[0].strip().lower()


def produce_format(content_type: str | None) -> Format:
    """The embedded format of a produce request. Raises `UnsupportedMediaTypeError`."""
    fmt = _BY_MEDIA_TYPE.get(_essence(content_type or ""))
    if fmt is None:
        expected = " or ".join(_BY_MEDIA_TYPE)
        raise UnsupportedMediaTypeError(
            f"The Content-Type is {_essence(content_type or 'missing')!r}; expected {expected}."
        )
    return fmt


def check_consumer_type(content_type: str | None) -> None:
    """Consumer calls take the plain type and, like Confluent, any embedded one. Raises `UnsupportedMediaTypeError`."""
    if _essence(content_type or "") not in {V2, *_BY_MEDIA_TYPE, *_FOREIGN}:
        raise UnsupportedMediaTypeError(f"The Content-Type is {_essence(content_type or 'missing')!r}; expected {V2}.")


def _accepted(header: str) -> list[str]:
    """The types of an Accept header, the most wanted first; `q=0` means not at all."""
    wanted: list[tuple[float, str]] = []
    for item in header.split(","):
        quality = 1.0
        for parameter in item.split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if quality > 0:
            wanted.append((quality, _essence(item)))
    return [media_type for _, media_type in sorted(wanted, key=lambda pair: -pair[0])]


def check_accept(accept: str | None, fmt: Format) -> None:
    """Whether a reader of an instance of this format gets what it asks for.

    A wildcard, the plain type or no header at all leave it to the instance (Confluent would take `binary` and then refuse to
    read an instance of another format). Raises `FormatMismatchError` or `NotAcceptableError`.
    """
    accepted = _accepted(accept or "*/*")
    if fmt.media_type in accepted or _ANY & set(accepted):
        return
    if any(media_type in _BY_MEDIA_TYPE or media_type in _FOREIGN for media_type in accepted):
        raise FormatMismatchError(
            f"This consumer instance was created with format {fmt.value!r}; ask for {fmt.media_type}."
        )
    raise NotAcceptableError(f"The Accept header names no type that this call has; ask for {fmt.media_type}.")
