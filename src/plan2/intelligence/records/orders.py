"""Order records with the fields of RTS 24, made of stored events one by one, in order.

The same events give the same records. Instructions to change, cancel or protect are no orders of
their own: what they did shows as an event of the order that they were about.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
    PositionOpened,
)
from plan2.foundation.events.tenancy import ClockMeasured
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.upcast import restore
from plan2.intelligence.records.decisions import NO_MODELS, AiPart, ai_part
from plan2.intelligence.records.fields import Firm, OrderRecord
from plan2.intelligence.records.words import (
    STOP_TRIGGERS,
    instant,
    instant_us,
    order_type,
    quote_currency,
    side_code,
    validity,
)
from plan2.intelligence.trading.orders import LOT_SLACK, kind_of

ORDER_TYPES: Final = (
    "DecisionMade",
    "OrderPlaced",
    "OrderAccepted",
    "OrderRejected",
    "OrderCompleted",
    "OrderCancelled",
    "OrderExpired",
    "OrderAmended",
    "OrderExecuted",
    "PositionOpened",
    "ClockMeasured",
)
"""The events that order records are made of."""

INSTRUCTIONS: Final = frozenset({OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL})
COMPLIANT_CLOCK: Final = frozenset({"synchronised", "drifting"})
REMEMBERED: Final = 50_000
"""Orders and decisions kept in memory, the newest; an order's life is far shorter than that."""
UNKNOWN_PERSON: Final = "unknown: not recorded by the version that placed it"


class _Life(msgspec.Struct):
    """An order as far as it has been told."""

    placed: OrderPlaced
    ai: AiPart
    correlation_id: str
    ticket: str = ""
    traded: float = 0.0
    price: float = 0.0
    limit_price: float = 0.0
    stop_loss: float = 0.0
    take_profit: float = 0.0
    is_withdrawn: bool = False
    is_triggered: bool = False


