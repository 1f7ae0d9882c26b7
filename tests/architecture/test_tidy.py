"""Size, names and habits that no linter checks; each failure says what to do instead."""

import ast
import re
from collections.abc import Iterator

from source_tree import (
    Source,
    assert_none,
    dotted,
    everything,
    functions,
    listed_files,
    product,
)

FILE_MAX, TEST_FILE_MAX = 350, 500
FUNCTION_MAX, WIRING_FUNCTION_MAX = 50, 70
PUBLIC_METHODS_MAX = 15
WIRING = "src/plan2/app.py"

BANNED_CLASS = re.compile(
    r"^(Base|Common|Abstract)[A-Z]|(Manager|Helpers?|Utils?|Misc|Impl|Object)$"
)
BANNED_MODULE = re.compile(r"(^|_)(utils?|helpers?|manager|common|misc|base_?class)(_|$)")
BANNED_FUNCTION = re.compile(r"^(process|handle|do_\w+|\w+_(helper|util))$")
LEFTOVER = re.compile("|".join((rf"\b{'TO'}DO\b", rf"\b{'FIX'}ME\b", rf"\b{'XX'}X\b")))
CONSTANT = re.compile(r"^_?[A-Z][A-Z0-9_]*$|^__\w+__$")
FACT = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")

MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_CALLS = {"list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
AMBIENT = re.compile(
    r"^(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns)"
    r"|(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today"
    r"|uuid\.uuid[14]|random\.\w+|(np|numpy)\.random\.(seed|rand\w*|choice|shuffle|normal))$"
)
PORTS = ("src/plan2/foundation/clock.py", "src/plan2/foundation/ids.py")


def test_files_are_short() -> None:
    """350 lines at most, tests 500."""
    problems = []
    for source in everything():
        limit = TEST_FILE_MAX if source.is_test else FILE_MAX
        lines = source.text.count("\n")
        if lines > limit:
            problems.append(f"{source.path} has {lines} lines, the limit is {limit}")
    assert_none(problems, "split it by noun; a file that needs scrolling has two subjects.")


def test_functions_fit_a_screen() -> None:
    """50 lines at most, 70 in the wiring."""
    problems = []
    for source in product():
        limit = WIRING_FUNCTION_MAX if source.path == WIRING else FUNCTION_MAX
        for node in functions(source):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > limit:
                problems.append(f"{source.path}:{node.lineno} {node.name} has {lines} lines")
    assert_none(problems, f"move steps into functions with names; the limit is {FUNCTION_MAX}.")


def test_classes_have_one_job() -> None:
    """15 public methods at most."""
    problems = []
    for source in product():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                public = [
                    item.name
                    for item in node.body
                    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
                    and not item.name.startswith("_")
                ]
                if len(public) > PUBLIC_METHODS_MAX:
                    problems.append(f"{source.path}:{node.lineno} {node.name}: {len(public)}")
    assert_none(problems, f"split the class; {PUBLIC_METHODS_MAX} public methods are the limit.")


def test_names_say_what_a_thing_is() -> None:
    """No managers, helpers, utils, common or misc; no `do_…`, `process` or bare `handle`."""
    problems = []
    for source in everything():
        stem = source.path.rpartition("/")[2].removesuffix(".py")
        if BANNED_MODULE.search(stem):
            problems.append(f"{source.path}: file name")
        problems += [
            f"{source.path}:{node.lineno} class {node.name}"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ClassDef) and BANNED_CLASS.search(node.name)
        ]
        problems += [
            f"{source.path}:{node.lineno} function {node.name}"
            for node in functions(source)
            if BANNED_FUNCTION.match(node.name)
        ]
    assert_none(problems, "name the noun or the verb it really is (docs/glossary.md).")


def test_no_mutable_state_in_modules() -> None:
    """Containers at module level are constants: UPPER_CASE or Final, and nobody changes them."""
    problems = [found for source in product() for found in _mutable_state(source)]
    assert_none(problems, "pass it to a constructor, or make it a constant nobody changes.")


def test_time_and_randomness_come_from_ports() -> None:
    """Nothing but clock.py and ids.py asks the machine."""
    problems = [
        f"{source.path}:{node.lineno} {dotted(node.func)}()"
        for source in product()
        if source.path not in PORTS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and AMBIENT.match(dotted(node.func))
    ]
    assert_none(problems, "take a Clock, an IdSource, a seeded numpy Generator, or stopwatch_ns().")


def test_log_events_are_facts() -> None:
    """The first argument of a log call is a snake_case literal."""
    problems = [
        f"{source.path}:{node.lineno}"
        for source in product()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_METHODS
        and dotted(node.func.value).rpartition(".")[2] in {"log", "_log", "logger"}
        and not _is_fact(node)
    ]
    assert_none(problems, 'log.info("order_denied", order_id=…): the fact, then data by keyword.')


def test_nothing_is_left_for_later() -> None:
    """No markers of unfinished work in any text of the repository."""
    problems = [
        f"{source.path}:{number}"
        for source in everything()
        for number, line in enumerate(source.text.splitlines(), 1)
        if LEFTOVER.search(line)
    ]
    assert_none(problems, "do it now, or write it into the issue tracker.")


def test_the_tidy_rules_are_tidy_themselves() -> None:
    """This file is short enough to be read before it is obeyed."""
    assert sum(path == "tests/architecture/test_tidy.py" for path in listed_files()) <= 1
    (tidy,) = [each for each in everything() if each.path.endswith("/test_tidy.py")]
    assert tidy.text.count("\n") < 200


def _mutable_state(source: Source) -> Iterator[str]:
    for node in source.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            is_final = isinstance(node, ast.AnnAssign) and "Final" in ast.unparse(node.annotation)
            names = [dotted(target) for target in targets]
            if _is_mutable(node.value) and not is_final:
                yield from (
                    f"{source.path}:{node.lineno} {n}" for n in names if not CONSTANT.match(n)
                )
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield f"{source.path}:{node.lineno} global {', '.join(node.names)}"
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            name = dotted(node.value)
            if CONSTANT.match(name):
                yield f"{source.path}:{node.lineno} changes {name}"


def _is_mutable(value: ast.expr) -> bool:
    is_call = isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in MUTABLE_CALLS
    return isinstance(value, MUTABLE) or is_call


def _is_fact(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and bool(FACT.match(str(first.value)))
