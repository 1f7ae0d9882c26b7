"""Reads the expressions of a flow: Python's syntax, a white list of nodes, nothing is executed.

    crosses_above(ema(close, fast), ema(close, slow)) and spread < 2 * point

Known are numbers, the flow's parameters and features, words (`words.py`), functions
(`functions.py`), features of the catalogue, + − * /, comparisons, and, or, not.
"""

import ast
import difflib
from collections.abc import Callable
from typing import Final

from plan2.foundation.errors import InputError
from plan2.intelligence.features.catalog import TABULAR
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.functions import FUNCTIONS
from plan2.intelligence.flows.terms import Number, Program, Term, Values
from plan2.intelligence.flows.words import COUNTS, FORECASTS, INSTRUMENT_WORDS, NUMBERS, WORDS

LONGEST_TEXT = 2_000
LONGEST_TERM = 8_000
CATALOGUE: Final = frozenset(feature.field for feature in TABULAR)
RESERVED: Final = frozenset({*WORDS, *INSTRUMENT_WORDS, *FORECASTS, *FUNCTIONS, *CATALOGUE})

OPERATORS: Final[dict[type[ast.operator], tuple[str, Callable[[float, float], float]]]] = {
    ast.Add: ("+", lambda a, b: a + b),
    ast.Sub: ("-", lambda a, b: a - b),
    ast.Mult: ("*", lambda a, b: a * b),
    ast.Div: ("/", lambda a, b: a / b),
}
COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


