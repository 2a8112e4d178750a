"""The application: its parts, its routes, and Confluent's form for every error."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from rest_proxy.budget import Budget
from rest_proxy.consumer_routes import consumer_routes
from rest_proxy.consumers import Consumers
from rest_proxy.errors import RestProxyError
from rest_proxy.media import V2
from rest_proxy.producer import RecordProducer
from rest_proxy.settings import Settings
from rest_proxy.topic_routes import answer, topic_routes
from rest_proxy.topics import Topics

_log = logging.getLogger("rest_proxy")


def error_answer(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Confluent's error: `{"error_code", "message"}`."""
    body = msgspec.json.encode({"error_code": code, "message": message})
    return Response(body, status, headers, media_type=V2)


async def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RestProxyError)
    if error.status >= 500:
        _log.warning("%s %s: %s", request.method, request.url.path, error.message)
    return error_answer(error.status, error.code, error.message, dict(error.headers))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"HTTP {error.status_code} {HTTPStatus(error.status_code).phrase}"
    return error_answer(error.status_code, error.status_code, message, dict(error.headers or {}))


async def _gone(request: Request, error: Exception) -> Response:
    """The client hung up in the middle of its body; nobody reads this."""
    return error_answer(400, 400, "The body ended before its announced length.")


async def _unexpected(request: Request, error: Exception) -> Response:
    return error_answer(500, 500, "HTTP 500 Internal Server Error")


def create_app(settings: Settings) -> FastAPI:
    """The application. Kafka need not be there when it starts."""
    topics = Topics(settings)
    producer = RecordProducer(settings, topics.forget)
    consumers = Consumers(settings)
    budget = Budget(settings.max_memory_bytes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        expiry = asyncio.create_task(consumers.expire())
        yield
        expiry.cancel()
        await consumers.close()
        await asyncio.to_thread(producer.close, settings.delivery_timeout_s)

    # Redirects would name an address that is not the client's behind a gateway.
    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(RestProxyError, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)

    @app.get("/")
    async def root() -> Response:
        return answer({})

    @app.get("/healthz")
    async def health() -> Response:
        """Whether a record could be taken now: 200, or the error that `topics.ping` raises (500/50003)."""
        await topics.ping()
        return answer({})

    app.include_router(topic_routes(settings, topics, producer, budget))
    app.include_router(consumer_routes(settings, consumers, budget))
    return app
