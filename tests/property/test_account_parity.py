"""The compiled account and the paper broker keep the same books, whatever is asked of them.

The paper broker computes in decimals and objects, the account in integers and records; both are
given the same quotes and requests, without slippage and misfortunes.
"""

from dataclasses import dataclass
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from account_tape import TUESDAY_NS, Tape, tape
from plan2.dataflow.terminals.port import OrderKind, UpdateKind
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.refusals import RETCODES, Refusal
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.foundation.instrument import Instrument, MarginMode
from plan2.foundation.values import NS_PER_SECOND, Side, Tick
from plan2.intelligence.backtest.account import entries
from plan2.intelligence.flows.flow import Exits, Partial
from simulated_world import Desk, order

COMMON = {"swap_long_points": -6.8, "swap_short_points": 1.3}
MARKETS = {
    "EURUSD": (Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5, **COMMON), "USD"),
    "euros": (Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5, **COMMON), "EUR"),
    "USDJPY": (Instrument(symbol="USDJPY", base="USD", quote="JPY", digits=3, **COMMON), "USD"),
    "EURGBP": (
        Instrument(symbol="EURGBP", base="EUR", quote="GBP", digits=5, stops_level_points=8),
        "USD",
    ),
    "XAUUSD": (
        Instrument(
            symbol="XAUUSD", base="XAU", quote="USD", digits=2, contract_size=100.0, **COMMON
        ),
        "USD",
    ),
    "shares": (
        Instrument(
            symbol="GER40", base="GER40", quote="EUR", digits=1, contract_size=1.0,
            margin_mode=MarginMode.VALUE, margin_rate_long=0.05, margin_rate_short=0.0625, **COMMON,
        ),
        "EUR",
    ),
    "futures": (
        Instrument(
            symbol="USDJPY", base="USD", quote="JPY", digits=3, margin_mode=MarginMode.LOT,
            margin_initial=250_000.0, margin_rate_short=1.5, **COMMON,
        ),
        "USD",
    ),
    "ticks": (
        Instrument(
            symbol="ES", base="ES", quote="USD", digits=2, contract_size=1.0, tick_size=0.25,
            tick_value=12.5, margin_mode=MarginMode.LOT, margin_initial=900.0, **COMMON,
        ),
        "USD",
    ),
    "thirds": (
        Instrument(
            symbol="GER40", base="GER40", quote="EUR", digits=1, contract_size=1.0, tick_size=0.3,
            tick_value=0.1, margin_mode=MarginMode.VALUE, margin_rate_long=0.05, **COMMON,
        ),
        "EUR",
    ),
}  # fmt: skip
"""Conversions of every kind: none, one over the ask, a given rate; margin by bid, 1, given; by
leverage, of the full value, per lot."""
PLAIN = ("EURGBP", "EURUSD", "USDJPY", "XAUUSD", "euros")
"""Markets whose margin is value over leverage."""
START = {
    "EURUSD": 109_990,
    "USDJPY": 149_980,
    "EURGBP": 85_400,
    "XAUUSD": 215_000,
    "GER40": 180_000,
    "ES": 500_000,
}
GIVEN = {"GBPUSD": (1.27345, 1.27360), "EURUSD": (1.08345, 1.08350)}
"""What converts pounds and euros into dollars while EURGBP is traded."""
LEVERAGE = 30.0
GAPS_S = (0, 1, 20, 59, 3_600, 40_000, 90_000)
GAP_SHARES = (0.10, 0.35, 0.25, 0.18, 0.05, 0.04, 0.03)
"""Seconds between quotes; longer than a minute lets requests die for want of a quote."""

ACTIONS = {"quiet": 0.30, "enter": 0.38, "close": 0.15, "close_by": 0.09, "leave": 0.08}
"""How often each is asked for between two quotes."""
STEPS = 40


@dataclass(frozen=True)
class Step:
    """What is asked, and the quote that comes then; points, steps of volume, seconds."""

    action: str
    gap_s: int
    move: int
    spread: int
    side: int
    lots: int
    stop: int
    target: int


def drawn(seed: int) -> list[Step]:
    """A tape from a seed; stops and targets at or below 0 are none, near ones are invalid."""
    rng = np.random.default_rng(seed)
    roughness = int(rng.choice([20, 100, 400, 2_500]))
    return [
        Step(
            action=str(rng.choice(list(ACTIONS), p=list(ACTIONS.values()))),
            gap_s=int(rng.choice(GAPS_S, p=GAP_SHARES)),
            move=int(rng.integers(-roughness, roughness + 1)),
            spread=int(rng.integers(0, 25)),
            side=int(rng.choice([1, -1])),
            lots=int(rng.integers(0, 260) if rng.random() < 0.5 else rng.integers(1, 20)),
            stop=int(rng.integers(-100, 300)),
            target=int(rng.integers(-100, 300)),
        )
        for _ in range(STEPS)
    ]


