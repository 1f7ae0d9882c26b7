"""The quality gate: each verdict, what it keeps, and how it behaves on real feeds."""

import math
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from plan2.dataflow.quality import (
    GAP_NS,
    QUARANTINE_MAX,
    Freshness,
    QualityGate,
    Verdict,
)
from plan2.dataflow.quarantine import QuarantineWriter
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND, Tick

START_NS = 1_714_521_600 * NS_PER_SECOND  # Wednesday 2024-05-01T00:00:00Z
STEP_NS = 500 * NS_PER_MS


def tick(ts_ns: int, bid: float, ask: float | None = None, symbol: str = "EURUSD") -> Tick:
    """A tick with a spread of a tenth of a pip unless told otherwise."""
    return Tick(symbol, ts_ns, bid, bid + 1e-5 if ask is None else ask)


def warm_gate(ticks: int = 1_000, **options: object) -> tuple[QualityGate, int, float]:
    """A gate that has seen a calm market (a tenth of a pip a tick); the last time and bid."""
    gate = QualityGate("EURUSD", **options)
    bid = 1.1
    for number in range(ticks):
        bid = 1.1 + (number % 2) * 1e-5
        verdict = gate.check(tick(START_NS + number * STEP_NS, bid), START_NS + number * STEP_NS)
        assert verdict is Verdict.OK
    return gate, START_NS + (ticks - 1) * STEP_NS, bid


def verdicts(gate: QualityGate, ticks: Iterable[Tick]) -> list[Verdict]:
    """What the gate says of each, with our clock at each tick's time."""
    return [gate.check(one, one.ts_ns) for one in ticks]


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        (1.1, 1.1, Verdict.OK),
        (1.1001, 1.1, Verdict.CROSSED),
        (0.0, 1.1, Verdict.NON_POSITIVE),
        (-1.0, 1.1, Verdict.NON_POSITIVE),
        (1.1, -1.0, Verdict.NON_POSITIVE),
        (math.nan, 1.1, Verdict.NOT_A_NUMBER),
        (1.1, math.nan, Verdict.NOT_A_NUMBER),
        (1.1, math.inf, Verdict.NOT_A_NUMBER),
    ],
)
def test_prices_must_make_a_quote(bid: float, ask: float, expected: Verdict) -> None:
    """Bid and ask are positive numbers, the ask not below the bid; equal is fine."""
    gate, last_ns, _ = warm_gate()

    assert gate.check(tick(last_ns + 1, bid, ask), last_ns + 1) is expected


def test_order_and_duplicates() -> None:
    """Backwards is refused; the same instant is fine unless nothing changed."""
    gate, last_ns, bid = warm_gate()

    assert verdicts(
        gate, [tick(last_ns - 1, bid), tick(last_ns, bid), tick(last_ns, bid + 1e-5)]
    ) == [Verdict.OUT_OF_ORDER, Verdict.DUPLICATE, Verdict.OK]


def test_a_spike_is_refused_and_the_old_level_goes_on() -> None:
    """Fifty pips out and back in one second: the one tick is set aside."""
    gate, last_ns, bid = warm_gate()
    ticks = [tick(last_ns + STEP_NS, bid + 0.005), tick(last_ns + 2 * STEP_NS, bid)]

    assert verdicts(gate, ticks) == [Verdict.SPIKE, Verdict.OK]


def test_a_level_that_stays_is_believed() -> None:
    """The third tick in a row at a new level is accepted, and the level is then usual."""
    gate, last_ns, bid = warm_gate()
    news = [tick(last_ns + number * STEP_NS, bid + 0.005) for number in range(1, 5)]

    assert verdicts(gate, news) == [Verdict.SPIKE, Verdict.SPIKE, Verdict.LEVEL_SHIFT, Verdict.OK]


def test_ticks_that_do_not_agree_make_no_level() -> None:
    """Scattered prices, ordinary ticks between them, or one tick repeated, prove nothing."""
    gate, last_ns, bid = warm_gate()
    scattered = [bid + 0.005, bid - 0.005, bid + 0.010, bid - 0.010]
    ticks = [tick(last_ns + number, price) for number, price in enumerate(scattered, 1)]
    assert set(verdicts(gate, ticks)) == {Verdict.SPIKE}

    between = [bid + 0.005, bid + 0.005, bid, bid + 0.005, bid + 0.005]
    ticks = [tick(last_ns + number, price) for number, price in enumerate(between, 10)]
    assert Verdict.LEVEL_SHIFT not in verdicts(gate, ticks)

    repeated = [tick(last_ns + 50, bid + 0.02)] * 5
    assert set(verdicts(gate, repeated)) == {Verdict.SPIKE}


def test_spikes_do_not_raise_the_limit() -> None:
    """After many refused spikes the next one is refused as well."""
    gate, last_ns, bid = warm_gate()
    for number in range(1, 400, 2):
        ticks = [
            tick(last_ns + number * STEP_NS, bid + 0.005),
            tick(last_ns + (number + 1) * STEP_NS, bid),
        ]
        assert verdicts(gate, ticks) == [Verdict.SPIKE, Verdict.OK]


def test_a_quiet_time_is_reported_and_allows_a_larger_change() -> None:
    """Ten minutes of silence: a move of 20 pips is believed and flagged as a gap."""
    gate, last_ns, bid = warm_gate()
    later = last_ns + 600 * NS_PER_SECOND

    assert gate.check(tick(later, bid + 0.002), later) is Verdict.GAP
    gate, last_ns, bid = warm_gate()
    assert gate.check(tick(last_ns + STEP_NS, bid + 0.002), last_ns) is Verdict.SPIKE


