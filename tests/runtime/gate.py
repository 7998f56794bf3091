"""A relay in front of a server that holds every byte back while its gate is shut: a storage that does not answer."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from urllib.parse import urlsplit


@dataclass
class Gate:
    """Connections are taken at once; what they say goes on when the gate is open."""

    url: str
    opened: Event = field(default_factory=Event)


@contextmanager
def gate(upstream: str) -> Iterator[Gate]:
    """Run a relay to `upstream`, its gate shut."""
    address = urlsplit(upstream)
    target = (address.hostname or "", address.port or 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Gate(f"http://127.0.0.1:{server.getsockname()[1]}")
        Thread(target=_accept, args=(server, made.opened, target), daemon=True).start()
        yield made
        made.opened.set()
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, opened: Event, target: tuple[str, int]) -> None:
    with suppress(OSError):  # the server is closed
        while True:
            caller, _ = server.accept()
            Thread(target=_relay, args=(caller, opened, target), daemon=True).start()


def _relay(caller: socket.socket, opened: Event, target: tuple[str, int]) -> None:
    opened.wait()
    with suppress(OSError), caller, socket.create_connection(target) as server:
        back = Thread(target=_pour, args=(server, caller), daemon=True)
        back.start()
        _pour(caller, server)
        back.join()


def _pour(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while held := source.recv(65536):
            to.sendall(held)
        to.shutdown(socket.SHUT_WR)
