"""Everything that must hold before a change is handed in, in one command.

Run `.venv/bin/python tests/check.py`, or with `--fast` for what takes seconds; each check is also a
command of its own, printed before it runs.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "src" / "plan2" / "interface" / "web"
TOOLS = Path(sys.executable).parent

Check = tuple[str, list[str], Path]


def tool(name: str) -> str:
    """A program of the environment that runs this file."""
    return shutil.which(name, path=str(TOOLS)) or name


def checks(*, fast: bool) -> list[Check]:
    """Name, command and folder of each check, quickest first."""
    pytest = [sys.executable, "-m", "pytest"]
    chosen = [
        ("format", [tool("ruff"), "format", "--check", "."], ROOT),
        ("lint", [tool("ruff"), "check", "."], ROOT),
        ("imports", [tool("lint-imports")], ROOT),
        ("architecture", [*pytest, "tests/architecture"], ROOT),
        ("types", [tool("mypy")], ROOT),
    ]
    compiler = WEB / "node_modules" / ".bin" / ("tsc.cmd" if os.name == "nt" else "tsc")
    if compiler.is_file():
        chosen.append(("web types", [str(compiler), "--noEmit"], WEB))
    else:
        print(f"web types: left out, run `npm ci` in {WEB.relative_to(ROOT)} first")
    if fast:
        chosen.append(("unit tests", [*pytest, "tests/unit", "-m", "not slow"], ROOT))
    else:
        chosen.append(("tests", [*pytest, "--ignore=tests/architecture"], ROOT))
    return chosen


def main() -> int:
    """Run every check even when one fails; the exit code is the number of failures."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    failed = []
    for name, command, folder in checks(fast="--fast" in sys.argv[1:]):
        print(f"== {name}: {' '.join(command)}", flush=True)
        if subprocess.run(command, cwd=folder, env=environment, check=False).returncode != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
