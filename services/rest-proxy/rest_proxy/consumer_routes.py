"""/consumers: create, subscribe or assign, read, commit, delete."""

from typing import TypeVar
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request, Response

from rest_proxy.budget import Budget, read_body
from rest_proxy.consumers import BEGINNING, END, Consumers, CreateRequest, Position, check_config
from rest_proxy.errors import BadParameterError, PartitionNotFoundError
from rest_proxy.formats import decode
from rest_proxy.media import check_accept, check_consumer_type
from rest_proxy.settings import Settings
from rest_proxy.topic_routes import answer

_T = TypeVar("_T")
_NOTHING = Response(status_code=204)


class Subscription(msgspec.Struct, forbid_unknown_fields=True):
    """`topics`, or a Java-like `topic_pattern`."""

    topics: list[str] | None = None
    topic_pattern: str | None = None


class Partition(msgspec.Struct, forbid_unknown_fields=True):
    """A partition of a topic."""

    topic: str
    partition: int


class Partitions(msgspec.Struct, forbid_unknown_fields=True):
    """What an assignment, a move to either end, and a look at committed offsets name."""

    partitions: list[Partition]


class Offset(msgspec.Struct, forbid_unknown_fields=True):
    """An offset of a partition, with a text that a commit may leave beside it."""

    topic: str
    partition: int
    offset: int
    metadata: str | None = None


class Offsets(msgspec.Struct, forbid_unknown_fields=True):
    """What a commit or a move names."""

    offsets: list[Offset]


_CREATE = msgspec.json.Decoder(CreateRequest)
_SUBSCRIPTION = msgspec.json.Decoder(Subscription)
_PARTITIONS = msgspec.json.Decoder(Partitions)
_OFFSETS = msgspec.json.Decoder(Offsets)


def base_url(request: Request, advertised: str | None) -> str:
    """Where the client can reach the proxy again: as set, as a reverse proxy says, or as the client addressed it."""
    if advertised:
        return advertised.rstrip("/")
    forwarded = {
        name: request.headers.get(f"x-forwarded-{name}", "").split(",")[0].strip()
        for name in ("proto", "host", "prefix")
    }
    scheme = forwarded["proto"] or request.url.scheme
    host = forwarded["host"] or request.headers.get("host", "")
    return f"{scheme}://{host}{forwarded['prefix'].rstrip('/')}"


def number(request: Request, name: str) -> int | None:
    """A query parameter, None where it is missing or negative (Confluent's -1). Raises `BadParameterError`."""
    text = request.query_params.get(name)
    try:
        value = -1 if text is None else int(text)
    except ValueError as error:
        raise BadParameterError(f"The parameter {name} is {text!r:.40}; expected a whole number.") from error
    return value if value >= 0 else None


def positions(offsets: list[Offset]) -> list[Position]:
    return [Position(offset.topic, offset.partition, offset.offset) for offset in offsets]


def consumer_routes(settings: Settings, consumers: Consumers, budget: Budget) -> APIRouter:
    """The routes, on these parts."""
    router = APIRouter(prefix="/consumers/{group}")
    instance_path = "/instances/{name}"

    async def body_of(request: Request, decoder: msgspec.json.Decoder[_T]) -> _T | None:
        """None for no body at all, which some calls allow."""
        with budget.lease() as lease:
            body = await read_body(request, lease, settings.max_body_bytes, settings.body_timeout_s)
            if not body:
                return None
            check_consumer_type(request.headers.get("content-type"))
            return decode(body, decoder)

    async def required(request: Request, decoder: msgspec.json.Decoder[_T]) -> _T:
        check_consumer_type(request.headers.get("content-type"))
        content = await body_of(request, decoder)
        return decode(b"null", decoder) if content is None else content

    @router.post("")
    async def create(request: Request, group: str) -> Response:
        check_consumer_type(request.headers.get("content-type"))
        config = check_config(await body_of(request, _CREATE) or CreateRequest())
        await consumers.create(group, config)
        path = f"/consumers/{quote(group, safe='')}/instances/{quote(config.name, safe='')}"
        return answer({"instance_id": config.name, "base_uri": base_url(request, settings.advertised_url) + path})

    @router.delete(instance_path)
    async def delete(group: str, name: str) -> Response:
        await consumers.delete(group, name)
        return _NOTHING

    @router.post(instance_path + "/subscription")
    async def subscribe(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        wanted = await required(request, _SUBSCRIPTION)
        await instance.call(instance.subscribe, wanted.topics, wanted.topic_pattern)
        return _NOTHING

    @router.get(instance_path + "/subscription")
    async def subscription(group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        return answer({"topics": await instance.call(instance.subscription)})

    @router.delete(instance_path + "/subscription")
    async def unsubscribe(group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        await instance.call(instance.unsubscribe)
        return _NOTHING

    @router.post(instance_path + "/assignments")
    async def assign(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        wanted = await required(request, _PARTITIONS)
        await instance.call(instance.assign, [(place.topic, place.partition) for place in wanted.partitions])
        return _NOTHING

    @router.get(instance_path + "/assignments")
    async def assignments(group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        assigned = await instance.call(instance.assignment)
        return answer({"partitions": [{"topic": topic, "partition": partition} for topic, partition in assigned]})

    @router.post(instance_path + "/positions")
    async def move(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        wanted = await required(request, _OFFSETS)
        await instance.call(instance.move, positions(wanted.offsets))
        return _NOTHING

    async def move_to(request: Request, group: str, name: str, offset: int) -> Response:
        instance = consumers.get(group, name)
        wanted = await required(request, _PARTITIONS)
        await instance.call(
            instance.move, [Position(place.topic, place.partition, offset) for place in wanted.partitions]
        )
        return _NOTHING

    @router.post(instance_path + "/positions/beginning")
    async def move_to_beginning(request: Request, group: str, name: str) -> Response:
        return await move_to(request, group, name, BEGINNING)

    @router.post(instance_path + "/positions/end")
    async def move_to_end(request: Request, group: str, name: str) -> Response:
        return await move_to(request, group, name, END)

    @router.get(instance_path + "/records")
    async def read(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        fmt = instance.config.format
        check_accept(request.headers.get("accept"), fmt)
        usual_ms = instance.config.request_timeout_ms or settings.consumer_read_timeout_ms
        timeout_ms = min(number(request, "timeout") or usual_ms, settings.consumer_max_read_timeout_ms)
        max_bytes = min(number(request, "max_bytes") or settings.consumer_max_bytes, settings.consumer_max_bytes)
        records = await instance.call(instance.read, timeout_ms, max_bytes)
        return Response(b"[" + b",".join(records) + b"]", media_type=fmt.media_type)

    @router.post(instance_path + "/offsets")
    async def commit(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        wanted = await body_of(request, _OFFSETS)
        await instance.call(instance.commit, None if wanted is None else positions(wanted.offsets))
        return answer([])

    @router.get(instance_path + "/offsets")
    async def committed(request: Request, group: str, name: str) -> Response:
        instance = consumers.get(group, name)
        wanted = await body_of(request, _PARTITIONS)  # in a GET: Confluent's API has it so
        if wanted is None:
            raise PartitionNotFoundError("Partition not found: the request's body names no partitions.")
        found = await instance.call(instance.committed, [(place.topic, place.partition) for place in wanted.partitions])
        return answer({"offsets": [Offset(at.topic, at.partition, at.offset, at.metadata or "") for at in found]})

    return router
