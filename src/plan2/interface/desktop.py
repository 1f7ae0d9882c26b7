"""A window of its own for the web app: pywebview, else a browser without tabs, else any browser.

What is there decides; the caller says which it was. Nothing here knows how Plan2 is started.
"""

import enum
import importlib.util
import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

WIDTH, HEIGHT = 1440, 900
NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
    "chrome",
)
"""Browsers that can show one address without tabs, as they are called on a PATH."""
MAC_PATHS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
WINDOWS_PATHS: Final = (
    r"Microsoft\Edge\Application\msedge.exe",
    r"Google\Chrome\Application\chrome.exe",
)
WINDOWS_ROOTS: Final = ("ProgramFiles(x86)", "ProgramFiles", "LocalAppData")


class Way(enum.StrEnum):
    """How the window is shown."""

    WEBVIEW = "pywebview"
    APP = "app"
    BROWSER = "browser"


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """What of this machine is used; tests give stand-ins.

    Attributes:
        has_module: whether a Python module can be imported.
        find_app: the program that shows an address without tabs; "" when there is none.
        run: run a program until its window is closed; its exit code.
        webview: show an address in a pywebview window until it is closed.
        browse: hand an address to the default browser; False when there is none.
    """

    has_module: Callable[[str], bool]
    find_app: Callable[[], str]
    run: Callable[[Sequence[str]], int]
    webview: Callable[[str], None]
    browse: Callable[[str], bool]


def choose(shell: Shell, wanted: Way | None = None) -> Way:
    """The best way that this machine has, or the one that is wanted."""
    if wanted is not None:
        return wanted
    if shell.has_module("webview"):
        return Way.WEBVIEW
    return Way.APP if shell.find_app() else Way.BROWSER


def show(shell: Shell, way: Way, url: str, profile: Path) -> bool:
    """Show an address; returns when the window is closed, at once for the default browser.

    `profile` keeps the window's own session and preferences. False: there was nothing to show it.
    """
    if way is Way.WEBVIEW:
        shell.webview(url)
        return True
    if way is Way.APP:
        program = shell.find_app()
        return bool(program) and shell.run(app_command(program, url, profile)) == 0
    return shell.browse(url)


def app_command(program: str, url: str, profile: Path) -> list[str]:
    """The command line of a browser window without tabs, apart from the person's own browser."""
    return [
        program,
        f"--app={url}",
        f"--user-data-dir={profile}",
        f"--window-size={WIDTH},{HEIGHT}",
        "--no-first-run",
        "--no-default-browser-check",
    ]


def this_machine() -> Shell:
    """The real thing."""
    return Shell(
        has_module=lambda name: importlib.util.find_spec(name) is not None,
        find_app=_find_app,
        run=lambda command: subprocess.run(command, check=False).returncode,
        webview=_webview,
        browse=webbrowser.open,
    )


def _find_app() -> str:
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return next((path for path in _usual_places() if Path(path).is_file()), "")


def _usual_places() -> list[str]:
    if sys.platform == "darwin":
        return list(MAC_PATHS)
    roots = [root for name in WINDOWS_ROOTS if (root := os.environ.get(name, ""))]
    return [str(Path(root) / path) for path in WINDOWS_PATHS for root in roots]


def _webview(url: str) -> None:
    import webview  # late: an optional package, and its toolkit is heavy

    webview.create_window("Plan2", url, width=WIDTH, height=HEIGHT)
    webview.start(private_mode=False)
