"""What may stand between nbsweep and a cloud: a server that speaks TLS, and a proxy; both on loopback."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import trustme

Handler = Callable[[socket.socket], None]


@contextmanager
def served(handle: Handler) -> Iterator[int]:
    """Handle each connection in a thread of its own; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as ends:
        stopping, threads = threading.Event(), list[threading.Thread]()
        server.settimeout(0.1)

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                handle(connection)

        def serve() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    connection.settimeout(20)
                    threads.append(threading.Thread(target=one, args=(connection,)))
                    threads[-1].start()

        def end() -> None:
            stopping.set()
            for each in (thread, *threads):
                each.join()

        thread = threading.Thread(target=serve)
        thread.start()
        ends.callback(end)
        yield server.getsockname()[1]


def joined(one: socket.socket, other: socket.socket) -> None:
    """Carry everything from each to the other until one of them ends."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                sink.sendall(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(other, one))
    back.start()
    carry(one, other)
    back.join()


@contextmanager
def encrypted(port: int, authority: trustme.CA, name: str = "127.0.0.1") -> Iterator[str]:
    """Speak TLS before what listens on a port, with a certificate for that name; give the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def handle(connection: socket.socket) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as inside,
            socket.create_connection(("127.0.0.1", port)) as behind,
        ):
            joined(inside, behind)

    with served(handle) as listening:
        yield f"https://127.0.0.1:{listening}"


@dataclass
class Proxy:
    """A proxy that was asked for something."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The first line of each request."""
    authorized: list[bool] = field(default_factory=list)
    """Whether it came with a name and a password for the proxy."""


@contextmanager
def proxied(refusal: bytes = b"") -> Iterator[Proxy]:
    """Run a proxy that makes tunnels, or refuses to."""
    proxy = Proxy()

    def handle(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := connection.recv(4096)):
                return
            head += piece
        first = head.split(b"\r\n")[0].decode()
        proxy.asked.append(first)
        proxy.authorized.append(b"proxy-authorization: basic" in head.lower())
        if refusal or not first.startswith("CONNECT "):
            connection.sendall(refusal or b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = first.split()[1].rpartition(":")
        with socket.create_connection((host, int(port))) as behind:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            joined(connection, behind)

    with served(handle) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy
