"""Shared fixtures: where the real market data lies, if it is present."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is not a fault: speed is measured in benchmarks, never in tests.
settings.register_profile("plan2", deadline=None)
settings.load_profile("plan2")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real ticks, bars and vectors; skips the test when it is absent."""
    root = Path(os.environ.get("PLAN2_SHARED", Path(__file__).parents[2] / "shared"))
    if not (root / "data" / "README.md").is_file():
        pytest.skip(f"real market data not found at {root}; set PLAN2_SHARED to its folder")
    return root / "data"


pytest_plugins = ("integration.postgres_fixture",)
"""Fixtures `postgres`, `tenant` and `database`: a real server that starts when first asked for."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a page test was tried again is printed: a second try that passes hides nothing."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
