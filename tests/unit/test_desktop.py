"""`plan2 desktop`: which window is taken, what it is told, and what runs while it is open."""

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from plan2 import cli
from plan2.commands import desktop as verb
from plan2.connectivity.identity.local_access import Access
from plan2.foundation.errors import Unrecoverable
from plan2.interface import desktop
from plan2.interface.desktop import Shell, Way

Captured = pytest.CaptureFixture[str]


class Machine:
    """A machine with some programs; writes down what was shown with which."""

    def __init__(self, *, module: bool = False, app: str = "", browser: bool = True) -> None:
        self.shown: list[tuple[str, object]] = []
        self.shell = Shell(
            has_module=lambda name: module and name == "webview",
            find_app=lambda: app,
            run=self._run,
            webview=lambda url: self.shown.append(("webview", url)),
            browse=lambda url: self.shown.append(("browser", url)) or browser,  # type: ignore[func-returns-value]
        )

    def _run(self, command: Sequence[str]) -> int:
        self.shown.append(("app", list(command)))
        return 0


@pytest.mark.parametrize(
    ("machine", "way"),
    [
        (Machine(module=True, app="/usr/bin/chromium"), Way.WEBVIEW),
        (Machine(app="/usr/bin/chromium"), Way.APP),
        (Machine(), Way.BROWSER),
    ],
)
def test_the_best_window_is_taken(machine: Machine, way: Way) -> None:
    """Pywebview where it is, else a browser without tabs, else the default browser."""
    assert desktop.choose(machine.shell) is way
    assert desktop.choose(machine.shell, Way.BROWSER) is Way.BROWSER


def test_a_browser_without_tabs_keeps_to_itself(tmp_path: Path) -> None:
    """It gets the address and a profile of its own, so that nobody's own browser is touched."""
    machine = Machine(app="/usr/bin/chromium")
    assert desktop.show(machine.shell, Way.APP, "http://127.0.0.1:1/", tmp_path)
    ((kind, command),) = machine.shown
    assert kind == "app"
    assert command[:3] == [  # type: ignore[index]
        "/usr/bin/chromium",
        "--app=http://127.0.0.1:1/",
        f"--user-data-dir={tmp_path}",
    ]


def test_nothing_to_show_it_with_is_told(tmp_path: Path) -> None:
    """No program without tabs, and no browser either."""
    machine = Machine(browser=False)
    assert not desktop.show(machine.shell, Way.APP, "http://127.0.0.1:1/", tmp_path)
    assert not desktop.show(machine.shell, Way.BROWSER, "http://127.0.0.1:1/", tmp_path)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of something that says it lives."""
    folder = tmp_path_factory.mktemp("alive")
    (folder / "health").mkdir()
    (folder / "health" / "live").write_text("yes")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def known(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the data folder name an address."""
    access = Access(url=url, token="token", pid=1)
    monkeypatch.setattr(verb, "read_access", lambda _folder: access)


def test_a_plan2_that_runs_is_shown_and_left_running(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """The window is opened on it, the verb says which, and nothing is started."""
    machine = Machine(app="/usr/bin/chromium")
    known(server, monkeypatch)
    monkeypatch.setattr(desktop, "this_machine", lambda: machine.shell)
    monkeypatch.setattr(subprocess, "Popen", None)
    assert cli.run(["desktop", "--data-dir", str(tmp_path)]) == 0
    ((_, command),) = machine.shown
    assert f"--app={server}" in command  # type: ignore[operator]
    assert "without tabs" in capsys.readouterr().err


def test_an_address_that_does_not_answer_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a crash left behind leads nowhere; a strange scheme is not asked at all."""
    for url in ("http://127.0.0.1:9", "file:///etc/passwd"):
        known(url, monkeypatch)
        assert verb.running_at(tmp_path) == ""


def fake_serve(monkeypatch: pytest.MonkeyPatch, script: str) -> list[list[str]]:
    """Run `script` in place of `plan2 serve`; what was asked for."""
    asked: list[list[str]] = []
    real = subprocess.Popen

    def popen(command: list[str], **options: object) -> object:
        asked.append(command)
        return real([sys.executable, "-u", "-c", script], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return asked


def test_without_one_it_is_started_shown_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed sign-in address is opened; the process ends with the window."""
    machine = Machine(module=True)
    monkeypatch.setattr(desktop, "this_machine", lambda: machine.shell)
    script = "import time; print('Open  http://127.0.0.1:5/signin?token=abc'); time.sleep(60)"
    asked = fake_serve(monkeypatch, script)
    assert cli.run(["desktop", "--data-dir", str(tmp_path)]) == 0
    assert asked[0][1:] == ["-m", "plan2", "serve", "--data-dir", str(tmp_path)]
    assert machine.shown == [("webview", "http://127.0.0.1:5/signin?token=abc")]


def test_a_start_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address comes: what it printed stands, and the error says what helps."""
    fake_serve(monkeypatch, "print('the port is taken')")
    with pytest.raises(Unrecoverable, match="before it was ready"), verb.address(tmp_path):
        pass
