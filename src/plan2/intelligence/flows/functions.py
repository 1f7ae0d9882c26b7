"""The functions of a flow's expressions: what each stands for, built from shared blocks.

Arguments in capitals are whole numbers of bars. Conventions are the ones the rest of the platform
publishes (`features/indicator_rules.py`) except where the text says otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.terms import Number, Program, Term, Window
from plan2.intelligence.flows.words import WORDS

Build = Callable[[Program, list[Term]], Term]


@dataclass(frozen=True, slots=True)
class Function:
    """One row: how it is called, what it gives, and what builds it.

    `arguments`: names; capitals for whole numbers of bars, `K` too for plain constants.
    """

    arguments: tuple[str, ...]
    meaning: str
    build: Build


def _window(term: Term) -> Window:
    if term.number is None:
        raise InputError(
            f"{term.said!r} counts bars, so it must be known before the run: a number or "
            "parameters only."
        )
    return Window(term.number, term.said)


def _alpha(program: Program, term: Term, *, wilder: bool) -> str:
    window = _window(term)
    program.windows.append(window)

    def alpha(number: Number) -> Number:
        return (lambda v: 1.0 / number(v)) if wilder else (lambda v: 2.0 / (number(v) + 1.0))

    return program.constant(alpha(window.number), f"alpha {wilder} {term.text}")


def _read(place: tuple[int, frozenset[int]], said: str, offset: int = 0) -> Term:
    at, blocks = place
    return Term(f"s{at + offset}", said, blocks=blocks)


def _join(text: str, *terms: Term) -> Term:
    """A term of others; what the user wrote is filled in by the reader."""
    return Term(text, text, blocks=frozenset().union(*(term.blocks for term in terms)))


def _word(name: str) -> Term:
    return Term(WORDS[name].text, name)


def _ring(program: Program, kernel: str, source: Term, period: Term, floats: int = 1) -> Term:
    """A block over the newest N values."""
    place = program.block(
        kernel, source, window=_window(period), has_ring=True, floats=floats, start=_ZEROS[floats]
    )
    return _read(place, source.said)


_ZEROS: Final = {1: (), 2: (), 5: (float("nan"), float("nan"), 0.0, 0.0, 0.0)}


def ema(program: Program, terms: list[Term]) -> Term:
    """EMA that starts as the first value, α = 2/(N+1)."""
    alpha = _alpha(program, terms[1], wilder=False)
    return _read(program.block("mean_of_first", terms[0], alpha), terms[0].said)


def _seeded(program: Program, terms: list[Term], *, wilder: bool) -> Term:
    alpha = _alpha(program, terms[1], wilder=wilder)
    window = _window(terms[1])
    nan = float("nan")
    place = program.block(
        "mean_of_mean", terms[0], alpha, window=window, counted=True, floats=2, start=(nan, 0.0)
    )
    return _read(place, terms[0].said)


def ema_sma(program: Program, terms: list[Term]) -> Term:
    """EMA that starts as the mean of the first N values."""
    return _seeded(program, terms, wilder=False)


def smma(program: Program, terms: list[Term]) -> Term:
    """Wilder's average, α = 1/N, that starts as the mean of the first N."""
    return _seeded(program, terms, wilder=True)


def sma(program: Program, terms: list[Term]) -> Term:
    """Plain mean."""
    return _ring(program, "window", terms[0], terms[1], 5)


def stddev(program: Program, terms: list[Term]) -> Term:
    """Population deviation."""
    mean = _ring(program, "window", terms[0], terms[1], 5)
    (index,) = mean.blocks
    return Term(f"s{program.blocks[index].at + 1}", terms[0].said, blocks=mean.blocks)


def wma(program: Program, terms: list[Term]) -> Term:
    """Linearly weighted mean."""
    return _ring(program, "weighted", terms[0], terms[1])


def highest(program: Program, terms: list[Term]) -> Term:
    """Largest of the newest N."""
    return _ring(program, "highest_of", terms[0], terms[1], 2)


def lowest(program: Program, terms: list[Term]) -> Term:
    """Smallest of the newest N: the largest of the negated ones, negated."""
    found = highest(program, [_join(f"(-{terms[0].text})", terms[0]), terms[1]])
    return _join(f"(-{found.text})", found)


