"""Which sentences of the server the page shows, read out of the sources that make them.

A sentence is what its source says, with `{0}`, `{1}` … for its values; `{0#}` for a value that the
source writes as a number (it has a format such as `.1f`). The page knows it again by this pattern
(`web/src/strings/said.ts`) and says it in the reader's language.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import plan2

ROOT: Final = Path(plan2.__file__).parent
EVERY: Final = (
    "connectivity/gateway/problems.py",
    "connectivity/gateway/signin.py",
    "connectivity/identity/passwords.py",
    "connectivity/identity/people.py",
    "connectivity/ratelimit/storage.py",
    "dataflow/feed_watch.py",
    "foundation/config/flags.py",
    "foundation/config/overlay_keys.py",
    "intelligence/backtest/figures",
    "intelligence/backtest/kept/compare.py",
    "intelligence/comparison/causes.py",
    "intelligence/decision/apart.py",
    "intelligence/decision/decide_apart.py",
    "intelligence/decision/flow_sentence.py",
    "intelligence/decision/sentence.py",
    "intelligence/features/catalog.py",
    "intelligence/features/requested.py",
    "intelligence/flows/bets.py",
    "intelligence/flows/check.py",
    "intelligence/flows/gates.py",
    "intelligence/learning/acting.py",
    "intelligence/learning/contests.py",
    "intelligence/models/gates.py",
    "intelligence/models/standing.py",
    "intelligence/own_quote_watch.py",
    "intelligence/research/carry_out.py",
    "intelligence/research/detectors.py",
    "intelligence/research/diagnosis",
    "intelligence/research/sweep_result.py",
    "intelligence/research/walk_forward.py",
    "intelligence/trading/requests.py",
    "intelligence/trading/wishes.py",
    "interface/api/approvals.py",
    "wiring/terminal_health.py",
)
"""Sources all of whose sentences are shown."""
REFUSING: Final = (
    "connectivity/gateway/guard.py",
    "connectivity/gateway/inside.py",
    "connectivity/gateway/repetition.py",
    "connectivity/identity/api_key_desk.py",
    "connectivity/identity/approvals.py",
    "connectivity/identity/consents.py",
    "connectivity/identity/people_desk.py",
    "connectivity/identity/privacy.py",
    "connectivity/identity/proposals.py",
    "connectivity/identity/users.py",
    "connectivity/jobs/service.py",
    "connectivity/ratelimit/limiter.py",
    "connectivity/ratelimit/use.py",
    "foundation/config/overlay.py",
    "foundation/config/overlay_changes.py",
    "foundation/config/overlay_memory.py",
    "intelligence/alerts/desk.py",
    "intelligence/alerts/rule.py",
    "intelligence/backtest/asked.py",
    "intelligence/backtest/kept/terms.py",
    "intelligence/features/expressions.py",
    "intelligence/flows",
    "intelligence/models/candidate_desk.py",
    "intelligence/models/moves.py",
    "intelligence/research/ranges.py",
    "intelligence/research/shelf.py",
    "intelligence/research/sweep_plan.py",
    "intelligence/research/wish.py",
    "intelligence/trading/acceptance.py",
    "intelligence/trading/control.py",
    "intelligence/trading/switching.py",
    "interface/api",
    "wiring/approving.py",
    "wiring/backtest_asking.py",
    "wiring/broker_desk.py",
    "wiring/limits.py",
    "wiring/tenant_runs.py",
)
"""Sources that refuse what people ask for; what they raise or answer is shown."""
HEALTH: Final = ("connectivity", "dataflow", "foundation", "intelligence", "interface", "wiring")
"""Where parts of the process say how they are: functions that make a `Health`."""
NOT_PEOPLES: Final = {"interface/api/terminal_link.py", "interface/api/fallback.py"}
"""For programs, and for the page that stands in when there is no app."""

_REFUSAL: Final = re.compile(r"Refus|Error|Unusable|Invalid|NotFound|refus|fault|unusable|_no$")
_ADDRESS: Final = re.compile(r"(GET|POST|PUT|DELETE) /\S*")
_SQL: Final = re.compile(r"^\s*(select|insert|update|delete|where|from) .*", re.DOTALL)
_NUMBER: Final = re.compile(r"[,.\dgfeE+%]+$")
LETTERS_MIN: Final = 6


def spoken() -> dict[str, str]:
    """Every sentence with the source it is from."""
    found: dict[str, str] = {}
    for names, of in ((EVERY, _all), (REFUSING, _refused), (HEALTH, _healths)):
        for path in _files(names):
            tree = ast.parse(path.read_text("utf-8"))
            for text in of(tree):
                found.setdefault(text, path.relative_to(ROOT).as_posix())
    return found


def _files(names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        place = ROOT / name
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        yield from (each for each in files if each.relative_to(ROOT).as_posix() not in NOT_PEOPLES)


def _all(tree: ast.AST) -> Iterator[str]:
    silent = _documentation(tree)
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        text = _template(node)
        if text and _is_sentence(text):
            yield text


def _refused(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from _all(node.exc)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if _REFUSAL.search(name):
                yield from _all(node)


def _healths(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Call) and getattr(each.func, "id", "") == "Health"
            for each in ast.walk(node)
        ):
            yield from _all(node)


def _documentation(tree: ast.AST) -> set[int]:
    """Docstrings, and the pieces of texts that are read as a whole."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for each in body if isinstance(body, list) else ():
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                silent.add(id(each.value))
        if isinstance(node, ast.JoinedStr):
            silent.update(id(each) for each in node.values)
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            silent.update(id(each) for each in ast.walk(node.format_spec))
    return silent


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts, count = [], 0
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            parts.append(f"{{{count}{'#' if _is_number(each) else ''}}}")
            count += 1
        elif isinstance(each, ast.Constant):
            parts.append(str(each.value))
    return "".join(parts)


def _is_number(value: ast.FormattedValue) -> bool:
    """Whether a value is written as a number; a format that is itself computed is one of those."""
    if not isinstance(value.format_spec, ast.JoinedStr):
        return False
    written = value.format_spec.values
    if not all(isinstance(each, ast.Constant) for each in written):
        return True
    return _NUMBER.fullmatch("".join(ast.literal_eval(each) for each in written)) is not None


def _is_sentence(text: str) -> bool:
    bare = re.sub(r"\{\d+#?\}", "", text)
    letters = re.findall(r"[A-Za-z]", bare)
    return (
        len(letters) >= LETTERS_MIN
        and re.search(r"[A-Za-z{}]{2,}[^A-Za-z]* ", text.strip() + " ") is not None
        and " " in text.strip()
        and not _SQL.match(text)
        and not _ADDRESS.fullmatch(text)
    )
