"""Who may import whom, and the few things that exactly one file may do."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from source_tree import ROOT, Source, assert_none, dotted, product

CATCHES_ALL = "src/plan2/foundation/hub.py"
MINTS_ORDERS = "src/plan2/intelligence/risk/gate.py"
HEAVY = {
    f"plan2.intelligence.training.families.{name}"
    for name in ("recurrent", "torch_setup", "windowed")
} | {"plan2.interface.telegram.bot_api", "plan2.wiring.flow_outside"}
"""Our modules that may be imported late: they import torch, which takes two seconds, Telegram's
library, which takes most of one and is needed only where the bot is on, or features and models,
which take longer than most backtests of a flow."""
MT5_HOME = "src/plan2/dataflow/terminals/"


def test_the_import_contracts_hold() -> None:
    """Levels, no cycles at any depth, frameworks at the edge: the contracts of pyproject.toml."""
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [str(tool), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
    )

    assert done.returncode == 0, done.stdout[done.stdout.find("Contracts\n") :] + done.stderr


def test_the_contracts_have_no_exceptions() -> None:
    """An ignored import would be a hole in a wall."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]

    assert len(contracts) >= 3
    assert not [each["name"] for each in contracts if "ignore_imports" in each]


def test_nothing_hides_from_the_import_contracts() -> None:
    """`TYPE_CHECKING` blocks would hide cycles from people, import_module from the linter."""
    problems = [
        f"{source.path}:{node.lineno} {dotted(node)}"
        for source in product()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and dotted(node).rpartition(".")[2] in {"TYPE_CHECKING", "import_module", "__import__"}
        and source.path != "src/plan2/cli.py"
    ]
    assert_none(problems, "let the lower level offer a protocol that the higher one implements.")


def test_only_commands_import_late() -> None:
    """Below the command line, our own modules are imported at the top of the file."""
    problems = [
        f"{source.path}:{node.lineno}"
        for source in product()
        if not source.path.startswith("src/plan2/commands/")
        for function in ast.walk(source.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if _imports(node, "plan2") and getattr(node, "module", "") not in HEAVY
    ]
    assert_none(problems, "import it at the top; if that makes a cycle, a type lies too high.")


def test_only_the_supervisor_catches_everything() -> None:
    """`except Exception` elsewhere turns a fault of ours into wrong books."""
    problems = [
        f"{source.path}:{node.lineno}"
        for source in product()
        if source.path != CATCHES_ALL
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    ]
    assert_none(problems, "catch what you can name; the hub takes the rest.")


def test_only_the_risk_gate_makes_approved_orders() -> None:
    """An order that did not pass the gate cannot exist."""
    problems = [
        f"{source.path}:{node.lineno}"
        for source in product()
        if source.path != MINTS_ORDERS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _makes_approved_order(node)
    ]
    assert_none(problems, "hand an intent to intelligence.risk.gate.")


def test_one_module_at_most_touches_the_terminal_package() -> None:
    """`MetaTrader5` blocks and holds the interpreter lock; it is imported in its own process."""
    homes = [source.path for source in product() if _touches_mt5(source)]

    assert len(homes) <= 1, f"Instead of {homes}: one module below {MT5_HOME}"
    assert all(home.startswith(MT5_HOME) for home in homes)


def test_broker_words_stay_with_the_broker() -> None:
    """Return codes are translated in terminals/mt5; no other code knows them."""
    problems = [
        f"{source.path}:{node.lineno} {name}"
        for source in product()
        if not source.path.startswith(MT5_HOME)
        for node in ast.walk(source.tree)
        for name in [dotted(node) if isinstance(node, ast.Name | ast.Attribute) else ""]
        if name.rpartition(".")[2].lower() in {"retcode", "order_send", "order_check"}
    ]
    assert_none(problems, "translate it at the terminal port.")


def _imports(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == package
    return isinstance(node, ast.Import) and any(
        alias.name.split(".")[0] == package for alias in node.names
    )


def _catches_all(node: ast.ExceptHandler) -> bool:
    """A bare handler, or one of Exception; BaseException is fine when it goes on afterwards."""
    types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = {dotted(each) if each is not None else "BaseException" for each in types}
    goes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
    return "Exception" in names or ("BaseException" in names and not goes_on)


def _makes_approved_order(node: ast.Call) -> bool:
    called = dotted(node.func).rpartition(".")[2]
    arguments = {dotted(each) for each in [*node.args, *(k.value for k in node.keywords)]}
    is_decoder = called in {"convert", "decode", "Decoder"}
    names_it = any(each.rpartition(".")[2] == "ApprovedOrder" for each in arguments)
    return (
        called == "ApprovedOrder" or (called == "replace" and names_it) or (is_decoder and names_it)
    )


def _touches_mt5(source: Source) -> bool:
    return any(_imports(node, "MetaTrader5") for node in ast.walk(source.tree))
