"""Identity of the kernels' source, so that numba's cache never serves stale machine code.

numba looks for changes only in the file of the function it loads, not in the kernels that were
compiled into it from other files.
"""

import functools
import hashlib
from pathlib import Path


@functools.cache
def source_fingerprint() -> str:
    """Sixteen hex digits over all source files of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