@dataclass
class Pair:
    """Both accounts on one market."""

    ours: Tape
    theirs: Desk
    instrument: Instrument
    count: int = 0

    def quote(self, ts_ns: int, bid: int, ask: int) -> None:
        """A quote in points for both."""
        self.ours.now_ns = self.theirs.now_ns = ts_ns
        entries.quote_entry(self.ours.accounts, ts_ns, bid, ask)
        scale = 10**self.instrument.digits
        self.theirs.broker.on_tick(Tick(self.instrument.symbol, ts_ns, bid / scale, ask / scale))

    def submit(self, **changes: object) -> None:
        """A request to the paper broker."""
        self.count += 1
        wanted = order(self.instrument.symbol, order_id=f"order-{self.count}", **changes)
        self.theirs.submit(wanted)

    def enter(self, side: int, steps: int, stop: int, target: int, price: int) -> None:
        """An entry for both, with absolute stops."""
        levels = [
            price - side * stop if stop > 0 else 0,
            price + side * target if target > 0 else 0,
        ]
        self.ours.accounts["exits"]["stop_price"], self.ours.accounts["exits"]["target_price"] = (
            levels
        )
        if entries.enter_entry(self.ours.accounts, side, steps):
            return
        scale = 10**self.instrument.digits
        self.submit(
            side=Side(side),
            quantity=round(steps * self.instrument.volume_step, 8),
            stop_loss=levels[0] / scale,
            take_profit=levels[1] / scale,
        )

    def close(self, which: int, steps: int) -> None:
        """(Part of) the same position for both."""
        held = self.ours.held
        place = which % len(held)
        lots = steps or int(held[place]["lots"])
        entries.close_entry(self.ours.accounts, int(held[place]["ticket"]), lots, 0)
        position = list(self.theirs.broker.desk.book.positions.values())[place]
        self.submit(
            kind=OrderKind.CLOSE,
            side=position.side.opposite,
            quantity=round(lots * self.instrument.volume_step, 8),
            position_ticket=position.identifier,
        )

    def close_by(self, which: int, other: int) -> None:
        """The same two positions for both."""
        held = self.ours.held
        one, two = which % len(held), other % len(held)
        entries.close_by_entry(
            self.ours.accounts, int(held[one]["ticket"]), int(held[two]["ticket"])
        )
        positions = list(self.theirs.broker.desk.book.positions.values())
        self.submit(
            kind=OrderKind.CLOSE_BY,
            position_ticket=positions[one].identifier,
            opposite_ticket=positions[two].identifier,
        )

    def compare(self) -> None:
        """Balance, equity, margin and every position, to the cent and the last digit."""
        broker, accounts = self.theirs.broker, self.ours.accounts
        account = broker.account()
        ours = (self.ours.balance, self.ours.equity, entries.margin_entry(accounts))
        assert ours == (account.balance, account.equity, account.margin * 100)
        book = [
            (int(one.side), one.quantity, one.open_price, one.swap, one.margin, one.stop_loss)
            for one in broker.desk.book.positions.values()
        ]
        scale, step = 10**self.instrument.digits, self.instrument.volume_step
        mine = [
            (
                int(one["side"]),
                round(int(one["lots"]) * step, 8),
                int(one["open"]) / (scale * 1000),
                Decimal(int(one["swap"])) / 100,
                Decimal(int(one["margin"])) / 100,
                int(one["stop"]) / scale,
            )
            for one in self.ours.held
        ]
        assert mine == book

    def compare_history(self) -> None:
        """Profit and swap of every exit, the price of every fill, the code of every refusal."""
        frames = self.ours.frames()
        exits = [deal for deal in self.theirs.broker.deals(0) if deal.is_exit]
        theirs = [(float(one.profit), float(one.swap), one.price) for one in exits]
        assert list(frames.trades.select("gross", "swap", "close_price").rows()) == theirs
        words = [u.reason for u in self.theirs.updates if u.kind is UpdateKind.REJECTED]
        codes = [RETCODES[Refusal(word)] for word in words]
        refused = frames.orders.filter(frames.orders["filled_ns"] == 0)["retcode"].to_list()
        assert sorted(refused) == sorted(codes)


def pair(market: str, *, is_hedging: bool, deposit: int, latency_ms: int = 0) -> Pair:
    """Both accounts, opened with the same money and rules."""
    instrument, currency = MARKETS[market]
    instrument = msgspec.structs.replace(instrument, leverage=LEVERAGE)
    ours = tape(
        instrument, quote_wait_s=60.0, currency=currency, balance=f"{deposit}.00",
        leverage=LEVERAGE, mode="hedging" if is_hedging else "netting", margin_call_level=0.0,
        latency_ms=float(latency_ms),
    )  # fmt: skip
    contracts = {instrument.symbol: instrument}
    if market == "EURGBP":
        contracts |= {
            name: msgspec.structs.replace(instrument, symbol=name, base=name[:3], quote="USD")
            for name in GIVEN
        }
    options = BrokerOptions(
        currency=currency,
        deposit=Decimal(deposit).quantize(Decimal("0.01")),
        latency_ms=latency_ms,
        rules=AccountRules(is_hedging=is_hedging),
    )
    theirs = Desk(PaperBroker(contracts, options))
    theirs.broker.connect(theirs.updates.append)
    if market == "EURGBP":
        ours.accounts["given_quote_rate"] = GIVEN["GBPUSD"][0]
        ours.accounts["given_base_rate"] = GIVEN["EURUSD"][0]
        for name, (bid, ask) in GIVEN.items():
            theirs.broker.on_tick(Tick(name, TUESDAY_NS, bid, ask))
    return Pair(ours, theirs, instrument)


