"""Formulas over catalogue terms, read into a small program that a compiled kernel runs.

    0.5 * (return_5 + lag(return_5, 5)) / volatility_ew_60

Known are numbers, terms, + − × ÷, `min`, `max`, `abs`, `log`, `clip(x, low, high)` and
`lag(x, bars)`; a set may also use the features on request, and `of(GBPUSD, return_5)` for those of
its peers. Python's own parser reads the text, but every node must be on a white list and nothing is
ever executed as Python. `lag` is moved inwards to the terms, which changes nothing,
because all other operations look at one moment only.
"""

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from plan2.foundation.errors import InputError
from plan2.intelligence.features.catalog import SEQUENCE, TABULAR, Feature
from plan2.intelligence.features.requested import PEER, REQUESTED, peer_features, peer_term

LONGEST_TEXT = 400
DEEPEST_STACK = 16
LONGEST_LAG = 240
SIGMA, MID = "sigma", "mid"

RAW = (
    Feature(SIGMA, "quote", 61, 0.0, float("inf"), "σ, the volatility of one bar"),
    Feature(MID, "quote", 0, 0.0, float("inf"), "mid price; use it in ratios only"),
)
"""Terms that are no features by themselves, because they follow the price level."""

TERMS: dict[str, Feature] = {term.field: term for term in (*TABULAR, *SEQUENCE, *RAW)}
"""Every name a formula may use; a term's place in here is its column for the kernel."""

COLUMNS = {name: column for column, name in enumerate(TERMS)}
FIRST_REQUESTED = len(TERMS)
"""The column of the first feature on request."""

ON_REQUEST: dict[str, Feature] = {feature.field: feature for feature in REQUESTED}
PEER_TERMS: dict[str, Feature] = {feature.field: feature for feature in PEER}


def term_feature(name: str) -> Feature:
    """What a term is, of the catalogue, on request or of a peer."""
    found = TERMS.get(name) or ON_REQUEST.get(name)
    return found if found is not None else PEER_TERMS[name.rpartition(".")[2]]


def columns_with(peers: Sequence[str]) -> dict[str, int]:
    """Every term's column for the kernel in a set with these peers."""
    beyond = (*REQUESTED, *peer_features(tuple(peers)))
    places = {each.field: FIRST_REQUESTED + place for place, each in enumerate(beyond)}
    return {**COLUMNS, **places}


class Op(IntEnum):
    """What one step of a program does with the stack."""

    TERM = 0
    CONSTANT = 1
    ADD = 2
    SUBTRACT = 3
    MULTIPLY = 4
    DIVIDE = 5
    MINIMUM = 6
    MAXIMUM = 7
    NEGATE = 8
    ABSOLUTE = 9
    LOG = 10
    CLIP = 11


BINARY: dict[type[ast.operator], Op] = {
    ast.Add: Op.ADD,
    ast.Sub: Op.SUBTRACT,
    ast.Mult: Op.MULTIPLY,
    ast.Div: Op.DIVIDE,
}
FUNCTIONS = {
    "min": (Op.MINIMUM, 2),
    "max": (Op.MAXIMUM, 2),
    "abs": (Op.ABSOLUTE, 1),
    "log": (Op.LOG, 1),
    "clip": (Op.CLIP, 3),
}
LAG = "lag"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the operation, and for a term its name and lag, for a constant its value."""

    op: Op
    term: str = ""
    lag: int = 0
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was understood.

    Attributes:
        text: in canonical form, so that spacing changes no identity.
        steps: in the order in which a stack machine runs them.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """The catalogue terms in it, sorted, each once."""
        return tuple(sorted({step.term for step in self.steps if step.op is Op.TERM}))

    @property
    def longest_lag(self) -> int:
        """Bars that it looks back for a term."""
        return max((step.lag for step in self.steps), default=0)

    @property
    def warmup(self) -> int:
        """Committed bars before it can be more than NaN: of its slowest term and that one's lag."""
        return max((_needs(step) for step in self.steps if step.op is Op.TERM), default=0)

    @property
    def waits(self) -> bool:
        """Whether a term of it waits for a trading day or an earlier week."""
        return any(term_feature(name).waits for name in self.terms)


def _needs(step: Step) -> int:
    warmup = term_feature(step.term).warmup
    return max(warmup, 1) + step.lag if step.lag else warmup


class Vocabulary(NamedTuple):
    """Which terms may be used beside the catalogue's."""

    on_request: bool = False
    peers: tuple[str, ...] = ()


CATALOGUE = Vocabulary()


