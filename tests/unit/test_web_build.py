"""The build of the web app: which Node suits, when it is built, how it fails, what is committed."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "plan2" / "interface" / "web"
BUILD_PACKAGES_MAX = 90
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="fakes are shell scripts")


class Stopped(Exception):
    """The build backend was told to stop."""


class FakeApp:
    """The build backend's voice."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def abort(self, message: str) -> None:
        """Stop the build with a message."""
        raise Stopped(message)

    def display_warning(self, message: str) -> None:
        """Show a warning."""
        self.warnings.append(message)


class FakeHookBase:
    """What a hook gets from the build backend."""

    def __init__(self, root: Path, target_name: str = "wheel") -> None:
        self.root = str(root)
        self.target_name = target_name
        self.app = FakeApp()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build hook's module over a stand-in for the build backend, which tests do not need."""
    for name in ("hatchling", "hatchling.builders", "hatchling.builders.hooks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for name in ("hatchling.builders.hooks.plugin", "hatchling.builders.hooks.plugin.interface"):
        module = ModuleType(name)
        module.BuildHookInterface = FakeHookBase
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "hatch_build", module)
    spec.loader.exec_module(module)
    monkeypatch.delenv("PLAN2_UI", raising=False)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A source folder with a tiny web app."""
    web = tmp_path / "project" / "src" / "plan2" / "interface" / "web"
    (web / "src").mkdir(parents=True)
    (web / "src" / "main.tsx").write_text("one")
    (web / "package.json").write_text("{}")
    return tmp_path / "project"


def put_script(folder: Path, name: str, script: str) -> None:
    """An executable shell script."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def put_node(folder: Path, npm: str, vite: str = "true") -> None:
    """A Node that knows its version and otherwise does `vite`, and an npm that does `npm`."""
    put_script(folder, "node", f'[ "$1" = "--version" ] && echo v22.12.0 && exit; {vite}')
    put_script(folder, "npm", npm)


@pytest.mark.parametrize(
    ("version", "is_supported"),
    [
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v20.20.2", True),
        ("v21.7.0", False),
        ("v22.5.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v23.0.0", True),
        ("v24.19.0\n", True),
        ("v18.20.0", False),
        ("v9.99.99", False),
        ("", False),
        ("command not found", False),
    ],
)
def test_node_range_is_that_of_vite(hook: ModuleType, version: str, is_supported: bool) -> None:
    """^20.19.0 or >=22.12.0, not merely "20 or newer"."""
    assert hook.is_supported(version) is is_supported


def test_engines_of_the_package_say_the_same() -> None:
    """The range that the hook checks is the one that package.json declares."""
    engines = json.loads((WEB / "package.json").read_text())["engines"]
    assert engines == {"node": "^20.19.0 || >=22.12.0"}


