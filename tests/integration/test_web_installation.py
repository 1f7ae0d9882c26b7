"""The web app as installing makes it: twice the same bytes, in every wheel, also without Node.

What a build before left in npm's and pip's caches is used again. Without npm, or without a current
build to compare with, there is nothing to try; the wheel that carries Node is fetched only where
`PLAN2_TEST_DOWNLOADS=1` allows it.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "plan2" / "interface" / "web"
OUTPUT = ROOT / "src" / "plan2" / "_ui"
WHEEL_S = 400
BACKEND = "hatchling.builders.hooks.plugin.interface"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hook() -> Iterator[ModuleType]:
    """The build hook; of the build backend it needs the base class alone."""
    with pytest.MonkeyPatch.context() as patch:
        parts = BACKEND.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            patch.setitem(sys.modules, name, ModuleType(name))
        sys.modules[BACKEND].BuildHookInterface = object
        spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, "hatch_build", module)
        spec.loader.exec_module(module)
        if not module.is_current(WEB, OUTPUT):
            pytest.skip("the built app is not of these sources; installing again builds it")
        yield module


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a built app with the hash of its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def wheel_of(source: Path, folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """Build the package's wheel as `pip install` does; its web app, each file with its hash."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), "."]
    done = subprocess.run(
        command,
        cwd=source,
        env=os.environ | {"PLAN2_UI": "require"} | environment,
        capture_output=True,
        text=True,
        timeout=WHEEL_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    (wheel,) = folder.glob("plan2-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if name.startswith("plan2/_ui/")]
        return {
            name.removeprefix("plan2/_ui/"): hashlib.sha256(packed.read(name)).hexdigest()
            for name in names
        }


def test_a_second_build_of_the_same_sources_is_the_same_bytes(
    hook: ModuleType, tmp_path: Path
) -> None:
    """Every file, the compressed ones and the stamp among them."""
    node = hook.system_node()
    if node is None:
        pytest.skip("there is no npm, or no Node in the range, on this machine")
    hook.build(WEB, tmp_path / "_ui", node)
    assert hashes(tmp_path / "_ui") == hashes(OUTPUT)


def test_a_wheel_holds_the_whole_app_and_no_hidden_file(hook: ModuleType, tmp_path: Path) -> None:
    """The page with everything it names; the stamp of the build is not for users."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    packed = wheel_of(ROOT, tmp_path, {})
    built = hashes(OUTPUT)
    shown = {name: value for name, value in built.items() if not name.startswith(".")}
    assert packed == shown
    assert "index.html" in packed


@pytest.mark.skipif(
    os.environ.get("PLAN2_TEST_DOWNLOADS") != "1", reason="PLAN2_TEST_DOWNLOADS=1 lets it download"
)
def test_a_machine_without_node_builds_the_same_app(hook: ModuleType, tmp_path: Path) -> None:
    """Nothing of Node is on the path: the wheel's builds the same bytes."""
    source = tmp_path / "source"
    left_out = shutil.ignore_patterns("node_modules", "_ui", ".git", ".venv*", "tests", "*_cache")
    shutil.copytree(ROOT, source, ignore=left_out, symlinks=True)
    bare = tmp_path / "bin"
    bare.mkdir()
    packed = wheel_of(source, tmp_path / "wheels", {"PATH": str(bare)})
    shown = {name: each for name, each in hashes(OUTPUT).items() if not name.startswith(".")}
    assert packed == shown
