"""How verbs ask a running Plan2 that is busy."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from plan2.commands.running import PATIENCE, NotRunning, Refused, request
from plan2.commands.train import command as train
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.foundation.errors import Recoverable


@contextmanager
def busy(folder: Path, refusals: int, pause: str = "0") -> Iterator[list[str]]:
    """A server that refuses so many requests as too many before it answers; what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers 429 for a while."""

        def answer(self) -> None:
            """Refuse or answer."""
            asked.append(self.command)
            is_refused = len(asked) <= refusals
            self.send_response(429 if is_refused else 200)
            if is_refused:
                self.send_header("Retry-After", pause)
            self.end_headers()
            self.wfile.write(b'{"detail": "too many"}' if is_refused else b'{"items": []}')

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    LocalAccess(folder, "default").write(f"http://127.0.0.1:{server.server_port}")
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_question_that_came_too_soon_is_asked_again(tmp_path: Path) -> None:
    """Twice refused, then answered."""
    with busy(tmp_path, refusals=2) as asked:
        assert request(tmp_path, "GET", "tenants/acme") == {"items": []}
    assert asked == ["GET"] * 3


def test_patience_ends(tmp_path: Path) -> None:
    """A server that refuses for ever is told of."""
    with busy(tmp_path, refusals=1_000) as asked, pytest.raises(Refused, match="too many") as told:
        request(tmp_path, "GET", "tenants/acme")
    assert told.value.status == 429
    assert told.value.exit_code == Recoverable.exit_code
    assert re.search(r"Try again in \d+ s\.", str(told.value))
    assert len(asked) == PATIENCE + 1


@pytest.mark.parametrize(("method", "pause"), [("POST", "0"), ("GET", "3600"), ("GET", "soon")])
def test_what_changes_something_or_waits_for_long_is_asked_once(
    tmp_path: Path, method: str, pause: str
) -> None:
    """An order is never repeated, and nobody sits before a silent terminal for an hour."""
    with busy(tmp_path, refusals=1, pause=pause) as asked, pytest.raises(Refused):
        request(tmp_path, method, "tenants/acme")  # type: ignore[arg-type]
    assert asked == [method]


def test_training_for_promotion_needs_somebody_to_promote_it(tmp_path: Path) -> None:
    """Said at once, not after the training."""
    words = ["--symbol", "EURUSD", "--promote", "--reason", "better", "--data-dir", str(tmp_path)]
    with pytest.raises(NotRunning):
        CliRunner().invoke(train, words, catch_exceptions=False, obj={})
    assert not (tmp_path / "models").exists()
