"""Every channel of the stream: which exist, what makes them change, and how one is found."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.interface.items import EventItem
from plan2.interface.live import LiveView
from plan2.interface.streaming.log_channel import LogChannel
from plan2.interface.streaming.sources import (
    ONE_ROW,
    PERIODS_S,
    CandleSource,
    FeedsSource,
    ForecastSource,
    MoreRows,
    OneRowSource,
    PositionsSource,
    QuotesSource,
    RiskSource,
)
from plan2.interface.streaming.state_channel import StateChannel, StateSource

HEAVY_MEMBERS: Final = frozenset({"record"})
"""Members of payloads that the stream leaves out; `GET /decisions/{id}` has the record."""

Params = Mapping[str, str | int]


class Channels:
    """The channels of one tenant; numbers stay the same as long as the process runs.

    Args:
        live: the latest state, whose changes drive the state channels.
        health: makes the row of `health`. more: the rows of `jobs` and `alerts`.
    """

    def __init__(self, live: LiveView, health: Callable[[], Any], more: MoreRows) -> None:
        self._live = live
        self._count = 0
        self.quotes = self._state("quotes", QuotesSource(live.market))
        self.forecast = self._state("forecast", ForecastSource(live.market))
        self.positions = self._state("positions", PositionsSource(live.books))
        self.account = self._state("account", OneRowSource(live.books.row))
        self.risk = self._state("risk", RiskSource(live.books))
        self.feeds = self._state("feeds", FeedsSource(live.market))
        self.health = self._state("health", OneRowSource(health))
        self.broker = self._state("broker", OneRowSource(live.books.broker))
        self.jobs = self._state("jobs", more.jobs)
        self.alerts = self._state("alerts", more.alerts)
        self.decisions = LogChannel(self._next_number(), "decisions")
        self.orders = LogChannel(self._next_number(), "orders")
        self.fills = LogChannel(self._next_number(), "fills")
        self.events = LogChannel(self._next_number(), "events")
        self._candles: dict[tuple[str, int], tuple[StateChannel, CandleSource]] = {}
        plain = (
            *(self.quotes, self.forecast, self.positions, self.account, self.risk, self.feeds),
            *(self.health, self.broker, self.jobs, self.alerts),
        )
        self._plain: dict[str, StateChannel] = {channel.name: channel for channel in plain}
        self._logs = {log.name: log for log in self.logs()}
        self.listeners = (
            *(self._on_ticks, self.forecast.touch, self._on_booked),
            *(self.broker.touch, self.feeds.touch),
        )

    def logs(self) -> tuple[LogChannel, ...]:
        """Every log channel."""
        return self.decisions, self.orders, self.fills, self.events

    def states(self) -> list[StateChannel]:
        """Every state channel that exists now."""
        return [*self._plain.values(), *(channel for channel, _ in self._candles.values())]

    def find(self, name: str, params: Params) -> StateChannel | LogChannel:
        """The channel of a name and its parameters.

        Raises:
            InputError: no such channel, or parameters that it does not take.
        """
        if name == "candle":
            return self._candle(params)
        if params:
            raise InputError(f"Channel {name} takes no parameters; found {sorted(params)}.")
        found = self._plain.get(name) or self._logs.get(name)
        if found is None:
            known = [*self._plain, "candle", *self._logs]
            raise InputError(f"There is no channel {name!r}; channels are {', '.join(known)}.")
        return found

    def _candle(self, params: Params) -> StateChannel:
        symbol, period_s = params.get("symbol"), params.get("period_s")
        view = self._live.market.view(str(symbol))
        if set(params) != {"symbol", "period_s"} or view is None or period_s not in PERIODS_S:
            raise InputError(
                "Channel candle takes symbol (a watched one) and period_s (one of "
                f"{sorted(PERIODS_S)}); found {dict(params)}."
            )
        key = (str(symbol), int(period_s))
        if key not in self._candles:
            source = CandleSource(view.candles, int(period_s))
            self._candles[key] = (self._state("candle", source), source)
        return self._candles[key][0]

    def _on_ticks(self, symbols: set[Hashable]) -> None:
        self.quotes.touch(symbols)
        for (symbol, _), (channel, source) in self._candles.items():
            if symbol in symbols and channel.is_followed:
                channel.touch(source.changed())
        followed = (self.positions, self.account, self.risk)
        if not any(channel.is_followed for channel in followed):
            return
        exposed = self._live.books.ids_of({str(symbol) for symbol in symbols})
        if exposed:
            self.positions.touch(exposed)
            self.account.touch({ONE_ROW})
            self.risk.touch({ONE_ROW})

    def _on_booked(self, keys: set[Hashable]) -> None:
        self.positions.touch(keys - {ONE_ROW})
        self.account.touch({ONE_ROW})
        self.risk.touch({ONE_ROW})

    def _state(self, name: str, source: StateSource) -> StateChannel:
        return StateChannel(self._next_number(), name, source)

    def _next_number(self) -> int:
        self._count += 1
        return self._count


def light(item: EventItem) -> EventItem:
    """An event as the stream carries it: without the members that weigh most."""
    payload = {name: value for name, value in item.payload.items() if name not in HEAVY_MEMBERS}
    return msgspec.structs.replace(item, payload=payload)
