"""HTTP in memory: aiohttp writes to an object, which answers with bytes; there is no socket."""

import asyncio
import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler

REASONS = {200: "OK", 201: "Created", 204: "No Content"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client sent it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the server."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """Return the answer as HTTP/1.1."""
        length = {} if self.status == 204 else {"Content-Length": str(len(self.body))}
        lines = [f"{name}: {value}" for name, value in ({**self.headers, **length}).items()]
        head = "\r\n".join([f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Trouble')}", *lines])
        return f"{head}\r\n\r\n".encode() + self.body


class Server(Protocol):
    """The server of the connections."""

    def begin(self, method: str, path: str) -> None:
        """Record that the client begins a request, before it has a connection."""
        ...

    def connects_in_s(self) -> float | None:
        """Return how long a connect takes; None if it is refused."""
        ...

    def leave(self, request: Request, connection: "Connection") -> None:
        """Receive a request when the client has sent it."""
        ...


class Connection(asyncio.Transport):
    """One connection, which carries one request at a time."""

    def __init__(self, protocol: ResponseHandler, server: Server) -> None:
        """Connect client and server."""
        super().__init__()
        self._protocol = protocol
        self._server = server
        self._written = bytearray()
        self._closed = False

    # ---- the server's side

    def answer(self, answer: Answer) -> None:
        """Deliver an answer, unless the client has closed the connection."""
        if not self._closed:
            self._protocol.data_received(answer.raw())

    def reset(self) -> None:
        """Reset the connection."""
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))

    # ---- the client's side, as asyncio has it

    def write(self, data: Any) -> None:
        """Take bytes, and send each complete request."""
        self._written += data
        while not self._closed and (request := self._whole()):
            self._server.leave(request, self)

    def writelines(self, list_of_data: Any) -> None:
        """Take several pieces of bytes."""
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Return whether the connection is closed."""
        return self._closed

    def close(self) -> None:
        """Close the connection; requests that were sent stay sent."""
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(None)

    def abort(self) -> None:
        """Close the connection."""
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the default: there is no socket."""
        del name
        return default

    def pause_reading(self) -> None:
        """Do nothing: an answer comes in one piece."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def _whole(self) -> Request | None:
        head, gap, rest = bytes(self._written).partition(b"\r\n\r\n")
        if not gap:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._written = bytearray(rest[length:])
        method, target, _ = first.split(" ")
        address = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        return Request(method, address.path, query, headers, rest[:length])


class MemoryConnector(aiohttp.BaseConnector):
    """Opens connections to one server for every address."""

    def __init__(self, server: Server, connections: int) -> None:
        """Take the server."""
        super().__init__(limit=connections, keepalive_timeout=60.0)
        self._server = server

    async def connect(self, req: aiohttp.ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:  # noqa: ASYNC109 -- aiohttp's
        """Return a kept or a new connection; with it a call begins."""
        self._server.begin(req.method, req.url.raw_path)
        return await super().connect(req, traces, timeout)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 -- aiohttp's
    ) -> ResponseHandler:
        del traces
        seconds = self._server.connects_in_s()
        async with asyncio.timeout(timeout.sock_connect):
            await asyncio.sleep(seconds or 0.0)
        if seconds is None:
            raise aiohttp.ClientConnectorError(req.connection_key, ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
        protocol: ResponseHandler = self._factory()
        protocol.connection_made(Connection(protocol, self._server))
        return protocol