class OrderRecorder:
    """Takes events in the order of the log and gives the records that they make.

    Args:
        firm: who reports.
    """

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._lives: OrderedDict[str, _Life] = OrderedDict()
        self._by_ticket: OrderedDict[str, _Life] = OrderedDict()
        self._by_decision: OrderedDict[str, _Life] = OrderedDict()
        self._by_position: OrderedDict[str, _Life] = OrderedDict()
        self._decisions: OrderedDict[str, AiPart] = OrderedDict()
        self._clock = ClockMeasured(ts_ns=0, offset_us=None, source="", state="unknown")

    def take(self, stored: StoredEvent) -> list[OrderRecord]:
        """The records of one event; most events make none or one."""
        if stored.type not in ORDER_TYPES:
            return []
        event = restore(stored)
        if isinstance(event, ClockMeasured):
            self._clock = event
        elif isinstance(event, DecisionMade):
            _keep(self._decisions, event.decision_id, ai_part(event.record))
        elif isinstance(event, PositionOpened):
            life = self._by_decision.get(event.decision_id)
            if life is not None:
                _keep(self._by_position, event.position_id, life)
        elif isinstance(event, OrderPlaced):
            return self._placed(event, stored)
        elif isinstance(event, OrderExecuted):
            return list(self._executed(event, stored))
        else:
            return self._answered(event, stored)
        return []

    def _placed(self, event: OrderPlaced, stored: StoredEvent) -> list[OrderRecord]:
        life = _Life(
            event,
            self._decisions.get(event.decision_id, NO_MODELS),
            stored.correlation_id,
            price=event.price,
            limit_price=event.limit_price,
            stop_loss=event.stop_loss,
            take_profit=event.take_profit,
        )
        _keep(self._lives, event.order_id, life)
        kind = kind_of(event)
        if kind in INSTRUCTIONS:
            if kind is OrderKind.CANCEL and event.target_ticket in self._by_ticket:
                self._by_ticket[event.target_ticket].is_withdrawn = True
            return []
        _keep(self._by_decision, event.decision_id, life)
        return [self._record(life, stored, "NEWO", "ACTI")]

    def _answered(self, event: Event, stored: StoredEvent) -> list[OrderRecord]:
        """What the broker said about an order that is known."""
        life = self._lives.get(str(getattr(event, "order_id", "")))
        if life is None:
            return []
        reason = str(getattr(event, "reason", ""))
        kind = kind_of(life.placed)
        if isinstance(event, OrderAccepted):
            life.ticket = event.ticket
            _keep(self._by_ticket, event.ticket, life)
            return []
        if isinstance(event, OrderRejected):
            return [self._record(life, stored, "REMO", "INAC", reason=reason)]
        if isinstance(event, OrderExpired):
            return [self._record(life, stored, "EXPI", "INAC")]
        if isinstance(event, OrderCancelled):
            code = "CAME" if life.is_withdrawn else "CAMO"
            return [self._record(life, stored, code, "INAC", reason=reason)]
        if isinstance(event, OrderAmended):
            life.price, life.limit_price = event.price, event.limit_price
            life.stop_loss, life.take_profit = event.stop_loss, event.take_profit
            return [self._record(life, stored, "REME", "ACTI")]
        if isinstance(event, OrderCompleted) and kind is OrderKind.PROTECT:
            return [self._record(life, stored, "CHME", "ACTI")]
        return []

    def _executed(self, event: OrderExecuted, stored: StoredEvent) -> Iterator[OrderRecord]:
        life = self._lives.get(event.order_id)
        if life is None:
            yield self._by_broker(event, stored)
            return
        if life.placed.trigger in STOP_TRIGGERS and not life.is_triggered:
            life.is_triggered = True
            yield self._record(life, stored, "TRIG", "ACTI")
        life.traded = round(life.traded + event.executed_quantity, 8)
        # Both positions of a close-by have their own deal.
        is_pair = kind_of(life.placed) is OrderKind.CLOSE_BY
        wanted = life.placed.quantity * (2.0 if is_pair else 1.0)
        is_whole = life.traded >= wanted - LOT_SLACK
        code, status = ("FILL", "INAC") if is_whole else ("PARF", "ACTI")
        yield self._record(life, stored, code, status, fill=event)

    def _by_broker(self, event: OrderExecuted, stored: StoredEvent) -> OrderRecord:
        """A stop that the broker executed, or a person's deal at the broker's own terminal."""
        opener = self._by_position.get(event.position_id)
        placed = OrderPlaced(
            ts_ns=event.ts_ns,
            order_id=event.order_id or f"broker:{event.fill_id}",
            decision_id=opener.placed.decision_id if opener else "",
            tenant_id=opener.placed.tenant_id if opener else "",
            account_id=event.account_id,
            symbol=event.symbol,
            side=event.side,
            quantity=event.executed_quantity,
            price=event.executed_price,
            stop_loss=0.0,
            take_profit=0.0,
            reduce_only=event.is_exit,
            token="",
            position_id=event.position_id,
            expires_ts_ns=0,
            kind=OrderKind.CLOSE.value if event.is_exit else OrderKind.OPEN.value,
            decided_by=opener.placed.decided_by if opener else f"broker:{event.reason}",
            executed_by=f"broker:{event.reason}",
            algorithm_version=opener.placed.algorithm_version if opener else "none",
            models_hash=opener.placed.models_hash if opener else "",
            client=opener.placed.client if opener else "",
            flow_id=opener.placed.flow_id if opener else "none",
        )
        life = _Life(placed, opener.ai if opener else NO_MODELS, stored.correlation_id)
        life.traded = event.executed_quantity
        return self._record(life, stored, "FILL", "INAC", fill=event, reason=event.reason)

    def _record(
        self,
        life: _Life,
        stored: StoredEvent,
        code: str,
        status: str,
        *,
        fill: OrderExecuted | None = None,
        reason: str = "",
    ) -> OrderRecord:
        placed = life.placed
        is_person = placed.decided_by.startswith("user:")
        remaining = 0.0 if status == "INAC" else max(0.0, round(placed.quantity - life.traded, 8))
        return OrderRecord(
            sequence_number=stored.position,
            event_time=instant(stored.source_ts_ns),
            event_type=code,
            transaction_price=fill.executed_price if fill else None,
            trade_id=fill.fill_id if fill else "",
            traded_quantity=fill.executed_quantity if fill else 0.0,
            passive_or_aggressive=_aggression(placed, fill),
            status=status,
            remaining_quantity=remaining,
            displayed_quantity=remaining,
            reason=reason or placed.reason,
            human_override=placed.reason if is_person else "",
            correlation_id=stored.correlation_id or life.correlation_id,
            recorded_time=instant_us(stored.at_us),
            event_hash=stored.hash.hex(),
            **self._of_order(life),
            **msgspec.structs.asdict(life.ai),
        )

    def _of_order(self, life: _Life) -> dict[str, Any]:
        """The fields that an order carries through its life; values of several types."""
        placed, firm, clock = life.placed, self._firm, self._clock
        return {
            "order_id": placed.order_id,
            "member_id": firm.lei,
            "is_direct_electronic_access": False,
            "client_id": placed.client or placed.tenant_id or placed.account_id,
            "investment_decision": placed.decided_by or UNKNOWN_PERSON,
            "execution_within_firm": placed.executed_by or UNKNOWN_PERSON,
            "non_executing_broker": "",
            "trading_capacity": "DEAL",
            "is_liquidity_provision": False,
            "venue_mic": firm.venue_mic,
            "order_book": placed.symbol,
            "instrument": placed.symbol,
            "isin": "",
            "minimum_quantity": None,
            "is_self_execution_prevention": False,
            "strategy_link_id": placed.flow_id or "main",
            "routing_strategy": "",
            "trading_phase": "",
            "account_id": placed.account_id,
            "position_id": placed.position_id,
            "decision_id": placed.decision_id,
            "algorithm_version": placed.algorithm_version or UNKNOWN_PERSON,
            "models_hash": placed.models_hash,
            "clock_state": clock.state,
            "clock_offset_us": clock.offset_us,
            "is_clock_compliant": clock.state in COMPLIANT_CLOCK,
            **_wanted(life),
        }


