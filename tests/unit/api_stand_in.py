"""A stand-in for the running Plan2: an HTTP server that answers verbs as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from plan2.connectivity.identity.local_access import LocalAccess

Answering = Callable[[str, str], tuple[int, object]]
"""From the method, and the path behind `/api/v1/`, to the status and what JSON says."""


@contextmanager
def running(folder: Path, answer: Answering) -> Iterator[list[str]]:
    """Serve this data folder; gives what was asked, `METHOD path` each."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers with what it is told."""

        def answer(self) -> None:
            """Note and answer."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.removeprefix("/api/v1/")
            asked.append(f"{self.command} {path}")
            status, said = answer(self.command, path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        LocalAccess(folder, "default").write(f"http://127.0.0.1:{server.server_port}")
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()
