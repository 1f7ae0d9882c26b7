"""Functions of the package that look up positions, orders and history.

`ticket` is examined first, then `symbol`, then `group`; `group` is applied by the package itself.
Nothing found is an empty tuple with Success.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from plan2.dataflow.terminals.twin.arguments import (
    GROUP_MAX,
    SYMBOL_MAX,
    Arguments,
    Keywords,
    date_s,
    expect_count,
    expect_named,
    group_matches,
    named_number,
    named_text,
)
from plan2.dataflow.terminals.twin.errors import exported, invalid_arguments
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.structs import TradeDeal, TradeOrder, TradePosition

RecordT = TypeVar("RecordT", TradePosition, TradeOrder, TradeDeal)
Dates = tuple[int, int]


class LookupCalls(Calls):
    """positions_*, orders_*, history_orders_*, history_deals_*."""

    @exported(on_error=None)
    def positions_total(self) -> int:
        """How many positions are open."""
        return self._session.ask("positions_total", lambda world: len(world.shown().positions))

    @exported(on_error=None)
    def positions_get(self, *args: Any, **kwargs: Any) -> tuple[TradePosition, ...]:  # Any: any
        """Open positions, filtered."""
        is_wanted = _filter("positions_get", args, kwargs)
        return self._session.ask(
            "positions_get", lambda world: tuple(filter(is_wanted, world.shown().positions))
        )

    @exported(on_error=None)
    def orders_total(self) -> int:
        """How many orders work."""
        return self._session.ask("orders_total", lambda world: len(world.shown().orders))

    @exported(on_error=None)
    def orders_get(self, *args: Any, **kwargs: Any) -> tuple[TradeOrder, ...]:  # Any: any argument
        """Working orders, filtered."""
        is_wanted = _filter("orders_get", args, kwargs)
        return self._session.ask(
            "orders_get", lambda world: tuple(filter(is_wanted, world.shown().orders))
        )

    @exported(on_error=None)
    def history_orders_total(self, *args: Any) -> int:  # Any: the package tests it itself
        """How many orders ended between two times."""
        dates = _dates("history_orders_total", args)
        return self._session.ask(
            "history_orders_total",
            lambda world: len(_between(world.past_orders(), dates, _order_time)),
        )

    @exported(on_error=None)
    def history_orders_get(self, *args: Any, **kwargs: Any) -> tuple[TradeOrder, ...]:  # Any: any
        """Orders that ended: between two times, of one ticket, or of one position."""
        choose = _history_choice("history_orders_get", args, kwargs, _order_time)
        return self._session.ask("history_orders_get", lambda world: choose(world.past_orders()))

    @exported(on_error=None)
    def history_deals_total(self, *args: Any) -> int:  # Any: the package tests it itself
        """How many deals were done between two times."""
        dates = _dates("history_deals_total", args)
        return self._session.ask(
            "history_deals_total", lambda world: len(_between(world.deals(), dates, _deal_time))
        )

    @exported(on_error=None)
    def history_deals_get(self, *args: Any, **kwargs: Any) -> tuple[TradeDeal, ...]:  # Any: any
        """Deals: between two times, of one ticket, or of one position."""
        choose = _history_choice("history_deals_get", args, kwargs, _deal_time)
        return self._session.ask("history_deals_get", lambda world: choose(world.deals()))


def _filter(
    function: str, args: Arguments, kwargs: Keywords
) -> Callable[[TradePosition | TradeOrder], bool]:
    """What positions_get and orders_get were asked for."""
    expect_named(args)
    ticket = named_number(function, kwargs, "ticket")
    if ticket is not None:
        return lambda one: bool(one.ticket == ticket)
    symbol = named_text(kwargs, "symbol", SYMBOL_MAX)
    if symbol is not None:
        return lambda one: bool(one.symbol == symbol)
    group = named_text(kwargs, "group", GROUP_MAX)
    return lambda one: group is None or group_matches(group, one.symbol)


def _history_choice(
    function: str, args: Arguments, kwargs: Keywords, time_of: Callable[[RecordT], int]
) -> Callable[[tuple[RecordT, ...]], tuple[RecordT, ...]]:
    """What a history function was asked for: dates win over ticket, ticket over position."""
    expect_count(args, 0, 2)
    if args:
        dates = _dates(function, args)
        group = named_text(kwargs, "group", GROUP_MAX)
        return lambda all_: tuple(
            one
            for one in _between(all_, dates, time_of)
            if group is None or group_matches(group, one.symbol)
        )
    ticket = named_number(function, kwargs, "ticket")
    if ticket is not None:
        return lambda all_: tuple(one for one in all_ if one.ticket == ticket)[:1]
    position = named_number(function, kwargs, "position")
    if position is None:
        raise invalid_arguments()
    return lambda all_: tuple(one for one in all_ if one.position_id == position)


def _dates(function: str, args: Arguments) -> Dates:
    expect_count(args, 2)
    return date_s(function, args[0]), date_s(function, args[1])


def _between(
    all_: tuple[RecordT, ...], dates: Dates, time_of: Callable[[RecordT], int]
) -> tuple[RecordT, ...]:
    return tuple(one for one in all_ if dates[0] <= time_of(one) <= dates[1])


def _order_time(order: TradeOrder) -> int:
    return int(order.time_done)


def _deal_time(deal: TradeDeal) -> int:
    return int(deal.time)
