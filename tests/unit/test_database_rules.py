"""Rules about SQL in the code base that a reader would have to check by hand otherwise."""

import re
from pathlib import Path

import pytest

import plan2

SOURCES = [
    *Path(plan2.__file__).parent.rglob("*.py"),
    *(Path(__file__).parents[2] / "migrations").rglob("*.py"),
    *(Path(__file__).parents[2] / "migrations").rglob("*.sql"),
]
FORBIDDEN = {
    "a session-wide SET outlives its transaction": r"""\(\s*f?["']+\s*set\s+(?!local\b)\w""",
    "set_config(…, false) outlives its transaction": r"set_config\([^;]*?,\s*false\s*\)",
    "SECURITY DEFINER runs with foreign rights": r"security\s+definer",
    "a materialised view knows no row security": r"materialized\s+view",
}


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_no_sql_that_parts_a_tenant_from_its_transaction(reason: str) -> None:
    """R-055, R-056: the patterns by which tenants were seen to leak do not occur."""
    pattern = re.compile(FORBIDDEN[reason], re.IGNORECASE)
    found = [path.name for path in SOURCES if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == [], reason


@pytest.mark.parametrize(
    "statement",
    ['execute("set search_path = x")', "text('SET app.tenant_id TO 1')"],
)
def test_the_rule_would_notice(statement: str) -> None:
    """The pattern for SET finds what it must."""
    pattern = FORBIDDEN["a session-wide SET outlives its transaction"]
    assert re.search(pattern, statement, re.IGNORECASE)