def test_a_bad_first_tick_does_not_lock_the_market_out() -> None:
    """When the very first price is wrong, the right level is believed after three ticks."""
    gate = QualityGate("EURUSD")
    ticks = [tick(START_NS, 2.2)]
    ticks += [tick(START_NS + number * STEP_NS, 1.1) for number in range(1, 6)]

    assert verdicts(gate, ticks)[-3:] == [Verdict.LEVEL_SHIFT, Verdict.OK, Verdict.OK]


@pytest.mark.parametrize(
    ("hours_after_wednesday", "is_open"),
    [(69.9, True), (70, False), (100, False), (116.9, False), (117, True)],
)
def test_weekends(hours_after_wednesday: float, is_open: bool) -> None:
    """Closed from Friday 22:00 to Sunday 21:00 UTC, unless the symbol trades on."""
    ts_ns = START_NS + int(hours_after_wednesday * NS_PER_HOUR)
    gate = QualityGate("EURUSD")
    crypto = QualityGate("BTCUSD", trades_weekends=True)

    assert gate.check(tick(ts_ns, 1.1), ts_ns) is (Verdict.OK if is_open else Verdict.WEEKEND)
    assert crypto.check(tick(ts_ns, 1.1), ts_ns) is Verdict.OK


def test_a_tick_from_the_future_is_refused() -> None:
    """A server clock that is misread by an hour shows at once."""
    gate, last_ns, bid = warm_gate()

    assert gate.check(tick(last_ns + NS_PER_HOUR, bid), last_ns) is Verdict.FUTURE
    assert gate.check(tick(last_ns + GAP_NS, bid), last_ns) is Verdict.OK


def test_freshness() -> None:
    """Waiting, then fresh, stale after the allowed age, closed on Saturday."""
    gate = QualityGate("EURUSD")
    saturday_ns = START_NS + 80 * NS_PER_HOUR
    assert gate.freshness(START_NS, 1_000) is Freshness.WAITING
    gate.check(tick(START_NS, 1.1), START_NS)

    assert gate.freshness(START_NS + 1_000 * NS_PER_MS, 1_000) is Freshness.FRESH
    assert gate.freshness(START_NS + 1_001 * NS_PER_MS, 1_000) is Freshness.STALE
    assert gate.freshness(saturday_ns, 1_000) is Freshness.CLOSED
    assert gate.age_ms(START_NS + 7 * NS_PER_MS) == 7


def test_counts_and_a_bounded_quarantine() -> None:
    """Every verdict is counted; the ring keeps the newest and says how many it lost."""
    gate, last_ns, bid = warm_gate(20)
    for number in range(QUARANTINE_MAX + 5):
        gate.check(tick(last_ns + number, bid, bid - 0.5), last_ns)
    taken = gate.take_quarantined()

    assert gate.counts()["ok"] == gate.accepted == 20
    assert gate.counts()["crossed"] == 1_005
    assert (len(taken), gate.quarantine_lost) == (QUARANTINE_MAX, 5)
    assert (taken[0].reason, taken[0].tick.ts_ns) == ("crossed", last_ns + 5)
    assert gate.take_quarantined() == []


async def test_quarantined_ticks_go_to_a_file(tmp_path: Path) -> None:
    """Time, prices, reason and sequence number; a second batch gets a file of its own."""
    gate, last_ns, bid = warm_gate(20)
    gate.check(Tick("EURUSD", last_ns + 1, bid, bid - 0.5, seq=77), last_ns)
    gate.check(tick(last_ns - 1, bid), last_ns)
    writer = QuarantineWriter(tmp_path)
    taken = gate.take_quarantined()
    await writer.write("EURUSD", taken)
    await writer.write("EURUSD", taken)
    await writer.write("EURUSD", [])
    files = sorted((tmp_path / "quarantine" / "EURUSD").glob("live-*.parquet"))
    frame = pl.read_parquet(files[0])

    assert len(files) == 2
    assert frame["reason"].to_list() == ["crossed", "out_of_order"]
    assert frame["row"].to_list() == [77, 0]
    assert frame["time_utc"].dt.timestamp("ns").to_list() == [last_ns + 1, last_ns - 1]


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("oanda_eurusd_2014-05-01_09", {"duplicate": 1}),
        ("oanda_nzdusd_2014-05-01_09", {}),
        ("dukascopy_eurusd_2019-02-04", {}),
        ("mt5_gbpusd_2025-09-25_26", {}),
    ],
)
def test_real_markets_pass(shared_data: Path, name: str, refused: dict[str, int]) -> None:
    """Nine days with US payrolls, and quiet ones: not one true tick is taken for a spike."""
    frame = pl.read_parquet(shared_data / "ticks" / f"{name}.parquet")
    gate = QualityGate("X")
    columns = (frame["time_utc"].dt.timestamp("ns"), frame["bid"], frame["ask"])
    for ts_ns, bid, ask in zip(*(column.to_list() for column in columns), strict=True):
        gate.check(Tick("X", ts_ns, bid, ask), ts_ns)
    found = {name: count for name, count in gate.counts().items() if count}

    assert {name: n for name, n in found.items() if name not in {"ok", "gap"}} == refused
    assert sum(found.values()) == len(frame)


def test_an_aggregated_feed_loses_its_crossed_ticks(shared_data: Path) -> None:
    """FXCM 2014: exactly the crossed rows of the file are refused as crossed."""
    frame = pl.read_parquet(shared_data / "ticks" / "fxcm_eurusd_2014-05-01_09.parquet")
    gate = QualityGate("X")
    columns = (frame["time_utc"].dt.timestamp("ns"), frame["bid"], frame["ask"])
    for ts_ns, bid, ask in zip(*(column.to_list() for column in columns), strict=True):
        gate.check(Tick("X", ts_ns, bid, ask), ts_ns)

    assert gate.counts()["crossed"] == 69_354
    assert gate.counts()["spike"] < 50
