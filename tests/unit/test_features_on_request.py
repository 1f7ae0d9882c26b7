"""Features on request: CCI, the state of the feed, other symbols, and their place in a set."""

import csv
import io
import math
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from features_fixtures import EURUSD, MONDAY_NS, random_ticks
from model_fixtures import request

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.expressions import read_formula
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.set_check import check_features
from plan2.intelligence.features.surroundings import (
    PeerBoard,
    Surroundings,
    currencies_of,
    strength_weights,
)
from plan2.intelligence.training.assemble import assemble

PEERS = ("GBPUSD", "USDJPY")
CROSSED = """
[set]
name = "majors"
peers = ["GBPUSD", "USDJPY"]
include = ["on_request", "cross"]
[features]
lead = "of(GBPUSD, return_5) - lag(of(USDJPY, return_1), 3)"
plain = "return_5"
"""

PLAIN = """
[set]
name = "plain"
include = ["cost", "return_60"]
[features]
x = "lag(rsi_mid_14, 2) / 50"
"""
# As printed by the version before there was anything to ask for.
PLAIN_ID = "e1c103a93a9353c6b3c3e8d3d9f00ca42debd8c758533ae19ea3ace408de4520"


def plan_of(text: str) -> FeaturePlan:
    """A plan of one-minute bars with this set."""
    return default_plan(60, parse_set(text, "test"))


def own(*names: str) -> FeaturePlan:
    """A plan with features of the symbol's own ticks."""
    return plan_of(f'[set]\nname = "own"\ninclude = {list(names)}'.replace("'", '"'))


def of_symbol(symbol: str, seed: int, count: int = 4_000) -> TickBlock:
    """A random walk under another name."""
    found = random_ticks(count, seed)
    return TickBlock(symbol, found.ts_ns, found.bid, found.ask)


def board(*blocks: TickBlock) -> PeerBoard:
    """A board of EURUSD and two peers that has seen these ticks."""
    found = PeerBoard(["EURUSD", *PEERS], 60)
    for block in blocks:
        found.take(block)
    return found


