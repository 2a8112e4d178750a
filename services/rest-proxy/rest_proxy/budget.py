"""Back-pressure: what the requests in progress may hold together, and reading a body within it."""

import asyncio
from types import TracebackType

from starlette.requests import Request

from rest_proxy.errors import BodyTooLargeError, OverloadedError, SlowBodyError

COPIES = 3
"""A body is in memory as it came, as compact values, and in the producer's queue."""

RECORD_BYTES = 1024
"""What a record costs apart from its text: librdkafka's message, its delivery callback and its line in the answer."""


class Budget:
    """Bytes that may be in use at once. Not thread-safe: it belongs to the event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def lease(self) -> "Lease":
        """A request's share, empty at first; as a context manager it gives everything back."""
        return Lease(self)


class Lease:
    """What one request holds of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    @property
    def room(self) -> int:
        """What the request could take besides, if it were alone."""
        return self._budget.limit - self._held

    def add(self, size: int) -> None:
        """Take `size` bytes more. Raises `OverloadedError`, or `BodyTooLargeError` if it could not even fit alone."""
        if self._held + size > self._budget.limit:
            raise BodyTooLargeError(
                "The request has more records than can be handled at once; send it in several requests."
            )
        if self._budget.used + size > self._budget.limit:
            raise OverloadedError("The proxy holds as many unacknowledged records as it may; try again in a second.")
        self._held += size
        self._budget.used += size

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.used -= self._held
        self._held = 0


async def read_body(request: Request, lease: Lease, limit: int, timeout_s: float) -> bytes:
    """A request's body of at most `limit` bytes, on `lease`.

    What exceeds the limit is neither read nor kept: the server drops it as it comes in, so that the client gets its answer.
    Raises `BodyTooLargeError`, `OverloadedError` or `SlowBodyError`.
    """
    too_large = BodyTooLargeError(
        f"The body is longer than the {limit} bytes that a request may have; send fewer records in each."
    )
    announced = request.headers.get("content-length")
    if announced is not None:
        if int(announced) > limit:
            raise too_large
        lease.add(int(announced) * COPIES)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                if announced is None:
                    lease.add(len(chunk) * COPIES)
                chunks.append(chunk)
    except TimeoutError as error:
        raise SlowBodyError(f"The body did not arrive within {timeout_s:g} s.") from error
    return b"".join(chunks)