def _wanted(life: _Life) -> dict[str, Any]:
    """What the order asks for, as it stands now; values of several types."""
    placed = life.placed
    kind = order_type(placed)
    limit = life.limit_price if kind == "STOP" else life.price
    ends_ns = placed.order_expires_ts_ns
    return {
        "receipt_time": instant(placed.ts_ns),
        "broker_order_id": life.ticket,
        "client_order_id": placed.token,
        "order_type": kind,
        "order_class": kind_of(placed).value,
        "side": side_code(placed.side),
        "validity": validity(placed),
        "validity_end": instant(ends_ns) if ends_ns else "",
        "restriction": "",
        "limit_price": (limit or None) if kind != "MRKT" else None,
        "stop_price": (life.price or None) if kind == "STOP" else None,
        "stop_loss": life.stop_loss or None,
        "take_profit": life.take_profit or None,
        "price_currency": quote_currency(placed.symbol),
        "price_notation": "MONE",
        "quantity_notation": "LOTS",
        "initial_quantity": placed.quantity,
    }


def _aggression(placed: OrderPlaced, fill: OrderExecuted | None) -> str:
    """Field 44: whether the execution was of a waiting order or took what was there."""
    if fill is None:
        return ""
    return "PASV" if order_type(placed) == "LMTO" else "AGRE"


def _keep(kept: OrderedDict[str, Any], key: str, value: Any) -> None:  # lives or parts of them
    """Remember the newest; the oldest are forgotten."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > REMEMBERED:
        kept.popitem(last=False)
