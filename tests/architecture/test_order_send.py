"""How orders may leave: one call, in one file, in the one form that every Python version passes on.

`order_send` of the real package refuses a request when it is handed on with an empty `**kwargs`, as
executors and wrappers do, and a call that is repeated may become a second order. The twin, which
defines these functions, is left out.
"""

import ast
from collections.abc import Iterator

import pytest
from source_tree import Source, assert_none, dotted, product

TERMINALS = "src/plan2/dataflow/terminals/"
TWIN = f"{TERMINALS}twin/"
SENDERS = ("order_send", "order_check")
SHORTCUTS = {"Buy", "Sell", "Close"}
PACKAGE = "MetaTrader5"
IMPORTERS = {"import_module", "__import__", "resolve_name", "import_string"}
INDIRECT = {"getattr", "methodcaller", "attrgetter"}


def test_a_request_goes_in_one_form() -> None:
    """`module.order_send(request)`: one name or dict, no stars, no keywords, called on the spot."""
    problems = [problem for source in users() for problem in wrong_forms(source)]
    assert_none(problems, "call order_send(request) with one positional dict, on the spot.")


@pytest.mark.parametrize("function", SENDERS)
def test_a_request_leaves_from_one_place(function: str) -> None:
    """A second place that sends would be a second order path."""
    places = [
        f"{source.path}:{call.lineno}" for source in users() for call in calls_of(source, function)
    ]
    files = {place.partition(":")[0] for place in places}

    assert len(files) <= 1, f"Instead of {places}: one file below terminals/mt5"
    assert function == "order_check" or len(places) <= 1, f"{places}: one call, never a second try"


def test_nobody_uses_the_blind_shortcuts() -> None:
    """Buy, Sell and Close of the package repeat an order up to ten times."""
    problems = [
        f"{source.path}:{node.lineno} {name}"
        for source in users()
        if source.path.startswith(TERMINALS)
        for node in ast.walk(source.tree)
        for name in named(node)
        if name in SHORTCUTS
    ]
    assert_none(problems, "send a request of our own.")


def test_the_package_is_imported_in_one_file() -> None:
    """By statement or by name: the one process that may block on it must be known."""
    files = sorted({source.path for source in product() if imports_package(source)})

    assert len(files) <= 1, files


@pytest.mark.parametrize(
    "code",
    [
        "m.order_send(*a)",
        "m.order_send(**r)",
        "m.order_send(request=r)",
        "m.order_send(r, 1)",
        "m.order_send(make())",
        "pool.submit(m.order_send, r)",
        "f = functools.partial(m.order_send, r)",
        "await asyncio.to_thread(m.order_check, r)",
        "send = m.order_send",
        "getattr(m, 'order_send')(r)",
        "order_send(r)",
        "from x import order_send",
    ],
)
def test_the_rule_sees_every_wrong_form(code: str) -> None:
    """Each of these has failed for somebody, or would hide from this test."""
    tree = ast.parse(f"async def f():\n    {code}")

    assert list(wrong_forms(Source("src/plan2/x.py", code, tree)))


@pytest.mark.parametrize("code", ["m.order_send(request)", "self.m.order_check({'action': 1})"])
def test_the_rule_lets_the_right_form_pass(code: str) -> None:
    """So that the rule cannot pass by refusing everything."""
    assert not list(wrong_forms(Source("src/plan2/x.py", code, ast.parse(code))))


@pytest.mark.parametrize(
    "code", ["import MetaTrader5", "from MetaTrader5 import x", "import_module('MetaTrader5')"]
)
def test_the_rule_sees_every_import(code: str) -> None:
    """Also the import by name, which linters overlook."""
    assert imports_package(Source("src/plan2/x.py", code, ast.parse(code)))


def users() -> list[Source]:
    """The product without the twin."""
    return [source for source in product() if not source.path.startswith(TWIN)]


def wrong_forms(source: Source) -> Iterator[str]:
    """Every mention of a sender that is not a plain call, and every call in another form."""
    called = {id(call.func) for name in SENDERS for call in calls_of(source, name)}
    for name in SENDERS:
        for call in calls_of(source, name):
            if call.keywords or len(call.args) != 1 or not is_plain(call.args[0]):
                yield f"{source.path}:{call.lineno} {ast.unparse(call)}"
    for node in ast.walk(source.tree):
        if id(node) not in called and any(name in SENDERS for name in named(node)):
            yield f"{source.path}:{getattr(node, 'lineno', 0)} {ast.unparse(node)}"


def calls_of(source: Source, function: str) -> Iterator[ast.Call]:
    """Calls of the form `something.function(…)`."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == function
        ):
            yield node


def is_plain(argument: ast.expr) -> bool:
    """Whether an argument is a name or a dict that is written out."""
    return isinstance(argument, ast.Name | ast.Dict)


def named(node: ast.AST) -> list[str]:
    """What a node speaks of: an attribute, a name, an import, or a text given to `getattr`."""
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.ImportFrom):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in INDIRECT:
        return [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
    return []


def imports_package(source: Source) -> bool:
    """Whether a file imports the package, by statement or by name."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import) and any(a.name == PACKAGE for a in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            return True
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in IMPORTERS:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            if any(str(text).partition(".")[0] == PACKAGE for text in texts):
                return True
    return False
