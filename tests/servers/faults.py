"""A proxy before a real server, which does to requests what networks and providers do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

Fault = Callable[["Exchange"], None]
"""Does something to one request, instead of passing it on."""


@dataclass
class Exchange:
    """One request on its way.

    Attributes:
        head: Its first line and its headers, as they came.
        body: What came with it.
        client: Who asks.
        ask: Passes it on; returns the head and the body of the answer.
    """

    head: bytes
    body: bytes
    client: socket.socket
    ask: Callable[[], tuple[bytes, bytes]]

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def reset(self) -> None:
        """Breaks the connection off."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


def passed_on(exchange: Exchange) -> None:
    """No fault."""
    head, body = exchange.ask()
    exchange.client.sendall(head + body)


def refused(status: int, code: str) -> Fault:
    """The server says no."""

    def fault(exchange: Exchange) -> None:
        body = f"<Error><Code>{code}</Code><Message>as a test wants it</Message></Error>".encode()
        if exchange.method == "HEAD":
            body = b""
        exchange.client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)

    return fault


def reset(exchange: Exchange) -> None:
    """The connection breaks before the server gets anything."""
    exchange.reset()


def reply_lost(exchange: Exchange) -> None:
    """The server does what it is asked; nobody hears of it."""
    exchange.ask()
    exchange.reset()


def truncated(exchange: Exchange) -> None:
    """The connection breaks in the middle of the answer."""
    head, body = exchange.ask()
    exchange.client.sendall(head + body[: len(body) // 2] if body else head[: len(head) // 2])
    exchange.reset()


def flipped(exchange: Exchange) -> None:
    """One bit of what is read is another."""
    head, body = exchange.ask()
    if body and exchange.method == "GET" and b" 20" in head[:16]:
        body = bytes([*body[: len(body) // 2], body[len(body) // 2] ^ 1, *body[len(body) // 2 + 1 :]])
    exchange.client.sendall(head + body)


def stalled(exchange: Exchange) -> None:
    """No answer, until who asks gives up."""
    with suppress(OSError):
        exchange.client.recv(1)


@dataclass
class Proxy:
    """The proxy.

    Attributes:
        endpoint: Where it answers.
        fault: What happens to a request, by its number since `begin`.
        count: How many requests there were since then.
    """

    endpoint: str
    fault: Callable[[int, Exchange], Fault] = lambda *_: passed_on
    count: int = 0
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, fault: Callable[[int, Exchange], Fault] = lambda *_: passed_on) -> None:
        """From now on this happens."""
        with self._mutex:
            self.fault, self.count = fault, 0

    def serve(self, client: socket.socket, upstream: tuple[str, int]) -> None:
        with client, suppress(OSError, EOFError), client.makefile("rb") as questions:
            while (head := _head(questions)) is not None:
                body = questions.read(_length(head))
                exchange = Exchange(head, body, client, lambda head=head, body=body: _ask(upstream, head, body))  # type: ignore[misc]
                with self._mutex:
                    self.count += 1
                    fault = self.fault(self.count, exchange)
                fault(exchange)


@contextmanager
def before(endpoint: str) -> Iterator[Proxy]:
    """A proxy before the server at an endpoint, as long as the block runs."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=proxy.serve, args=(client, (host, int(port))), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield proxy
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _ask(upstream: tuple[str, int], head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Asks the server, on a connection of its own; its answer as one that says how long it is."""
    method = head.split(b" ", 1)[0]
    head = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with socket.create_connection(upstream) as server, server.makefile("rb") as answers:
        server.sendall(head + body)
        answer = _head(answers)
        if answer is None:
            raise EOFError
        content = b"" if method == b"HEAD" else answers.read()
    kept = [
        line for line in answer.split(b"\r\n") if line and not line.lower().startswith((b"connection:", b"transfer-"))
    ]
    if b"transfer-encoding: chunked" in answer.lower():
        content = _unchunked(content)
    if method != b"HEAD":
        kept = [line for line in kept if not line.lower().startswith(b"content-length:")]
        kept.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join(kept) + b"\r\n\r\n", content


def _head(stream: BinaryIO) -> bytes | None:
    lines = []
    while line := stream.readline():
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)
    return None


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _unchunked(data: bytes) -> bytes:
    parts = []
    while data:
        size, _, data = data.partition(b"\r\n")
        parts.append(data[: int(size, 16)])
        data = data[int(size, 16) + 2 :]
    return b"".join(parts)
