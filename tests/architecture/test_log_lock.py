"""While a tenant's log is locked, the program waits for nothing but the database (R-006)."""

import ast
import inspect

from plan2.foundation.eventstore import store

ALLOWED = {
    "append": {"self.append_encoded"},
    "append_encoded": {"self.append_in"},
    "append_in": {"uow.raw.execute", "cursor.fetchall"},
}
"""What each step from the first statement to the commit may wait for."""


def awaited(name: str) -> set[str]:
    """The calls that a method of the store awaits, as written."""
    tree = ast.parse(inspect.getsource(store))
    (method,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        and node.name == name
        and not isinstance(node.body[-1].__dict__.get("value"), ast.Constant)
    )
    waits = [node.value for node in ast.walk(method) if isinstance(node, ast.Await)]
    return {ast.unparse(call.func) for call in waits if isinstance(call, ast.Call)}


def test_an_append_awaits_only_postgresql() -> None:
    """From opening the unit of work to its commit, no await belongs to anything else."""
    assert {name: awaited(name) for name in ALLOWED} == ALLOWED
