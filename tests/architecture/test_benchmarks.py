"""Benchmarks run seldom: what they take from elsewhere must be there when they do."""

import ast
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
OURS = ("plan2", "browser", "product", "story", "unit", "telegram_server")


def taken(path: Path) -> list[tuple[str, str]]:
    """Modules of ours and the names that a file imports from them."""
    tree = ast.parse(path.read_text("utf-8"))
    return [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
        if node.module.split(".")[0] in OURS
    ]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_benchmark_imports_exists(path: Path) -> None:
    """Every name, in every module of the product and of the tests."""
    missing = [
        f"{module}.{name}"
        for module, name in taken(path)
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == [], f"{path.name}: correct the import"
