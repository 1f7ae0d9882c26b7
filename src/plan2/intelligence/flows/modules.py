"""Generated source as a module whose machine code survives the process.

The file lies in the data folder under a name made of its content, and numba keeps the machine code
beside it. What is executed is the text that was generated now, never what the file holds.
"""

import functools
import hashlib
import os
import sys
import types
from pathlib import Path
from typing import Final

from plan2.intelligence.features.fingerprint import source_fingerprint

FOLDER: Final = "cache/flows"
MOST_FILES: Final = 200


@functools.cache
def flows_fingerprint() -> str:
    """Sixteen hex digits over the sources that generated code is made of and calls."""
    digest = hashlib.sha256(source_fingerprint().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def load_module(text: str, folder: Path | None) -> types.ModuleType:
    """The module that `text` defines; compiled machine code is kept in `folder` when it is given.

    A folder that cannot be written costs time only: the code is compiled again in each process.
    """
    name = f"flow_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    path = None if folder is None else _kept(folder / f"{name}.py", text)
    module = types.ModuleType(name)
    if path is None:
        text = text.replace("njit(cache=True", "njit(cache=False")
    module.__file__ = str(path or f"<{name}>")
    sys.modules[name] = module  # numba finds the machine code of a function through its module
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102 - our own text
    return module


def _kept(path: Path, text: str) -> Path | None:
    """The file with this content, or None where none can be kept."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
            _prune(path.parent)
        return path if os.access(path.parent, os.W_OK) else None
    except OSError:
        return None


def _prune(folder: Path) -> None:
    """Remove the oldest files with their machine code."""
    files = sorted(folder.glob("flow_*.py"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MOST_FILES]:
        for machine_code in folder.glob(f"__pycache__/{path.stem}.*"):
            machine_code.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
