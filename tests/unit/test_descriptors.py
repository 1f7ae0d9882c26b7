"""The limit of open files is raised at the start, as far as the system lets it."""

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="Windows has no such limit")

CHILD = """
import resource
from plan2.foundation.descriptors import raise_descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
raise_descriptor_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard"), [(200, 200), (200, 900), (900, 900)])
def test_a_process_opens_as_much_as_it_may(soft: int, hard: int) -> None:
    """The hard limit is the new soft one, and stays itself."""
    code = CHILD.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(hard), str(hard)]