def last_mids(block: TickBlock) -> dict[int, float]:
    """Minute since the epoch → mid of its last tick, by a plain loop."""
    found = {}
    for ts_ns, bid, ask in zip(block.ts_ns.tolist(), block.bid, block.ask, strict=True):
        found[ts_ns // NS_PER_MINUTE] = 0.5 * (bid + ask)
    return found


def test_cci_is_the_published_one(shared_data: Path) -> None:
    """ChartSchool's table of CCI (20): open, high, low, close as four ticks of a minute each."""
    with zipfile.ZipFile(shared_data / "indicators" / "ta_chartschool.zip") as folder:
        name = next(name for name in folder.namelist() if name.endswith("cs-cci.csv"))
        rows = list(csv.DictReader(io.StringIO(folder.read(name).decode("utf-8-sig"))))
    prices = np.array(
        [float(row[side]) for row in rows for side in ("Open", "High", "Low", "Close")]
    )
    starts = MONDAY_NS + np.arange(len(rows)) * NS_PER_MINUTE
    ts_ns = (starts[:, None] + np.array([0, 10, 20, 50]) * NS_PER_SECOND).ravel()
    block = TickBlock("EURUSD", ts_ns, prices, prices)
    found = FeatureEngine(own("cci_20"), EURUSD).step_block(block, "ticks").values[3::4, 0]

    published = np.array([float(row["CCI"]) if row["CCI"] else math.nan for row in rows])
    assert np.isfinite(published).sum() > 10
    np.testing.assert_array_equal(np.isnan(found), np.isnan(published))
    # The table's typical prices are rounded to four decimals.
    np.testing.assert_allclose(found, published, atol=0.02, rtol=2e-3)


def test_a_market_that_does_not_move_has_a_cci_of_zero() -> None:
    """No deviation to divide by."""
    ts_ns = MONDAY_NS + np.arange(60) * 30 * NS_PER_SECOND
    still = TickBlock("EURUSD", ts_ns, np.full(60, 1.1), np.full(60, 1.1001))
    assert FeatureEngine(own("cci_20"), EURUSD).step_block(still).values[-1, 0] == 0.0


def test_the_state_of_the_feed_by_hand() -> None:
    """A gap, quotes that repeat, and an ask that is not above the bid."""
    seconds = [0, 30, 61, 70, 125, 125 + 1_900, 125 + 1_990]
    bid = np.array([1.1, 1.1, 1.1, 1.1001, 1.1001, 1.1001, 1.1])
    ask = np.array([1.1001, 1.1001, 1.1001, 1.1002, 1.1001, 1.1002, 1.1002])
    block = TickBlock("EURUSD", MONDAY_NS + np.array(seconds) * NS_PER_SECOND, bid, ask)
    plan = own("bars_since_gap", "quote_unchanged", "quote_crossed")
    rows = FeatureEngine(plan, EURUSD).step_block(block, "ticks").values
    assert rows[:, 0].tolist() == [0, 0, 1, 1, 2, 0, 1]
    assert rows[:, 1] == pytest.approx([0, 30, 61, 0, 0, 0, 0])
    assert rows[:, 2].tolist() == [0, 0, 0, 0, 1, 0, 0]


def test_values_of_other_symbols_follow_closes_of_a_bar_ago() -> None:
    """Returns, strengths by least squares and the EW correlation, from minutes counted by hand."""
    blocks = {"EURUSD": of_symbol("EURUSD", 1), "GBPUSD": of_symbol("GBPUSD", 2)}
    blocks["USDJPY"] = of_symbol("USDJPY", 3)
    around = Surroundings(None, board(blocks["GBPUSD"], blocks["USDJPY"]))
    rows = FeatureEngine(plan_of(CROSSED), EURUSD, around).step_block(blocks["EURUSD"])
    names = plan_of(CROSSED).names
    mids = {symbol: last_mids(block) for symbol, block in blocks.items()}

    def close(symbol: str, minute: int) -> float:
        known = [each for each in mids[symbol] if each <= minute]
        return mids[symbol][max(known)]

    now = int(rows.ts_ns[-1]) // NS_PER_MINUTE - 2

    def moved(symbol: str, bars: int, back: int = 0) -> float:
        return math.log(close(symbol, now - back) / close(symbol, now - back - bars))

    value = dict(zip(names, rows.values[-1], strict=True))
    lagged = int(rows.ts_ns[-4]) // NS_PER_MINUTE - 2
    before = math.log(close("USDJPY", lagged) / close("USDJPY", lagged - 1))
    assert value["lead"] == pytest.approx(moved("GBPUSD", 5) - before, rel=1e-12)

    # s(EUR) − s(USD), s(GBP) − s(USD), s(USD) − s(JPY); the strengths add up to zero.
    relations = np.array([[1, 0, 0, -1], [0, 1, 0, -1], [0, 0, -1, 1], [1, 1, 1, 1]])
    told = [moved("EURUSD", 60), moved("GBPUSD", 60), moved("USDJPY", 60), 0.0]
    euro, _, _, dollar = np.linalg.solve(relations, told)
    assert value["strength_base_60"] == pytest.approx(euro, rel=1e-9)
    assert value["strength_quote_60"] == pytest.approx(dollar, rel=1e-9)
    assert value["strength_gap_60"] == pytest.approx(euro - dollar, rel=1e-9)

    ours, theirs = [], []
    for back in range(120):
        told = [moved(symbol, 1, back) for symbol in ("EURUSD", "GBPUSD", "USDJPY")]
        ours.append(told[0])
        theirs.append(np.linalg.solve(relations, [*told, 0.0])[3])
    weights = 0.5 ** (np.arange(120) / 60)
    covariance = np.cov(ours, theirs, aweights=weights)
    expected = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert value["dollar_correlation_120"] == pytest.approx(expected, rel=1e-6)


def test_a_stale_or_unknown_peer_says_nothing() -> None:
    """After half an hour without a quote a close is not known any more, and never before."""
    first = of_symbol("GBPUSD", 2, 400)
    around = Surroundings(None, board(first, of_symbol("USDJPY", 3)))
    rows = FeatureEngine(plan_of(CROSSED), EURUSD, around).step_block(of_symbol("EURUSD", 1))
    strength = rows.values[:, plan_of(CROSSED).names.index("strength_gap_60")]
    ended = int(first.ts_ns[-1]) // NS_PER_MINUTE
    minutes = rows.ts_ns // NS_PER_MINUTE - 2
    assert np.isnan(strength[minutes > ended + 30]).all()
    assert np.isnan(FeatureEngine(plan_of(CROSSED), EURUSD).step_block(of_symbol("EURUSD", 1))
                    .values[:, 4:9]).all()  # fmt: skip


def test_the_order_in_which_feeds_interleave_does_not_matter() -> None:
    """Live lanes that fill one board, minute by minute in any order, give what an archive gives."""
    blocks = [
        of_symbol(symbol, seed, 2_500)
        for symbol, seed in zip(("EURUSD", *PEERS), (1, 2, 3), strict=True)
    ]
    whole = FeatureEngine(plan_of(CROSSED), EURUSD, Surroundings(None, board(*blocks))).step_block(
        blocks[0], "ticks"
    )
    live = board()
    gold = {"GBPUSD": ("GBP", "USD"), "USDJPY": ("USD", "JPY"), "EURUSD": ("EUR", "USD")}
    engines = [
        FeatureEngine(plan_of(CROSSED), _named(symbol, codes), Surroundings(None, live))
        for symbol, codes in gold.items()
    ]
    engines.sort(key=lambda engine: engine.symbol)  # EURUSD is asked first within each minute
    waiting = {block.symbol: _rows(block) for block in blocks}
    served = []
    for minute in range(MONDAY_NS // NS_PER_MINUTE, int(blocks[0].ts_ns[-1]) // NS_PER_MINUTE + 1):
        for engine in engines:
            for row in waiting[engine.symbol].pop(minute, ()):
                engine.step(*row)
                if engine.symbol == "EURUSD":
                    served.append(engine.values.copy())
    # The archive knows the symbol's own closes before the first tick as little as live does.
    np.testing.assert_array_equal(np.array(served).view(np.uint64), _words(whole.values))


def _rows(block: TickBlock) -> dict[int, list[tuple[int, float, float]]]:
    found: dict[int, list[tuple[int, float, float]]] = {}
    for row in zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True):
        found.setdefault(row[0] // NS_PER_MINUTE, []).append(row)
    return found


def _named(symbol: str, codes: tuple[str, str]) -> Instrument:
    return msgspec.structs.replace(EURUSD, symbol=symbol, base=codes[0], quote=codes[1])


def _words(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.uint64)


def test_live_chunks_and_snapshots_equal_batch() -> None:
    """One tick at a time, cut anywhere, restored in a fresh engine: the same bits."""
    around = Surroundings(None, board(of_symbol("GBPUSD", 2), of_symbol("USDJPY", 3)))
    block = of_symbol("EURUSD", 1, 3_000)
    whole = _words(
        FeatureEngine(plan_of(CROSSED), EURUSD, around).step_block(block, "ticks").values
    )
    single, pieces = FeatureEngine(plan_of(CROSSED), EURUSD, around), []
    engine = FeatureEngine(plan_of(CROSSED), EURUSD, around)
    for start, stop in ((0, 1), (1, 900), (900, 901), (901, 2_222), (2_222, 3_000)):
        part = block.slice(start, stop)
        pieces.append(_words(engine.step_block(part, "ticks").values))
        for row in zip(part.ts_ns.tolist(), part.bid.tolist(), part.ask.tolist(), strict=True):
            single.step(*row)
        np.testing.assert_array_equal(_words(single.values), whole[stop - 1])
        successor = FeatureEngine(plan_of(CROSSED), EURUSD, around)
        successor.restore(engine.snapshot())
        engine = successor
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_training_rows_are_what_the_engine_serves() -> None:
    """The same set, board and ticks through `assemble`."""
    around = Surroundings(None, board(of_symbol("GBPUSD", 2), of_symbol("USDJPY", 3)))
    order = request(families=("xgboost",))
    block = of_symbol("EURUSD", 1)
    parts = [block.slice(0, 999), block.slice(999, 4_000)]
    samples = assemble(parts, EURUSD, plan_of(CROSSED), order.rules(), around)
    rows = FeatureEngine(plan_of(CROSSED), EURUSD, around).step_block(block)
    at = np.isin(rows.ts_ns, samples.bar_ts[samples.event_bar])
    assert at.sum() > 5
    np.testing.assert_array_equal(_words(samples.values), _words(rows.values[at]))


def test_a_board_that_knows_the_next_bars_is_found() -> None:
    """The detector changes other symbols' later prices; a board shifted ahead is caught by it."""
    peers = [of_symbol("GBPUSD", 2, 8_000), of_symbol("USDJPY", 3, 8_000)]
    block = of_symbol("EURUSD", 1, 8_000)

    def report(shift_min: int) -> set[str]:
        def disturbed(after_ns: int, factor: float):
            def compute(part: TickBlock):
                found = board()
                for peer in peers:
                    scale = np.where(peer.ts_ns > after_ns, factor, 1.0)
                    shown = peer.ts_ns - shift_min * NS_PER_MINUTE
                    found.take(TickBlock(peer.symbol, shown, peer.bid * scale, peer.ask * scale))
                return FeatureEngine(
                    plan_of(CROSSED), EURUSD, Surroundings(None, found)
                ).step_block(part)

            return compute

        done = check_features(plan_of(CROSSED), disturbed(2**62, 1.0), block, disturbed=disturbed)
        return {each.feature for each in done.findings if "knows the future" in each.text}

    assert report(0) == set()
    # Quotes that carry a time four minutes too early stand for any leak of other symbols.
    assert report(4) >= {"strength_gap_60", "dollar_correlation_120", "lead"}


def test_who_does_not_ask_pays_nothing() -> None:
    """A set of the catalogue has no columns on request, and its identity is what it was."""
    plain = plan_of(PLAIN)
    assert FeatureEngine(plain, EURUSD).requested is None
    assert plain.schema_id == PLAIN_ID


def test_alerts_and_other_formulas_keep_to_the_catalogue() -> None:
    """Only an engine with a set computes features on request."""
    with pytest.raises(InputError, match="feature sets only"):
        read_formula("cci_20 / 100")
    with pytest.raises(InputError, match="no peer"):
        read_formula("of(GBPUSD, return_5)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[set]\nname="a"\ninclude=["cross"]', "names none"),
        ('[set]\nname="a"\npeers=["X","X"]\ninclude=["cost"]', "each named once"),
        ('[set]\nname="a"\npeers=["X"]\n[features]\ny="of(Z, return_5)"', "no peer"),
        ('[set]\nname="a"\npeers=["X"]\n[features]\ny="of(X, spread)"', "of a peer there is"),
        ('[set]\nname="a"\n[features]\ncci_20="spread"', "cannot name"),
    ],
)
def test_impossible_wishes_are_refused(text: str, said: str) -> None:
    """Each with what is wrong."""
    with pytest.raises(InputError, match=said):
        parse_set(text, "test")


def test_a_symbol_that_is_not_there_is_named() -> None:
    """A market that does not quote a peer cannot compute the set."""
    with pytest.raises(InputError, match="USDJPY"):
        FeatureEngine(
            plan_of(CROSSED), EURUSD, Surroundings(None, PeerBoard(["EURUSD", "GBPUSD"], 60))
        )


def test_names_of_pairs() -> None:
    """Six letters and whatever a broker adds; anything else has no strength."""
    assert currencies_of("EURUSD") == ("EUR", "USD")
    assert currencies_of("XAUUSD.r") == ("XAU", "USD")
    assert currencies_of("US500") is None
    assert not strength_weights(["US500"], ["US500"], ("US5", "USD")).any()