def lag(program: Program, terms: list[Term]) -> Term:
    """N bars ago."""
    place = program.block("past", terms[0], window=_window(terms[1]), has_ring=True, warm_extra=0)
    return _read(place, terms[0].said)


def rsi(program: Program, terms: list[Term]) -> Term:
    """Wilder's index with averages that start at 0."""
    alpha = _alpha(program, terms[1], wilder=True)
    nan = float("nan")
    place = program.block("gains", terms[0], alpha, floats=4, start=(nan, nan, 0.0, 0.0))
    return _read(place, terms[0].said)


def macd(program: Program, terms: list[Term]) -> Term:
    """EMA(F) − EMA(S)."""
    fast = ema(program, [terms[0], terms[1]])
    slow = ema(program, [terms[0], terms[2]])
    return _join(f"({fast.text} - {slow.text})", fast, slow)


def macd_signal(program: Program, terms: list[Term]) -> Term:
    """EMA(G) of macd."""
    return ema(program, [macd(program, terms[:3]), terms[3]])


def macd_hist(program: Program, terms: list[Term]) -> Term:
    """Macd − its signal."""
    line, signal = macd(program, terms[:3]), macd_signal(program, terms)
    return _join(f"({line.text} - {signal.text})", line, signal)


def _band(sign: str) -> Build:
    def build(program: Program, terms: list[Term]) -> Term:
        middle = sma(program, terms[:2])
        reach = stddev(program, terms[:2])
        return _join(f"({middle.text} {sign} {terms[2].text} * {reach.text})", middle, terms[2])

    return build


def true_range(program: Program, _: list[Term]) -> Term:
    """Wilder's true range of the bar."""
    before = lag(program, [_word("close"), _one()])
    text = f"span({_word('high').text}, {_word('low').text}, {before.text})"
    return _join(text, before)


def _one() -> Term:
    return Term("1.0", "1", number=lambda _: 1.0)


def atr(program: Program, terms: list[Term]) -> Term:
    """Wilder's average of true ranges."""
    return smma(program, [true_range(program, []), terms[0]])


def _moves(program: Program) -> tuple[Term, Term]:
    """How far the high rose and how far the low fell."""
    high, low = _word("high"), _word("low")
    above, below = (lag(program, [word, _one()]) for word in (high, low))
    up = _join(f"({high.text} - {above.text})", above)
    return up, _join(f"({below.text} - {low.text})", below)


def _directional(program: Program, period: Term, *, is_plus: bool) -> Term:
    up, down = _moves(program)
    one, other = (up, down) if is_plus else (down, up)
    move = smma(program, [_join(f"directed({one.text}, {other.text})", up, down), period])
    reach = atr(program, [period])
    return _join(f"share({move.text}, {reach.text}, 0.0)", move, reach)


def plus_di(program: Program, terms: list[Term]) -> Term:
    """Wilder's +DI."""
    return _directional(program, terms[0], is_plus=True)


def minus_di(program: Program, terms: list[Term]) -> Term:
    """Wilder's −DI."""
    return _directional(program, terms[0], is_plus=False)


def adx(program: Program, terms: list[Term]) -> Term:
    """Wilder's average of DX."""
    plus, minus = plus_di(program, terms), minus_di(program, terms)
    text = f"share(abs({plus.text} - {minus.text}), {plus.text} + {minus.text}, 0.0)"
    return smma(program, [_join(text, plus, minus), terms[0]])


def stoch_k(program: Program, terms: list[Term]) -> Term:
    """Place of the close in the range of N bars, in percent."""
    top = highest(program, [_word("high"), terms[0]])
    bottom = lowest(program, [_word("low"), terms[0]])
    close = _word("close").text
    text = f"share({close} - {bottom.text}, {top.text} - {bottom.text}, 50.0)"
    return _join(text, top, bottom)


def stoch_d(program: Program, terms: list[Term]) -> Term:
    """Mean of stoch_k(N) over M."""
    return sma(program, [stoch_k(program, terms[:1]), terms[1]])


def momentum(program: Program, terms: list[Term]) -> Term:
    """Change over N bars."""
    before = lag(program, terms)
    return _join(f"({terms[0].text} - {before.text})", terms[0], before)


def roc(program: Program, terms: list[Term]) -> Term:
    """Percent change over N bars."""
    before = lag(program, terms)
    return _join(f"(100.0 * ({terms[0].text} / {before.text} - 1.0))", terms[0], before)