class Reader:
    """Reads one flow's expressions into one program.

    Raises:
        InputError: a parameter or feature has the name of a word, or features need each other.
    """

    def __init__(self, flow: Flow) -> None:
        self.program = Program(len(NUMBERS), len(COUNTS))
        self._flow = flow
        self._features: dict[str, Term] = {}
        self._open: list[str] = []
        for name in (*flow.parameters, *flow.features):
            if name in RESERVED or (name in flow.parameters and name in flow.features):
                raise InputError(
                    f"{flow.name}: {name!r} has a meaning already.", remedy="Take another name."
                )
        for name in flow.features:
            self._feature(name)

    @property
    def features(self) -> dict[str, Term]:
        """The flow's features that are numbers, in the order of the file."""
        return {n: self._features[n] for n in self._flow.features if self._is_number(n)}

    def number(self, text: str, place: str) -> Term:
        """A number that may be used at `place`, as the file names it.

        Raises:
            InputError: it is none, or uses what is not known; the sentence says what and where.
        """
        term = self._read(text, place)
        if term.is_condition:
            raise InputError(f"{place}: {text!r} is true or false; a number is expected.")
        return term

    def condition(self, text: str, place: str) -> Term:
        """A condition; the empty text is never true.

        Raises:
            InputError: as `number`.
        """
        if not text.strip():
            return Term("False", "never", is_condition=True)
        term = self._read(text, place)
        if not term.is_condition:
            raise InputError(
                f"{place}: {text!r} is a number; compare it with something, as in {text} > 0."
            )
        return term

    def _is_number(self, name: str) -> bool:
        return not self._features[name].is_condition

    def _read(self, text: str, place: str) -> Term:
        if len(text) > LONGEST_TEXT:
            raise InputError(f"{place}: at most {LONGEST_TEXT} characters; found {len(text)}.")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
            return self._walk(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            what = error.msg if isinstance(error, SyntaxError) else "too deep"
            raise InputError(f"{place}: {text!r} is no expression ({what}).") from error
        except InputError as error:
            if error.message.startswith("["):
                raise
            raise InputError(f"{place}: {error.message}", remedy=error.remedy) from error

    def _feature(self, name: str) -> Term:
        if name not in self._features:
            if name in self._open:
                circle = " → ".join([*self._open, name])
                raise InputError(f"[features]: {circle} need each other.")
            self._open.append(name)
            self._features[name] = self._read(self._flow.features[name], f"[features] {name}")
            self._open.pop()
        return self._features[name]

    def _walk(self, node: ast.expr) -> Term:
        term = self._term(node)
        if len(term.text) > LONGEST_TERM:
            raise InputError(f"{ast.unparse(node)!r:.60} is too long when it is written out.")
        said = ast.unparse(node)
        return Term(term.text, said, term.number, term.is_condition, term.blocks)

    def _term(self, node: ast.expr) -> Term:
        match node:
            case ast.Constant(value=bool()):
                raise InputError(f"{node.value!r} is no number.")
            case ast.Constant(value=int() | float() as value):
                return _literal(value)
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._minus(self._number_in(operand))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._condition_in(operand)
                return _condition(f"(not {inner.text})", inner)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return self._binary(self._number_in(left), operator, self._number_in(right))
            case ast.BoolOp(op=operator, values=values):
                word = " & " if isinstance(operator, ast.And) else " | "
                terms = [self._condition_in(value) for value in values]
                return _condition(f"({word.join(t.text for t in terms)})", *terms)
            case ast.Compare():
                return self._comparison(node)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
            case _:
                raise InputError(
                    f"{ast.unparse(node)!r} is not allowed in a flow.",
                    remedy="Known are numbers, words, functions, + - * /, comparisons, and, or, "
                    "not; docs/flows.md lists them.",
                )

    def _number_in(self, node: ast.expr) -> Term:
        term = self._walk(node)
        if term.is_condition:
            raise InputError(f"{term.said!r} is true or false; a number is expected.")
        return term

    def _condition_in(self, node: ast.expr) -> Term:
        term = self._walk(node)
        if not term.is_condition:
            raise InputError(f"{term.said!r} is a number; a comparison is expected.")
        return term

    def _comparison(self, node: ast.Compare) -> Term:
        terms = [self._number_in(each) for each in (node.left, *node.comparators)]
        signs = [COMPARISONS.get(type(operator)) for operator in node.ops]
        if None in signs:
            raise InputError(f"{ast.unparse(node)!r}: compare with <, <=, >, >=, == or !=.")
        pairs = zip(terms, signs, terms[1:], strict=False)
        parts = [f"({one.text} {sign} {other.text})" for one, sign, other in pairs]
        return _condition(f"({' & '.join(parts)})", *terms)

    def _name(self, name: str) -> Term:
        if name in self._flow.parameters:
            return self._constant(name, lambda values: values[name])
        if name in INSTRUMENT_WORDS:
            return self._constant(name, lambda values: values[name])
        if name in self._flow.features:
            return self._feature(name)
        if name in WORDS:
            return Term(WORDS[name].text, name)
        if name in FORECASTS and not self._flow.models.use:
            raise InputError(f"{name} is a forecast.", remedy="Write use = true in [models].")
        if name in FORECASTS or name in CATALOGUE:
            return Term(f"s{self.program.column(name)}", name)
        raise self._unknown(name, "name")

    def _constant(self, said: str, number: Number) -> Term:
        return Term(self.program.constant(number, said), said, number)

    def _minus(self, term: Term) -> Term:
        number = term.number
        negated = None if number is None else (lambda values: -number(values))
        return Term(f"(-{term.text})", term.said, negated, blocks=term.blocks)

    def _binary(self, left: Term, operator: ast.operator, right: Term) -> Term:
        sign, operation = OPERATORS[type(operator)]
        text = f"({left.text} {sign} {right.text})"
        one, other = left.number, right.number
        if one is None or other is None:
            return Term(text, text, blocks=left.blocks | right.blocks)

        def number(values: Values) -> float:
            try:
                return operation(one(values), other(values))
            except ZeroDivisionError:
                raise InputError(f"{left.said} {sign} {right.said} divides by zero.") from None

        return self._constant(f"({left.said}) {sign} ({right.said})", number)

    def _call(self, name: str, arguments: list[ast.expr]) -> Term:
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._unknown(name, "function")
        form = f"{name}({', '.join(function.arguments)})"
        if len(arguments) != len(function.arguments):
            raise InputError(f"{form} takes {len(function.arguments)}; found {len(arguments)}.")
        return function.build(self.program, [self._number_in(each) for each in arguments])

    def _unknown(self, name: str, kind: str) -> InputError:
        own = [*self._flow.parameters, *self._flow.features]
        known = [*FUNCTIONS] if kind == "function" else [*own, *RESERVED - set(FUNCTIONS)]
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.5)
        remedy = f"Nearest: {', '.join(near)}." if near else "docs/flows.md lists all."
        return InputError(f"unknown {kind} {name!r}.", remedy=remedy)


def _literal(value: float) -> Term:
    number = float(value) if abs(value) < 1e300 else float("inf")
    if number == float("inf"):
        raise InputError(f"the number {value!r:.40} is too large.")
    return Term(repr(number), repr(number), lambda _: number)


def _condition(text: str, *terms: Term) -> Term:
    blocks = frozenset[int]().union(*(term.blocks for term in terms))
    return Term(text, text, is_condition=True, blocks=blocks)