@given(
    market=st.sampled_from(sorted(MARKETS)),
    is_hedging=st.booleans(),
    deposit=st.integers(300, 20_000),
    seed=st.integers(0, 2**32),
    latency_ms=st.sampled_from([0, 700, 25_000]),
)
@settings(max_examples=60, deadline=None)
def test_the_paper_broker_and_the_compiled_account_agree(
    market: str, is_hedging: bool, deposit: int, seed: int, latency_ms: int
) -> None:
    """Deals, balance, swap, margin, refusals and stop-outs, after every quote."""
    both = pair(market, is_hedging=is_hedging, deposit=deposit, latency_ms=latency_ms)
    play(both, drawn(seed))
    both.compare_history()


@given(seed=st.integers(0, 2**32), market=st.sampled_from(["EURUSD", "USDJPY"]))
@settings(max_examples=20, deadline=None)
def test_a_quiet_quote_may_be_skipped(seed: int, market: str) -> None:
    """An account that looks at everything on every quote ends as one that looks when it must."""
    exits = Exits(break_even_after_r=0.5, time_s=900.0, partial=(Partial(at_r=0.8, fraction=0.4),))
    ends = [watched(seed, market, exits, is_restless=restless) for restless in (False, True)]

    assert ends[0] == ends[1]


def watched(seed: int, market: str, exits: Exits, *, is_restless: bool) -> tuple[object, ...]:
    """Digest, equity curve and drawdown after 600 quotes with every kind of exit."""
    instrument, currency = MARKETS[market]
    one = tape(
        instrument, currency=currency, exits=exits, latency_ms=300.0, latency_spread_ms=800.0,
        slippage_points=0.5, reject_fraction=0.05, partial_fraction=0.1, balance="3000.00",
        risk={"daily_loss_max_fraction": 0.2, "positions_max": 4},
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    scale = 10.0**instrument.digits
    bid = START[instrument.symbol] + np.cumsum(rng.integers(-12, 13, 600))
    for price, spread, wish in zip(bid, rng.integers(0, 9, 600), rng.random(600), strict=True):
        if is_restless:
            one.accounts["wake_ns"] = 0
        one.quote(price / scale, (price + spread) / scale, after_s=20.0)
        if wish < 0.04:
            levels = {"stop": 60 / scale, "target": 150 / scale, "trailing": 40 / scale}
            one.enter(1 if wish < 0.02 else -1, 0.07, trailing_step=3 / scale, **levels)
        elif wish > 0.99:
            one.leave()
    frames = one.finish()
    return (
        frames.log_digest,
        frames.trades.rows(),
        frames.equity.rows(),
        frames.max_drawdown,
        frames.max_drawdown_fraction,
        frames.denials,
    )


def test_the_tapes_meet_everything() -> None:
    """A comparison of quiet books would prove nothing: what tapes of this kind bring about."""
    reasons: set[str] = set()
    answers: set[int] = set()
    for seed, market in enumerate(PLAIN * 6):
        both = pair(market, is_hedging=seed % 2 == 0, deposit=(400, 3_000, 20_000)[seed % 3])
        play(both, drawn(seed))
        both.compare_history()
        frames = both.ours.frames()
        reasons |= set(frames.trades["exit_reason"])
        answers |= set(frames.orders["retcode"])

    assert reasons >= {"signal", "turned", "stop_loss", "take_profit", "stop_out"}
    assert answers >= {10009, 10013, 10016, 10019, 10021, 10035, 10036, 10038}


def play(both: Pair, steps: list[Step]) -> None:
    """Let a tape pass both accounts; they must agree after every quote."""
    ts_ns, bid = TUESDAY_NS, START[both.instrument.symbol]
    both.quote(ts_ns, bid, bid + 3)
    for step in steps:
        act(both, step, bid)
        ts_ns = calendar.next_open_ns(ts_ns + step.gap_s * NS_PER_SECOND)
        bid = max(bid + step.move, 1_000)
        both.quote(ts_ns, bid, bid + step.spread)
        both.compare()


def act(both: Pair, step: Step, bid: int) -> None:
    """Ask both accounts for what a step says; without a position only entries can be asked."""
    if step.action == "enter":
        both.enter(step.side, step.lots, step.stop, step.target, bid)
    elif len(both.ours.held) and step.action == "close":
        both.close(step.move, step.lots % 20)
    elif len(both.ours.held) and step.action == "close_by":
        both.close_by(step.move, step.target)
    elif len(both.ours.held) and step.action == "leave":
        both.close(0, 0)
