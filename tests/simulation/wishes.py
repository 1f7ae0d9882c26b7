"""What people and the algorithm want in a run, drawn from the seed."""

import numpy as np

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.foundation.values import NS_PER_SECOND, Side
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.switching import Change
from plan2.intelligence.trading.wishes import Ask, OrderWish, Selection
from simulation.process import Process
from simulation.world import SYMBOLS, World

PERSON = Ask("user:sim", "a whim")
STOP = 0.0030
"""Distance of ordinary stops, quote currency."""


class Wisher:
    """Draws one wish at a time and asks the account for it."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world = world
        self._rng = rng
        self._count = 0

    def opinion(self) -> dict[str, float]:
        """What the models believe on this turn."""
        if self._rng.random() < 0.85:
            return {}
        symbol = SYMBOLS[int(self._rng.integers(len(SYMBOLS)))]
        return {symbol: 0.75 if self._rng.random() < 0.5 else 0.25}

    def wish(self, process: Process) -> str:
        """Want something; says what, with what came of it."""
        kinds = (
            self._pending,
            self._pending,
            self._open,
            self._protect,
            self._close,
            self._close_by,
            self._cancel,
            self._change,
        )
        if not self._world.is_hedging:
            kinds = (*kinds, self._reverse, self._reverse)
        kind = kinds[int(self._rng.integers(len(kinds)))]
        wish = kind(process)
        if wish is None:
            return ""
        outcome = process.account.requests.request(wish, self._world.clock.now_ns())
        what = outcome.refusal.rule if outcome.refusal is not None else outcome.order_id
        return f"{wish.kind.value} {what}"

    def kill(self, process: Process) -> None:
        """Halt, withdraw what works, close what is open, and go on until it is done."""
        change = Change(
            state=TradingState.HALTED,
            ts_ns=self._world.clock.now_ns(),
            actor=PERSON.actor,
            reason=f"kill: {PERSON.reason}",
        )
        process.account.kills.begin(change, closes_foreign=False)

    def withdraw(self, process: Process) -> None:
        """Halt, and withdraw what works; positions are left to their time."""
        account, now_ns = process.account, self._world.clock.now_ns()
        account.set_state(TradingState.HALTED, now_ns, PERSON.actor, PERSON.reason)
        account.requests.cancel_all(Selection(), PERSON, now_ns)

    def trade_by_hand(self) -> str:
        """Somebody opens or closes a position at the terminal, without us."""
        broker = self._world.broker
        foreign = [one for one in broker.positions() if one.magic == 0]
        if foreign:
            one = foreign[0]
            request = BrokerRequest(
                kind=OrderKind.CLOSE,
                symbol=one.symbol,
                side=one.side.opposite,
                quantity=one.quantity,
                position_ticket=one.ticket,
                reason="manual",
            )
        else:
            symbol = SYMBOLS[int(self._rng.integers(len(SYMBOLS)))]
            request = BrokerRequest(
                kind=OrderKind.OPEN, symbol=symbol, side=Side.BUY, quantity=0.01, reason="manual"
            )
        answer = broker.trade_manually(request)
        return f"{request.kind.value} {answer.refusal}"

    # --- one of each kind -----------------------------------------------------------------

    def _key(self) -> str:
        """Every wish is a new one, though it may look like another."""
        self._count += 1
        return f"wish-{self._world.clock.now_ns()}-{self._count}"

    def _side(self) -> Side:
        return Side.BUY if self._rng.random() < 0.5 else Side.SELL

    def _lots(self) -> float:
        return round(0.02 * float(self._rng.integers(1, 4)), 2)

    def _open(self, process: Process) -> OrderWish | None:
        symbol, side = SYMBOLS[int(self._rng.integers(len(SYMBOLS)))], self._side()
        price = self._world.prices[symbol]
        return OrderWish(
            kind=OrderKind.OPEN,
            ask=PERSON,
            symbol=symbol,
            side=side,
            quantity=self._lots(),
            stop_loss=round(price - side * STOP, 5),
            key=self._key(),
            horizon_s=30,
        )

    def _reverse(self, process: Process) -> OrderWish | None:
        """On a netting account: one order that closes a position and opens the other side."""
        position = self._a_position(process)
        if position is None:
            return None
        side = position.side.opposite
        price = self._world.prices[position.symbol]
        return OrderWish(
            kind=OrderKind.OPEN,
            ask=PERSON,
            symbol=position.symbol,
            side=side,
            quantity=round(position.quantity + self._lots(), 2),
            stop_loss=round(price - side * STOP, 5),
            key=self._key(),
            horizon_s=30,
        )

    def _pending(self, process: Process) -> OrderWish | None:
        symbol, side = SYMBOLS[int(self._rng.integers(len(SYMBOLS)))], self._side()
        trigger = Trigger.LIMIT if self._rng.random() < 0.5 else Trigger.STOP
        sign = -side if trigger is Trigger.LIMIT else side
        price = self._world.prices[symbol] + sign * 0.0001 * float(self._rng.integers(2, 12))
        life_s = int(self._rng.integers(5, 60)) if self._rng.random() < 0.5 else 0
        now_ns = self._world.clock.now_ns()
        return OrderWish(
            kind=OrderKind.PENDING,
            ask=PERSON,
            symbol=symbol,
            side=side,
            quantity=self._lots(),
            trigger=trigger,
            price=round(price, 5),
            stop_loss=round(price - side * STOP, 5),
            expires_ts_ns=now_ns + life_s * NS_PER_SECOND if life_s else 0,
            key=self._key(),
            horizon_s=30,
        )

    def _protect(self, process: Process) -> OrderWish | None:
        position = self._a_position(process)
        if position is None:
            return None
        price = self._world.prices[position.symbol]
        tight = 0.0004 * float(self._rng.integers(1, 5))
        return OrderWish(
            kind=OrderKind.PROTECT,
            ask=PERSON,
            position_id=position.position_id,
            stop_loss=round(price - position.side * tight, 5),
            take_profit=round(price + position.side * tight, 5),
            key=self._key(),
        )

    def _close(self, process: Process) -> OrderWish | None:
        position = self._a_position(process)
        if position is None:
            return None
        is_part = position.quantity > 0.02 and self._rng.random() < 0.4
        return OrderWish(
            kind=OrderKind.CLOSE,
            ask=PERSON,
            position_id=position.position_id,
            quantity=0.02 if is_part else 0.0,
            key=self._key(),
        )

    def _close_by(self, process: Process) -> OrderWish | None:
        for position in process.account.positions.open.values():
            for other in process.account.positions.of_symbol(position.symbol):
                if other.side is not position.side and position.is_managed and other.is_managed:
                    return OrderWish(
                        kind=OrderKind.CLOSE_BY,
                        ask=PERSON,
                        position_id=position.position_id,
                        opposite_id=other.position_id,
                        key=self._key(),
                    )
        return None

    def _cancel(self, process: Process) -> OrderWish | None:
        order = self._a_working_order(process)
        if order is None:
            return None
        order_id = order.placed.order_id
        return OrderWish(kind=OrderKind.CANCEL, ask=PERSON, order_id=order_id, key=self._key())

    def _change(self, process: Process) -> OrderWish | None:
        order = self._a_working_order(process)
        if order is None:
            return None
        price = round(order.price + 0.0001 * float(self._rng.integers(-3, 4)), 5)
        order_id = order.placed.order_id
        return OrderWish(
            kind=OrderKind.CHANGE, ask=PERSON, order_id=order_id, price=price, key=self._key()
        )

    def _a_position(self, process: Process):
        held = [one for one in process.account.positions.open.values() if one.is_managed]
        return held[int(self._rng.integers(len(held)))] if held else None

    def _a_working_order(self, process: Process):
        working = process.account.orders.working()
        return working[int(self._rng.integers(len(working)))] if working else None
