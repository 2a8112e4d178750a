"""What can go wrong, with Confluent's status and error code for each (contract §4)."""


class RestProxyError(Exception):
    """The root of all answers that are not a success: an HTTP status, Confluent's error code and a sentence."""

    status: int = 500
    code: int = 50002
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed, only replaced by a child

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class MalformedJsonError(RestProxyError):
    """The body is not JSON in UTF-8, or is cut off."""

    status, code = 400, 400


class BadParameterError(RestProxyError):
    """A query parameter is not a number."""

    status, code = 400, 400


class SlowBodyError(RestProxyError):
    """The client did not send its whole body in time."""

    status, code = 408, 408
    headers = {"Connection": "close"}  # noqa: RUF012


class BodyTooLargeError(RestProxyError):
    """The body is over the limit, or its records alone need more memory than all requests together may have."""

    status, code = 413, 413


class UnsupportedMediaTypeError(RestProxyError):
    """The Content-Type is none that this call takes."""

    status, code = 415, 415


class InvalidRequestError(RestProxyError):
    """JSON, but not of the shape that this call takes."""

    status, code = 422, 422


class ConversionFailedError(RestProxyError):
    """A value does not fit its embedded format: not Base64 on the way in, not JSON on the way out."""

    status, code = 422, 42203


class InvalidConsumerConfigError(RestProxyError):
    """A consumer was asked for with a setting that Kafka does not know."""

    status, code = 422, 42204


class UnauthenticatedError(RestProxyError):
    """Kafka does not accept the proxy's credentials."""

    status, code = 401, 40101


class ForbiddenError(RestProxyError):
    """Kafka does not allow this to the proxy's user."""

    status, code = 403, 40301


class TopicNotFoundError(RestProxyError):
    """There is no such topic. The proxy never creates one (contract §4, decided)."""

    status, code = 404, 40401

    def __init__(self, topic: str) -> None:
        super().__init__(f"Topic not found: there is no topic {topic[:249]!r}.")


class PartitionNotFoundError(RestProxyError):
    """The topic has no such partition."""

    status, code = 404, 40402


class ConsumerNotFoundError(RestProxyError):
    """No such consumer instance: never created, deleted, or expired."""

    status, code = 404, 40403

    def __init__(self) -> None:
        super().__init__("Consumer instance not found: it was never created, was deleted, or was idle for too long.")


class NotAcceptableError(RestProxyError):
    """The Accept header names nothing that this call can answer with."""

    status, code = 406, 406


class FormatMismatchError(RestProxyError):
    """The Accept header asks for another embedded format than the consumer was created with."""

    status, code = 406, 40601


class ConsumerExistsError(RestProxyError):
    """The group has a consumer instance of that name already."""

    status, code = 409, 40902


class IllegalStateError(RestProxyError):
    """The consumer cannot do this now: not subscribed, not assigned, or both at once."""

    status, code = 409, 40903


class KafkaFailedError(RestProxyError):
    """Kafka refused, and will refuse again."""

    status, code = 500, 50002


class KafkaUnavailableError(RestProxyError):
    """Kafka did not answer in time; the same request may succeed later."""

    status, code = 500, 50003


class OverloadedError(RestProxyError):
    """The requests in progress hold all the memory there is for them."""

    status, code = 503, 503
    headers = {"Retry-After": "1"}  # noqa: RUF012


class TooManyConsumersError(RestProxyError):
    """All consumer instances are taken."""

    status, code = 503, 50301
    headers = {"Retry-After": "10"}  # noqa: RUF012
