"""What a flow's expressions may say, and the sentences for what they may not."""

from pathlib import Path

import pytest

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.flows.flow import Flow, parse_flow, with_parameters
from plan2.intelligence.flows.functions import FUNCTIONS
from plan2.intelligence.flows.memory import new_memory
from plan2.intelligence.flows.source import step_text, write_source
from plan2.intelligence.flows.words import FORECASTS, INSTRUMENT_WORDS, WORDS

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)


def flow_with(long: str, **tables: str) -> Flow:
    """A flow with this entry condition and further tables of TOML text."""
    more = "\n".join(f"[{name}]\n{text}" for name, text in tables.items())
    return parse_flow(
        f'name = "x"\n[source]\nsymbol = "EURUSD"\n[policy]\nlong = """{long}"""\n{more}'
    )


@pytest.mark.parametrize(
    ("long", "sentence"),
    [
        ("close >", "no expression"),
        ("clos > 1", "unknown name 'clos'. Nearest: close"),
        ("emma(close, 3) > 1", "unknown function 'emma'. Nearest: ema"),
        ("ema(close) > 1", "ema(x, N) takes 2; found 1"),
        ("close", "is a number; compare it with something"),
        ("ema(close > 1, 3) > 1", "is true or false; a number is expected"),
        ("not close", "is a number; a comparison is expected"),
        ("close > 1 > True", "True is no number"),
        ("close.real > 1", "is not allowed in a flow"),
        ("[close][0] > 1", "is not allowed in a flow"),
        ("(lambda: 1)() > 1", "is not allowed in a flow"),
        ("__import__('os') > 1", "unknown function '__import__'"),
        ("close in 3", "compare with <"),
        ("ema(close, close) > 1", "known before the run"),
        ("p_up > 0.5", "Write use = true in [models]"),
        ("close ** 2 > 1", "is not allowed in a flow"),
        ("close > 1e999", "too large"),
        ("(" * 500 + "close" + ")" * 500 + " > 1", "no expression"),
        ("close > " + "1+" * 1500 + "1", "at most 2000 characters"),
    ],
)
def test_what_is_refused_and_how(long: str, sentence: str) -> None:
    """Each sentence names the place in the file."""
    with pytest.raises(InputError) as refused:
        write_source(flow_with(long))
    assert "[policy] long" in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"parameters": "ema = 3"}, "'ema' has a meaning already"),
        ({"parameters": "a = 3", "features": 'a = "close"'}, "'a' has a meaning already"),
        ({"features": 'a = "b"\nb = "a"'}, "a → b → a need each other"),
        ({"features": 'a = "clsoe"'}, "[features] a: unknown name 'clsoe'"),
        ({"exits": 'stop_loss = "close > 1"'}, "[exits] stop_loss"),
    ],
)
def test_other_places_are_named_too(tables: dict[str, str], sentence: str) -> None:
    """Parameters, features and exits."""
    with pytest.raises(InputError) as refused:
        write_source(flow_with("close > 1", **tables))
    assert sentence in str(refused.value)


@pytest.mark.parametrize("value", ["0", "2.5", "-3", "1000001"])
def test_a_window_is_a_whole_number_of_bars(value: str) -> None:
    """Checked when the parameters are known, for averages as for rings."""
    for function in ("ema", "sma", "lag", "smma", "rsi"):
        flow = flow_with(f"{function}(close, n) > 1", parameters=f"n = {value}")
        with pytest.raises(InputError, match="whole number of bars"):
            new_memory(flow, write_source(flow), EURUSD)


def test_parameters_change_no_source() -> None:
    """So a sweep compiles once."""
    flow = flow_with("ema(close, n) > sma(close, 2 * n)", parameters="n = 3")
    other = with_parameters(flow, {"n": 30.0})
    assert step_text(write_source(flow)) == step_text(write_source(other))
    literal = write_source(flow_with("ema(close, 3) > sma(close, 7)"))
    assert step_text(write_source(flow)) != step_text(literal)


def test_equal_indicators_are_computed_once() -> None:
    """Bands share their window, MACD and its signal their averages."""
    flow = flow_with(
        "sma(close, 20) > bb_lower(close, 20, 2) and ema(close, 12) > 1 "
        "and macd(close, 12, 26) > macd_signal(close, 12, 26, 9)"
    )
    assert len(write_source(flow).program.blocks) == 1 + 2 + 1


def test_division_of_parameters_by_zero_is_a_sentence() -> None:
    """Constants are computed before the run."""
    flow = flow_with("close > 1 / n", parameters="n = 0")
    with pytest.raises(InputError, match="divides by zero"):
        new_memory(flow, write_source(flow), EURUSD)


def test_the_document_lists_every_word_and_function() -> None:
    """What can be written can be found."""
    text = (Path(__file__).parents[2] / "docs/flows.md").read_text(encoding="utf-8")
    missing = [word for word in (*WORDS, *INSTRUMENT_WORDS, *FORECASTS) if f"`{word}`" not in text]
    missing += [
        name
        for name, function in FUNCTIONS.items()
        if f"`{name}({', '.join(function.arguments)})`" not in text and f"`{name}`" not in text
    ]
    assert missing == []
