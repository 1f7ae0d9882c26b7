"""Screens on the stream while the tick path runs: publish → receive, and what it costs decisions.

The server side is the product's server, hub and live view in this process, fed by the whole tick
path; what the gateway costs is measured by itself (`benchmarks/gateway.py`). All screens live in a
second process, which reads the same monotonic clock: a tick's market time is set so that its delay
can be told on arrival.
"""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.bench.path import SYMBOL, Course, quiet_runner
from plan2.bench.table import Row, percentiles
from plan2.connectivity.gateway.server import run_server
from plan2.connectivity.identity.local_access import NEVER_NS
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock, stopwatch_ns
from plan2.foundation.config.schema import Settings
from plan2.foundation.ids import RandomIds
from plan2.foundation.values import Tick
from plan2.interface.books import AccountBooks
from plan2.interface.live import LiveView, MarketView
from plan2.interface.streaming.connection import StreamRoute
from plan2.interface.streaming.hub import HubInfo, StreamHub, Timing

SECONDS = 10.0
SETTLE_S = 2.0
TICKS_PER_SECOND = 100
LIMIT_MS = 10.0


class Seen(msgspec.Struct):
    """What all screens together saw while it counted."""

    delays_us: list[int] = []
    gaps: int = 0
    lost: int = 0


class Worked(msgspec.Struct):
    """Processor time of the trading thread, ns: of each tick, without what others took."""

    ticks_ns: list[int] = []

    def timed(self, on_tick: Callable[[Tick], None]) -> Callable[[Tick], None]:
        """The same, with its processor time written down."""

        def take(tick: Tick) -> None:
            began_ns = time.thread_time_ns()
            on_tick(tick)
            self.ticks_ns.append(time.thread_time_ns() - began_ns)

        return take


class Everybody:
    """In place of the guard: every socket belongs to the one caller of the benchmark."""

    def __init__(self, app: ASGIApp, session: Session) -> None:
        self._app = app
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through."""
        scope["auth"] = self._session
        await self._app(scope, receive, send)


def open_to(session: Session, hub: StreamHub) -> Litestar:
    """The stream alone, with `session` for everybody who connects."""
    return Litestar(
        StreamRoute(lambda _: hub).handlers(),
        middleware=[lambda app: Everybody(app, session)],
        openapi_config=None,
        logging_config=None,
    )


async def stream_while_trading(course: Course, settings: Settings, screens: int) -> list[Row]:
    """Run the tick path at a steady rate with `screens` clients connected."""
    bus = Bus()
    runner = quiet_runner(course, settings, bus)
    market = MarketView({SYMBOL: course.instrument}, runner.clock)
    live = LiveView(market, AccountBooks(runner.floor.account))
    market.subscribe(bus)
    live.subscribe(bus)
    wall = LiveClock()
    info = HubInfo("bench", "", RandomIds().next_id("epoch"))
    hub = StreamHub(live, dict[str, str], lambda _: True, info, Timing(wall))
    hub.subscribe(bus)
    bus.seal()
    user = User(user_id="bench", name="bench", tenant_id="bench", role=Role.TENANT_ADMIN)
    session = Session(session_id="bench", user=user, csrf="", expires_ns=NEVER_NS)
    app = open_to(session, hub)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    tasks = [
        asyncio.create_task(run_server(app, "127.0.0.1", 0, ready.set_result)),
        asyncio.create_task(hub.run()),
    ]
    worked = Worked()
    try:
        on_tick = worked.timed(runner.on_tick)
        seen = await _trade_and_watch(course, on_tick, await ready, screens)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    stage = runner.latency.stage("tick_to_decision").snapshot()
    return [
        _stream_row(seen, screens),
        Row(
            what=f"tick → decision with {screens} screens",
            p50_us=stage.p50_us,
            p99_us=stage.p99_us,
            worst_us=stage.max_us,
            peer=f"p99 {percentiles(worked.ticks_ns)[1]:,.0f} µs of it on the processor",
            limit="p99 < 1,000 µs",
            holds=stage.p99_us < 1_000.0,
        ),
    ]


async def _trade_and_watch(
    course: Course, on_tick: Callable[[Tick], None], url: str, screens: int
) -> Seen:
    base_ns, zero_ns = course.live[0].ts_ns, stopwatch_ns()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "plan2.bench.screen_child", url, str(screens)),
        *(str(SECONDS), str(SETTLE_S), str((base_ns - zero_ns) // 1000)),
        stdout=asyncio.subprocess.PIPE,
        limit=2**28,
    )
    reading = asyncio.create_task(child.communicate())
    for number, tick in enumerate(course.live):
        if reading.done():
            break
        ts_ns = base_ns + stopwatch_ns() - zero_ns
        on_tick(Tick(SYMBOL, ts_ns, tick.bid, tick.ask, number))
        due_s = (number + 1) / TICKS_PER_SECOND - (stopwatch_ns() - zero_ns) / 1e9
        await asyncio.sleep(max(0.0, due_s))
    output, _ = await reading
    return msgspec.json.decode(output, type=Seen)


def _stream_row(seen: Seen, screens: int) -> Row:
    p50, p99, worst = percentiles([delay * 1000 for delay in seen.delays_us] or [0])
    return Row(
        what=f"publish → receive, {screens} screens",
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        per_second=round(len(seen.delays_us) / SECONDS),
        peer=f"{seen.gaps} gaps, {seen.lost} connections lost; includes the 20 ms rate window",
        limit=f"p99 < {LIMIT_MS:g} ms beyond the window",
        holds=p99 < (LIMIT_MS + 20.0) * 1000 and seen.gaps == 0,
    )
