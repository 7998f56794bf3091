"""A proxy on this machine in front of an S3 server that loses requests and answers."""

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["503", "drop before", "drop after", "pass"]

BUSY = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


@dataclass
class FaultProxy:
    """Meets each PUT with the next of `faults`; forwards everything when there is none left."""

    upstream: str
    url: str = ""
    faults: deque[Fault] = field(default_factory=deque)
    seen: list[str] = field(default_factory=list)  # methods in the order of their requests


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """Run a proxy in front of `upstream`."""
    proxy = FaultProxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            proxy.seen.append(self.command)
            fault: Fault = proxy.faults.popleft() if self.command == "PUT" and proxy.faults else "pass"
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if fault == "503":
                self._answer(503, {}, BUSY)
            elif fault == "drop before":
                self._hang_up()
            else:
                answer = self._forward(sent)
                self._hang_up() if fault == "drop after" else self._answer(*answer)

        do_GET = do_PUT = do_HEAD = do_POST = handle_request  # noqa: N815 - the server looks for these names

        def _forward(self, sent: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = HTTPConnection(urlsplit(proxy.upstream).netloc)
            connection.request(self.command, self.path, sent, dict(self.headers))
            answer = connection.getresponse()
            kept = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() in ("etag", "last-modified", "content-type")
            }
            return answer.status, kept, answer.read()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield proxy
        server.shutdown()
