"""Trade reports in the words of EMIR: one row per closed position, made of stored events.

A position's contract ends with its close: action TERM, event ETRM. What Plan2 does not know stays
blank, and `BLANK_TRADE_FIELDS` says why.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.foundation.events.order import OrderExecuted, PositionClosed, PositionOpened
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.upcast import restore
from plan2.foundation.ids import derived_id
from plan2.foundation.instrument import Instrument
from plan2.intelligence.records.fields import Firm, TradeReport
from plan2.intelligence.records.words import asset_class, instant, quote_currency

TRADE_TYPES: Final = ("PositionOpened", "OrderExecuted", "PositionClosed")
"""The events that trade reports are made of."""
NO_LEI: Final = "PLAN2"
"""Begins the ids of a firm without an LEI; such ids are unique, but not fit for a report."""

Contract = Callable[[str], Instrument | None]
"""What is known of a symbol's contract; None when nothing is."""


class _Open(msgspec.Struct):
    """A position that is not closed yet."""

    opened: PositionOpened | None = None
    orders: list[str] = []
    fills: list[str] = []


class TradeReporter:
    """Takes events in the order of the log and gives a report for each position that closed.

    Args:
        firm: who reports. contract: knows contract sizes.
    """

    def __init__(self, firm: Firm, contract: Contract = lambda _: None) -> None:
        self._firm = firm
        self._contract = contract
        self._open: dict[str, _Open] = {}

    def take(self, stored: StoredEvent) -> list[TradeReport]:
        """The reports of one event: none, or one."""
        if stored.type not in TRADE_TYPES:
            return []
        event = restore(stored)
        if isinstance(event, PositionOpened):
            self._open.setdefault(event.position_id, _Open()).opened = event
        elif isinstance(event, OrderExecuted) and event.position_id:
            known = self._open.setdefault(event.position_id, _Open())
            if event.is_exit:
                known.fills.append(event.fill_id)
            elif event.order_id:
                known.orders.append(event.order_id)
        elif isinstance(event, PositionClosed):
            return [self._report(event, stored)]
        return []

    def _report(self, event: PositionClosed, stored: StoredEvent) -> TradeReport:
        known = self._open.pop(event.position_id, _Open())
        firm, symbol = self._firm, event.symbol
        opened_ns = known.opened.ts_ns if known.opened else event.ts_ns
        contract = self._contract(symbol)
        quantity = known.opened.quantity if known.opened else event.quantity
        quantity = max(quantity, event.quantity)
        notional = _notional(contract, quantity, event.open_price)
        return TradeReport(
            uti=uti_of(firm.lei, event.tenant_id, event.position_id),
            reporting_time=instant(event.ts_ns),
            reporting_counterparty=firm.lei,
            other_counterparty=firm.broker_lei,
            action_type="TERM",
            event_type="ETRM",
            level="TCTN",
            asset_class=asset_class(symbol),
            contract_type="CFDS",
            underlying=symbol,
            isin="",
            direction="BYER" if event.direction in {"buy", "long"} else "SLLR",
            execution_time=instant(opened_ns),
            effective_date=instant(opened_ns)[:10],
            termination_time=instant(event.ts_ns),
            expiration_date="",
            open_price=event.open_price,
            close_price=event.close_price,
            price_currency=quote_currency(symbol),
            quantity_lots=quantity,
            notional_amount=notional[0],
            notional_currency=notional[1],
            delivery_type="CASH",
            is_cleared=False,
            is_intragroup=False,
            venue_mic=firm.venue_mic,
            collateral_portfolio="",
            valuation_amount=None,
            profit=event.profit,
            commission=event.commission,
            swap=event.swap,
            closing_reason=event.reason,
            account_id=event.account_id,
            position_id=event.position_id,
            decision_id=event.decision_id,
            opening_orders=" ".join(known.orders),
            closing_fills=" ".join(known.fills),
            sequence_number=stored.position,
            event_hash=stored.hash.hex(),
        )


def _notional(
    contract: Instrument | None, quantity: float, price: float
) -> tuple[float | None, str]:
    """Amount and currency: units of the base; where that is no currency, their price."""
    if contract is None:
        return None, ""
    units = quantity * contract.lot_units
    if contract.base == contract.symbol:
        return units * price, contract.quote
    return units, contract.base


def uti_of(lei: str, tenant_id: str, position_id: str) -> str:
    """A unique id as ISO 23897 wants it: 20 signs of who made it, 32 that are its own."""
    return f"{lei or NO_LEI}{derived_id('uti', tenant_id, position_id).upper()}"
