"""Where a model comes from: the code and the libraries it was made with."""

import functools
import hashlib
import platform
from importlib import metadata
from pathlib import Path

LIBRARIES = (
    "numpy",
    "numba",
    "xgboost",
    "torch",
    "onnx",
    "onnxmltools",
    "onnxscript",
    "onnxruntime",
)


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that take part in training and serving."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


@functools.cache
def lock_hash() -> str:
    """SHA-256 over all installed distributions with their versions, as a lock file lists them."""
    found = {
        f"{distribution.name.lower().replace('_', '-')}=={distribution.version}"
        for distribution in metadata.distributions()
        if distribution.name
    }
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def code_hash() -> str:
    """SHA-256 over the source of levels 1, 3 and 4, which a model's content depends on."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in ("foundation", "dataflow", "intelligence"):
        for file in sorted((root / package).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