def _plain(form: str) -> Build:
    """A function of the moment: `form` with the arguments' texts in place of 0, 1, 2."""

    def build(_: Program, terms: list[Term]) -> Term:
        return _join(form.format(*(term.text for term in terms)), *terms)

    return build


def _extreme_of_bar(series: str, build: Build) -> Build:
    def extreme(program: Program, terms: list[Term]) -> Term:
        return build(program, [_word(series), *terms])

    return extreme


def _cross(sign: str, opposite: str) -> Build:
    def build(program: Program, terms: list[Term]) -> Term:
        first, second = program.slot(), program.slot()
        program.before += [(first, terms[0].text), (second, terms[1].text)]
        now = f"{terms[0].text} {sign} {terms[1].text}"
        text = f"(({now}) & (s{first} {opposite} s{second}))"
        blocks = terms[0].blocks | terms[1].blocks
        return Term(text, text, is_condition=True, blocks=blocks)

    return build


FUNCTIONS: Final[dict[str, Function]] = {
    "sma": Function(("x", "N"), "plain mean of N bars", sma),
    "ema": Function(("x", "N"), "exponential mean, α = 2/(N+1), starts as the first value", ema),
    "ema_sma": Function(("x", "N"), "the same, starts as the mean of the first N", ema_sma),
    "wma": Function(("x", "N"), "mean with weights N (newest) … 1 (oldest)", wma),
    "smma": Function(("x", "N"), "Wilder's mean, α = 1/N, starts as the mean of N", smma),
    "stddev": Function(("x", "N"), "population deviation of N bars", stddev),
    "bb_upper": Function(("x", "N", "k"), "sma + k · stddev", _band("+")),
    "bb_mid": Function(("x", "N"), "sma", sma),
    "bb_lower": Function(("x", "N", "k"), "sma − k · stddev", _band("-")),
    "rsi": Function(
        ("x", "N"), "Wilder's index 0–100, averages start at 0; 100 when nothing fell", rsi
    ),
    "macd": Function(("x", "F", "S"), "ema(x, F) − ema(x, S)", macd),
    "macd_signal": Function(("x", "F", "S", "G"), "ema(macd, G)", macd_signal),
    "macd_hist": Function(("x", "F", "S", "G"), "macd − its signal", macd_hist),
    "true_range": Function((), "span of the bar and the close before it", true_range),
    "atr": Function(("N",), "smma of the true range", atr),
    "plus_di": Function(("N",), "Wilder's +DI", plus_di),
    "minus_di": Function(("N",), "Wilder's −DI", minus_di),
    "adx": Function(("N",), "Wilder's average directional index", adx),
    "stoch_k": Function(("N",), "place of the close in the range of N bars, percent", stoch_k),
    "stoch_d": Function(("N", "M"), "mean of stoch_k(N) over M bars", stoch_d),
    "highest": Function(("x", "N"), "largest of N bars, this one included", highest),
    "lowest": Function(("x", "N"), "smallest of N bars, this one included", lowest),
    "donchian_high": Function(("N",), "highest(high, N)", _extreme_of_bar("high", highest)),
    "donchian_low": Function(("N",), "lowest(low, N)", _extreme_of_bar("low", lowest)),
    "momentum": Function(("x", "N"), "x − lag(x, N)", momentum),
    "roc": Function(("x", "N"), "100 · (x / lag(x, N) − 1)", roc),
    "lag": Function(("x", "N"), "x of N bars ago", lag),
    "crosses_above": Function(
        ("a", "b"), "a > b now, and not so at the judgement before", _cross(">", "<=")
    ),
    "crosses_below": Function(
        ("a", "b"), "a < b now, and not so at the judgement before", _cross("<", ">=")
    ),
    "min": Function(("a", "b"), "the smaller one", _plain("min({0}, {1})")),
    "max": Function(("a", "b"), "the larger one", _plain("max({0}, {1})")),
    "abs": Function(("x",), "without its sign", _plain("abs({0})")),
    "sqrt": Function(("x",), "square root", _plain("math.sqrt({0})")),
    "log": Function(("x",), "natural logarithm", _plain("math.log({0})")),
    "clip": Function(
        ("x", "low", "high"), "x held between low and high", _plain("min(max({0}, {1}), {2})")
    ),
}