@posix_only
def test_node_wheel_is_asked_for_only_where_it_is_needed(
    hook: ModuleType, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No suitable Node: the package; one on PATH, another target or skip: nothing."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert hook.WebBuildHook(project).dependencies() == [hook.NODE_WHEEL]
    assert hook.WebBuildHook(project, "sdist").dependencies() == []
    put_script(tmp_path / "bin", "npm", "true")
    put_script(tmp_path / "bin", "node", "echo v22.5.0")
    assert hook.WebBuildHook(project).dependencies() == [hook.NODE_WHEEL]
    put_script(tmp_path / "bin", "node", "echo v20.19.4")
    assert hook.WebBuildHook(project).dependencies() == []
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PLAN2_UI", "skip")
    assert hook.WebBuildHook(project).dependencies() == []


def test_stamp_follows_the_sources_and_nothing_else(hook: ModuleType, project: Path) -> None:
    """Contents and names count; installed packages, results and unit tests do not."""
    web = project / hook.WEB
    first = hook.stamp_of(web)
    for name in ("node_modules", "dist", "test"):
        (web / name).mkdir()
        (web / name / "file").write_text("x")
    assert hook.stamp_of(web) == first
    (web / "src" / "main.tsx").write_text("two")
    second = hook.stamp_of(web)
    (web / "src" / "main.tsx").rename(web / "src" / "app.tsx")
    assert len({first, second, hook.stamp_of(web)}) == 3


@posix_only
def test_unchanged_sources_are_not_built_again(
    hook: ModuleType, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp decides; a changed source builds again, and old files go."""
    log = tmp_path / "log"
    vite = f"echo built >> {log}; mkdir -p dist; echo page > dist/index.html"
    put_node(tmp_path / "bin", npm="true", vite=vite)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    output = project / hook.OUTPUT
    for _ in range(2):
        hook.WebBuildHook(project).initialize("standard", {})
    assert (output / "index.html").read_text() == "page\n"
    assert log.read_text() == "built\n"
    (output / "old.js").write_text("old")
    (project / hook.WEB / "src" / "main.tsx").write_text("two")
    hook.WebBuildHook(project).initialize("standard", {})
    assert log.read_text() == "built\nbuilt\n"
    assert not (output / "old.js").exists()


@posix_only
def test_failure_is_one_sentence_and_leaves_its_reason(
    hook: ModuleType, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode auto installs without the app and says why; require stops with the same sentence."""
    npm = 'echo "npm warn old" >&2; echo "npm error code E404" >&2; '
    npm += 'echo "npm error 404 Not Found: zustand" >&2; exit 1'
    put_node(tmp_path / "bin", npm)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    sentence = "The web app of Plan2 could not be built: npm ci failed: 404 Not Found: zustand."
    auto = hook.WebBuildHook(project)
    auto.initialize("standard", {})
    output = project / hook.OUTPUT
    assert [path.name for path in output.iterdir()] == ["MISSING"]
    assert (output / "MISSING").read_text() == sentence + "\n"
    assert auto.app.warnings == [f"{sentence} Everything else is installed."]
    monkeypatch.setenv("PLAN2_UI", "require")
    with pytest.raises(Stopped, match=r"zustand\. PLAN2_UI=skip installs without"):
        hook.WebBuildHook(project).initialize("standard", {})


def test_unknown_mode_is_refused(
    hook: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt PLAN2_UI is not taken for the default."""
    monkeypatch.setenv("PLAN2_UI", "of course")
    with pytest.raises(Stopped, match="auto, require or skip"):
        hook.WebBuildHook(project).initialize("standard", {})


def test_lock_file_names_every_package_and_no_registry() -> None:
    """No `resolved`, no host but for funding; each entry has version and integrity."""
    text = (WEB / "package-lock.json").read_text()
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert '"resolved"' not in text
    assert not [path for path, entry in packages.items() if not entry.get("integrity")]
    assert not [path for path, entry in packages.items() if not entry.get("version")]
    without_funding = [
        {key: value for key, value in entry.items() if key != "funding"}
        for entry in packages.values()
    ]
    assert "://" not in json.dumps(without_funding)


def test_lock_file_holds_every_platform() -> None:
    """Whatever a package may need is in the lock, else `npm ci` refuses elsewhere."""
    packages = json.loads((WEB / "package-lock.json").read_text())["packages"]
    names = {path.rpartition("node_modules/")[2] for path in packages}
    needed = {
        name
        for entry in packages.values()
        for kind in ("dependencies", "optionalDependencies")
        for name in entry.get(kind, {})
    }
    assert needed <= names


def test_build_set_is_small_and_exact() -> None:
    """At most 90 packages are installed to build, and package.json names exact versions."""
    packages = json.loads((WEB / "package-lock.json").read_text())["packages"]
    installed = [e for path, e in packages.items() if path and not e.keys() & {"dev", "optional"}]
    assert len(installed) <= BUILD_PACKAGES_MAX
    wanted = json.loads((WEB / "package.json").read_text())
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert all(version[0].isdigit() for version in versions)


def test_nothing_of_a_package_runs_while_it_is_installed(hook: ModuleType) -> None:
    """No scripts of packages, and none that only developers need."""
    assert {"ci", "--ignore-scripts", "--omit=dev"} <= set(hook.NPM_CI)


def test_git_ignores_what_is_built_and_nothing_that_is_written() -> None:
    """`_ui` and `node_modules` never reach the repository; every source does."""
    inside = ["git", "-C", str(ROOT), "rev-parse", "--is-inside-work-tree"]
    if subprocess.run(inside, check=False, capture_output=True).returncode != 0:
        pytest.skip("not a git work tree")

    def is_ignored(path: Path) -> bool:
        command = ["git", "-C", str(ROOT), "check-ignore", "-q", str(path.relative_to(ROOT))]
        return subprocess.run(command, check=False).returncode == 0

    assert is_ignored(ROOT / "src" / "plan2" / "_ui" / "index.html")
    assert is_ignored(WEB / "node_modules" / "react" / "index.js")
    sources = [
        path
        for path in WEB.rglob("*")
        if path.is_file() and path.relative_to(WEB).parts[0] not in {"node_modules", "dist"}
    ]
    assert [str(path) for path in sources if is_ignored(path)] == []
