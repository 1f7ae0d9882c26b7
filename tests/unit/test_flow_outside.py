"""What a flow reads from outside: catalogue features and forecasts, known when a bar closes."""

import numpy as np
import pytest

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run_flow import Outer, RunOptions, run_flow
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.flows.check import made_up
from plan2.intelligence.flows.flow import parse_flow
from plan2.intelligence.models.forecast import Forecast

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
NAMES = ("p_up_lcb", "return_5", "p_down_lcb", "barrier")


class Alternating:
    """Says 0.7 and 0.3 by turns, with a standard error of 0.02; silent while it warms up."""

    def __init__(self) -> None:
        self.commits = 0

    def commit(self, reading) -> None:
        """Count."""
        self.commits += 1

    def forecast(self, ts_ns: int, reading) -> Forecast:
        """By turns."""
        return Forecast(
            symbol="EURUSD", ts_ns=ts_ns, p_up=0.7 if self.commits % 2 else 0.3,
            barrier=reading.sigma, horizon_s=900, disagreement=0.0, standard_error=0.02,
            calibration_id="", votes=(), abstained="" if reading.ready else "warming_up",
        )  # fmt: skip


@pytest.fixture(scope="module")
def block() -> TickBlock:
    """Sixty thousand quotes of a random walk."""
    ticks = made_up(EURUSD).part(0, 60_000)
    return TickBlock("EURUSD", ticks.ts_ns, ticks.bid / 1e5, ticks.ask / 1e5)


def test_rows_are_what_live_objects_say_at_each_closed_bar(block: TickBlock) -> None:
    """The feature engine's values, and bounds half a standard error lower; NaN while warming up."""
    models = Alternating()
    engine = FeatureEngine(default_plan(), EURUSD)
    outside = Outside(NAMES, engine, models, 0.5)  # type: ignore[arg-type]
    feed = Blocks("EURUSD", lambda: iter([block.slice(0, 25_000), block.slice(25_000, 60_000)]))
    outer = outside.collect(feed)
    times, rows = outer.times, outer.rows
    assert set(outer.shares) == {1.0}
    expected = FeatureEngine(default_plan(), EURUSD).step_block(block)
    np.testing.assert_array_equal(times, expected.ts_ns)
    column = expected.values[:, default_plan().names.index("return_5")]
    np.testing.assert_array_equal(rows[:, 1], column)
    assert models.commits == len(times)
    ready = np.flatnonzero(expected.ready)
    assert np.isnan(rows[: ready[0], 0]).all()
    up = np.where((ready + 1) % 2, 0.7, 0.3)
    np.testing.assert_allclose(rows[ready, 0], up - 0.01)
    np.testing.assert_allclose(rows[ready, 2], 1.0 - up - 0.01)
    np.testing.assert_array_equal(rows[ready, 3], expected.sigma[ready])
    assert outside.inference_s > 0.0


def test_a_flow_trades_on_what_it_is_told_and_when(block: TickBlock) -> None:
    """A column that turns from 0 to 1 is acted on at the first bar that ends after it is known."""
    flow = parse_flow(
        'name = "told"\n[source]\nsymbol = "EURUSD"\n[models]\nuse = true\n'
        '[policy]\nlong = "p_up > 0.5"\n[execution]\nlatency_ms = 0'
    )
    known_ns = int(block.ts_ns[30_000])
    times = np.array([int(block.ts_ns[0]), known_ns])
    outer = Outer(("p_up",), times, np.array([[0.4], [0.9]]))
    run = run_flow(flow, Blocks("EURUSD", lambda: iter([block])), EURUSD, RunOptions(outer=outer))
    minute = 60_000_000_000
    end_ns = (known_ns // minute + 1) * minute
    if block.ts_ns[29_999] // minute != known_ns // minute:
        end_ns = known_ns // minute * minute  # it was this very tick that ended a bar
    decided = block.ts_ns[np.searchsorted(block.ts_ns, end_ns)]
    assert run.orders["ts_ns"][0] == decided
    with pytest.raises(InputError, match="nobody gave the values of p_up"):
        run_flow(flow, Blocks("EURUSD", lambda: iter([block])), EURUSD)


def test_forecasts_need_models() -> None:
    """And say so."""
    with pytest.raises(InputError, match="has no models"):
        Outside(("p_up",), FeatureEngine(default_plan(), EURUSD), None, 0.5)