def read_formula(text: str, vocabulary: Vocabulary = CATALOGUE) -> Formula:
    """Understand a formula.

    Raises:
        InputError: it is no formula, or uses what is not known; the sentence says what and where.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(f"a formula has at most {LONGEST_TEXT} characters; found {len(text)}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(
            f"{text!r} is not a formula.", remedy=f"The parser says: {error}"
        ) from error
    steps: list[Step] = []
    _walk(tree, 0, steps, vocabulary)
    depth = _depth(steps)
    if depth > DEEPEST_STACK:
        raise InputError(f"{text!r} is nested too deeply.", remedy="Split it into two features.")
    if not any(step.op is Op.TERM for step in steps):
        raise InputError(f"{text!r} uses no feature, so it never changes.")
    return Formula(ast.unparse(tree), tuple(steps))


def _walk(node: ast.expr, lag: int, out: list[Step], words: Vocabulary) -> None:
    """Append the steps of a node; `lag` bars are to be looked back for its terms."""
    match node:
        case ast.Name(id=name):
            out.append(Step(Op.TERM, term=_known(name, words), lag=lag))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            out.append(Step(Op.CONSTANT, value=_finite(value)))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in BINARY:
            _walk(left, lag, out, words)
            _walk(right, lag, out, words)
            out.append(Step(BINARY[type(operator)]))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _walk(operand, lag, out, words)
            out.append(Step(Op.NEGATE))
        case ast.Call(func=ast.Name(id="of"), args=[symbol, term], keywords=[]):
            out.append(Step(Op.TERM, term=_of_peer(symbol, term, words), lag=lag))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            _call(name, arguments, lag, out, words)
        case _:
            raise InputError(
                f"{ast.unparse(node)!r} is not allowed in a formula.",
                remedy="Known are numbers, terms, + - * /, min, max, abs, log, clip and lag.",
            )


def _of_peer(symbol: ast.expr, term: ast.expr, words: Vocabulary) -> str:
    """The term of `of(SYMBOL, term)`; a symbol with a dot is written in quotes."""
    name = symbol.value if isinstance(symbol, ast.Constant) else ast.unparse(symbol)
    what = ast.unparse(term)
    if name not in words.peers:
        raise InputError(
            f"{name!r} is no peer of the set; peers: {', '.join(words.peers) or 'none'}.",
            remedy='Name it under [set]: peers = ["GBPUSD", "USDJPY"].',
        )
    if what not in PEER_TERMS:
        raise InputError(f"of a peer there is {', '.join(PEER_TERMS)}; found {what!r}.")
    return peer_term(str(name), what)


def _call(
    name: str, arguments: list[ast.expr], lag: int, out: list[Step], words: Vocabulary
) -> None:
    expected = 2 if name == LAG else FUNCTIONS.get(name, (None, 0))[1]
    if expected == 0:
        raise InputError(
            f"there is no function {name!r}.",
            remedy=f"Known are {', '.join([*FUNCTIONS, LAG])}.",
        )
    if len(arguments) != expected:
        raise InputError(f"{name} takes {expected} arguments; found {len(arguments)}.")
    if name == LAG:
        _walk(arguments[0], lag + _bars(arguments[1], lag), out, words)
        return
    for argument in arguments:
        _walk(argument, lag, out, words)
    out.append(Step(FUNCTIONS[name][0]))


def _bars(node: ast.expr, lag: int) -> int:
    bars = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(bars, int) or isinstance(bars, bool) or not 1 <= bars <= LONGEST_LAG - lag:
        raise InputError(
            f"a lag is a whole number of bars, 1 to {LONGEST_LAG} altogether; "
            f"found {ast.unparse(node)}."
        )
    return bars


def _known(name: str, words: Vocabulary) -> str:
    if name in TERMS or (words.on_request and name in ON_REQUEST):
        return name
    if name in ON_REQUEST:
        raise InputError(f"{name!r} is computed for feature sets only; it is unknown here.")
    near = difflib.get_close_matches(name, [*TERMS, *ON_REQUEST], n=4, cutoff=0.5)
    remedy = f"Nearest: {', '.join(near)}." if near else "`plan2 features list` shows them all."
    raise InputError(f"unknown feature {name!r}.", remedy=remedy)


def _finite(value: float) -> float:
    number = float(value) if abs(value) < 1e300 else float("inf")
    if number in {float("inf"), float("-inf")}:
        raise InputError(f"the number {value!r:.40} is too large.")
    return number


def _depth(steps: list[Step]) -> int:
    """The most values that lie on the stack at once."""
    deepest = height = 0
    for step in steps:
        height += _effect(step.op)
        deepest = max(deepest, height)
    return deepest


def _effect(op: Op) -> int:
    if op in {Op.TERM, Op.CONSTANT}:
        return 1
    if op in {Op.NEGATE, Op.ABSOLUTE, Op.LOG}:
        return 0
    return -2 if op is Op.CLIP else -1
