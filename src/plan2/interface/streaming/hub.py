"""The stream's heart: collects what changed, encodes it once per channel and class, fans it out.

Each rate class has a pump of its own: the first change after quiet goes out at once, what follows
is paced. Logs have a pump without a pace. Fan-out yields to the loop every few clients, so that a
tick never waits behind a hundred screens.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from plan2.connectivity.identity.principal import Session
from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock, stopwatch_ns
from plan2.foundation.eventstore.record import StoredEvent
from plan2.interface.live import LiveView
from plan2.interface.screen import to_us
from plan2.interface.streaming.channels import Channels
from plan2.interface.streaming.client import Client, StateSubscription
from plan2.interface.streaming.feeds import LogFeeds
from plan2.interface.streaming.protocol import CONTROL, SPACING_S, Close, Codec, Kind, RateClass
from plan2.interface.streaming.sources import NO_MORE, ONE_ROW, MoreRows
from plan2.interface.streaming.state_channel import SharedStream

LIVE_CLIENTS_MAX: Final = 10
FAN_OUT_BATCH: Final = 8
"""A frame to a screen takes some 50 µs; a tick that arrives waits for one batch of them at most."""
CATCH_UP: Final = 0.9
"""What a flush costs of its spacing: less than all, so that a stall is made up for."""
HEARTBEAT_S: Final = 1.0
QUARTERS: Final = 4


class HubInfo(msgspec.Struct, frozen=True):
    """What a client is told about the server; `epoch` names this run of it."""

    tenant_id: str
    ui_hash: str
    epoch: str


class Timing(msgspec.Struct, frozen=True):
    """Wall clock, monotonic seconds, and the way to wait; tests move them by hand."""

    wall: Clock
    now_s: Callable[[], float] = lambda: stopwatch_ns() / 1e9
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class StreamHub:
    """All clients of one tenant, and the pumps that serve them.

    Args:
        live: the latest state.
        health: makes the row of `health`.
        is_live: asked every second whether a caller is still let in.
        info: what clients are told.
        timing: clocks.
        more: rows that are not of the market or the account.
    """

    def __init__(
        self,
        live: LiveView,
        health: Callable[[], Any],  # a struct or map of the caller's
        is_live: Callable[[Session], bool],
        info: HubInfo,
        timing: Timing,
        more: MoreRows = NO_MORE,
    ) -> None:
        self.info = info
        self.channels = Channels(live, health, more)
        self.feeds = LogFeeds(self.channels, self._wake_logs)
        self.clients: set[Client] = set()
        self._joined = 0
        self._followed: set[RateClass] = set()
        self._live = live
        market = live.market
        self._changes = (
            *(market.ticks, market.forecasts, live.booked),
            *(live.compared, market.feeds),
        )
        self._is_live = is_live
        self._timing = timing
        self._awake = {rate: asyncio.Event() for rate in RateClass}
        self._logs_awake = asyncio.Event()

    def subscribe(self, bus: Bus) -> None:
        """Listen to decisions and orders; part of the wiring."""
        self.feeds.subscribe(bus)

    def on_stored(self, stored: StoredEvent) -> None:
        """An event was committed: it goes into the `events` log; a listener of the appender."""
        self.feeds.put(stored)

    def on_job(self, job_id: str) -> None:
        """Something about a job changed."""
        self.channels.jobs.touch({job_id})
        self._wake_states()

    def on_alert(self, alert_id: str) -> None:
        """Something about an alert changed."""
        self.channels.alerts.touch({alert_id})
        self._wake_states()

    async def run(self) -> None:
        """Serve until cancelled or broken; then every client is closed with 1012.

        May be called again: what has changed is heard only while it runs.
        """
        self._listen()
        try:
            async with asyncio.TaskGroup() as tasks:
                for rate in RateClass:
                    tasks.create_task(self._pump_states(rate))
                tasks.create_task(self._pump_logs())
                tasks.create_task(self._keep_time())
        finally:
            for client in list(self.clients):
                client.close(Close.RESTART)
            for changes in self._changes:
                changes.forget(self._wake_states, self.channels.listeners)

    def _listen(self) -> None:
        for changes, listener in zip(self._changes, self.channels.listeners, strict=True):
            changes.wake_with(self._wake_states)
            changes.listen(listener)

    def join(self, session: Session, codec: Codec) -> Client:
        """A new client, greeted."""
        client = Client(session, codec, RateClass.NORMAL, quarter=self._joined % QUARTERS)
        self._joined += 1
        self.clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """A client is gone."""
        client.leave()
        self.clients.discard(client)
        self.recount()

    def recount(self) -> None:
        """Find out which classes are followed: only those are woken.

        They are woken now, because what changed while nobody followed has not been collected.
        """
        self._followed = {client.rate for client in self.clients if client.states}
        self._wake_states()

    def grant(self, rate: RateClass) -> RateClass:
        """The class a client gets when it asks for `rate`; few may have the fastest."""
        live = sum(client.rate is RateClass.LIVE for client in self.clients)
        if rate is RateClass.LIVE and live >= LIVE_CLIENTS_MAX:
            return RateClass.NORMAL
        return rate

    def now_s(self) -> float:
        """Monotonic seconds."""
        return self._timing.now_s()

    def server_us(self) -> int:
        """Wall time, microseconds."""
        return to_us(self._timing.wall.now_ns())

    def market_us(self) -> int:
        """Market time, microseconds."""
        return to_us(self._live.market.clock.now_ns())

    # --- pumps ----------------------------------------------------------------------------

    async def _pump_states(self, rate: RateClass) -> None:
        """Flush one class: at once after quiet, then once per spacing.

        A flush may come half a spacing early and is paid back by the next ones (GCRA), and a pace
        may be a tenth faster than its name. Without both, quotes that come at the very pace of the
        class would wait for up to a whole spacing, for ever, after a single late timer.
        """
        awake, spacing_s = self._awake[rate], SPACING_S[rate]
        paid_s = 0.0
        while True:
            await awake.wait()
            awake.clear()
            started_s = self._timing.now_s()
            self._collect()
            streams = [channel.streams[rate] for channel in self.channels.states()]
            flushed = [await self._flush(stream) for stream in streams]
            if any(flushed):
                paid_s = max(paid_s, started_s) + spacing_s * CATCH_UP
                pause_s = paid_s - spacing_s / 2 - self._timing.now_s()
            else:
                pause_s = spacing_s / 10  # only channels that nobody follows at this rate changed
            await self._timing.sleep(max(0.0, pause_s))

    async def _flush(self, stream: SharedStream) -> bool:
        """Send what changed to everybody who follows; False when nothing did."""
        rows = stream.take_rows()
        if not rows:
            return False
        seq, t_us, now_s = stream.seq, self.market_us(), self._timing.now_s()
        frames: dict[str, bytes] = {}
        for count, (client, subscription) in enumerate(self._followers(stream), start=1):
            codec = client.codec
            frame = frames.get(codec.subprotocol)
            if frame is None:
                frame = frames[codec.subprotocol] = codec.encode(
                    Kind.DELTA, stream.number, seq, t_us, rows
                )
            client.offer(subscription, seq, frame, now_s)
            if count % FAN_OUT_BATCH == 0:
                await asyncio.sleep(0)
        return True

    def _followers(self, stream: SharedStream) -> list[tuple[Client, StateSubscription]]:
        """Who follows a stream now; a list, because clients come and go while we yield."""
        found = ((client, client.states.get(stream.number)) for client in self.clients)
        return [(client, sub) for client, sub in found if sub is not None and sub.stream is stream]

    async def _pump_logs(self) -> None:
        while True:
            await self._logs_awake.wait()
            self._logs_awake.clear()
            self.feeds.drain()
            followers = [client for client in self.clients if client.logs]
            for count, client in enumerate(followers, start=1):
                client.ready.set()
                if count % FAN_OUT_BATCH == 0:
                    await asyncio.sleep(0)

    async def _keep_time(self) -> None:
        """Look after a quarter of the clients every quarter of a second: no burst each second."""
        quarter = 0
        while True:
            await self._timing.sleep(HEARTBEAT_S / QUARTERS)
            now_s = self._timing.now_s()
            if not self._followed:
                self._collect()  # nobody is told, and what changed does not pile up
            for client in self.clients:
                client.check(now_s)
            self._beat([client for client in self.clients if client.quarter == quarter])
            if quarter == 0 and self.channels.health.is_followed:
                self.channels.health.touch({ONE_ROW})
                self._wake_states()
            quarter = (quarter + 1) % QUARTERS

    def _beat(self, clients: list[Client]) -> None:
        """Heartbeats, unless the session is over."""
        frames: dict[str, bytes] = {}
        body = {"position": self.channels.events.last}
        for client in clients:
            if not self._is_live(client.session):
                client.close(Close.SIGNED_OUT)
                continue
            codec = client.codec
            frame = frames.get(codec.subprotocol)
            if frame is None:
                frame = codec.encode(Kind.HEARTBEAT, CONTROL, 0, self.server_us(), body)
                frames[codec.subprotocol] = frame
            client.heartbeat(frame)

    def _collect(self) -> None:
        for changes in self._changes:
            changes.collect()

    def _wake_states(self) -> None:
        for rate in self._followed:
            self._awake[rate].set()

    def _wake_logs(self) -> None:
        self._logs_awake.set()
