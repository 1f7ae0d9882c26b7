"""Publish → receive over the real stream: N screens, 50 frames a second each, one server.

Usage: `python benchmarks/stream.py [--clients 1,10,100] [--seconds 10] [--json FILE]`

The server is the product's gateway, hub and live view around fakes; a tick's time is the monotonic
instant of its publication, and a second process that holds all screens reads the same clock. So a
figure includes the window of the rate class (20 ms), encoding, fan-out, sockets and the client's
own share. The yardstick sends ready-made frames of the same size from the same kind of server with
one task per client and nothing else. Goal: p99 below 10 ms with 100 screens.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from plan2.connectivity.gateway.server import run_server  # noqa: E402
from plan2.foundation.clock import SimulatedClock, stopwatch_ns  # noqa: E402
from plan2.foundation.events.market import MarketDataReceived  # noqa: E402
from plan2.foundation.instrument import Instrument  # noqa: E402
from plan2.foundation.values import Tick  # noqa: E402
from plan2.interface.live import LiveView, MarketView  # noqa: E402
from unit.interface_fixtures import NOON_NS, Stage  # noqa: E402 - needs the path above

RATE_HZ = 50
DECODE = msgspec.msgpack.Decoder().decode
P99_GOAL_MS = 10.0


class Crowd(Stage):
    """The stage of the tests with as many symbols as the benchmark wants."""

    def __init__(self, symbols: int) -> None:
        self._names = [f"SYM{number:03}" for number in range(symbols)]
        super().__init__()

    def _wire(self) -> None:
        instruments = {
            name: Instrument(symbol=name, base="EUR", quote="USD", digits=5) for name in self._names
        }
        self.view = MarketView(instruments, SimulatedClock(NOON_NS))
        self.live = LiveView(self.view, self.books)
        super()._wire()

    def publish(self) -> None:
        """One quote of every symbol, stamped now."""
        now_ns = stopwatch_ns()
        for name in self._names:
            tick = Tick(name, now_ns, 1.1, 1.1001)
            self.view.on_tick(MarketDataReceived(ts_ns=now_ns, tick=tick))


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An ASGI application on a free port."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(run_server(app, "127.0.0.1", 0, ready.set_result))
    try:
        yield await ready
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


class Bare:
    """The yardstick: accepts every socket and sends each a frame that was made once."""

    def __init__(self, symbols: int) -> None:
        self._symbols = symbols
        self._waiting: list[asyncio.Queue[bytes]] = []

    def publish(self) -> None:
        """The same rows under the same time, to everybody."""
        now_us = stopwatch_ns() // 1000
        rows = [
            [f"SYM{n:03}", now_us, 1.1, 1.1001, 10.0, None, "fresh"] for n in range(self._symbols)
        ]
        frame = msgspec.msgpack.encode([2, 1, 0, 0, rows])
        for queue in self._waiting:
            queue.put_nowait(frame)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve lifespan and sockets."""
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        await send({"type": "websocket.accept", "subprotocol": "plan2.v1"})
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting.append(queue)
        reader = asyncio.create_task(self._read(receive))
        try:
            while not reader.done():
                await send({"type": "websocket.send", "bytes": await queue.get()})
        finally:
            self._waiting.remove(queue)
            reader.cancel()

    async def _read(self, receive: Callable[[], Awaitable[Any]]) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass


# --- the other process: every screen ------------------------------------------------------------


class Seen:
    """What all screens together have seen while it counts."""

    def __init__(self) -> None:
        self.is_counting = False
        self.delays_us: list[int] = []
        self.gaps = 0
        self.lost = 0


async def watch(url: str, cookie: str, clients: int, seconds: float) -> dict[str, Any]:
    """Connect all screens, then count and time frames for a while."""
    seen, loop = Seen(), asyncio.get_running_loop()
    host, _, port = url.removeprefix("http://").partition(":")
    for number in range(clients):
        screen = _Screen(url, cookie, seen, number)
        await loop.create_connection(lambda screen=screen: screen, host, int(port))
    await asyncio.sleep(2.0)
    seen.is_counting = True
    await asyncio.sleep(seconds)
    seen.is_counting = False
    return {"delays_us": seen.delays_us, "gaps": seen.gaps, "lost": seen.lost}


class _Screen(asyncio.Protocol):
    """A WebSocket client of a few lines: it must not be what the benchmark measures."""

    def __init__(self, url: str, cookie: str, seen: "Seen", number: int) -> None:
        host = url.removeprefix("http://")
        self._request = (
            f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {url}\r\n"
            f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: plan2.v1\r\n\r\n"
        ).encode()
        self._seen = seen
        self._buffer = b""
        self._is_open = False
        self._last = 0
        self._acked = -(number % 25)  # browsers do not acknowledge all at the same instant

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Count it while the measurement runs."""
        self._seen.lost += self._seen.is_counting

    def data_received(self, data: bytes) -> None:
        """Take every whole frame out of what has arrived."""
        self._buffer += data
        if not self._is_open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._is_open, self._buffer = True, rest
            self._send([65, 0, 1, 0, {"channel": "quotes"}])
        while (size := self._frame_size()) and len(self._buffer) >= size[0] + size[1]:
            first, (head_size, body_size) = self._buffer[0], size
            body = self._buffer[head_size : head_size + body_size]
            self._buffer = self._buffer[head_size + body_size :]
            if first & 0x0F == 2:
                self._take(DECODE(body))

    def _take(self, frame: list[Any]) -> None:
        if frame[0] not in {1, 2}:
            return
        seq, seen = frame[2], self._seen
        if seen.is_counting and frame[0] == 2:
            seen.delays_us.append(stopwatch_ns() // 1000 - max(row[1] for row in frame[4]))
            seen.gaps += bool(seq) and seq != self._last + 1
        self._last = seq
        if seq - self._acked >= 25:
            self._acked = seq
            self._send([67, 0, 0, 0, [[frame[1], seq]]])

    def _frame_size(self) -> tuple[int, int] | None:
        """Bytes of head and body of the first frame; None while its head is not whole."""
        if len(self._buffer) < 4:
            return None
        length = self._buffer[1]
        if length < 126:
            return 2, length
        return 4, int.from_bytes(self._buffer[2:4], "big")

    def _send(self, frame: list[Any]) -> None:
        body = msgspec.msgpack.encode(frame)
        assert len(body) < 126
        # Clients must mask; a mask of zeros leaves the body as it is.
        self._transport.write(bytes([0x82, 0x80 | len(body), 0, 0, 0, 0]) + body)


# --- the measurement ----------------------------------------------------------------------------


async def measure(name: str, clients: int, seconds: float, symbols: int) -> dict[str, Any]:
    """One row of the table: `ours` or `bare` with so many screens."""
    if name == "ours":
        stage = Crowd(symbols)
        cookie, _ = await stage.open_session()
        async with served(stage.app) as url:
            hub = asyncio.create_task(stage.hub.run())
            try:
                row = await _run(url, cookie, clients, seconds, stage.publish)
            finally:
                hub.cancel()
                await asyncio.gather(hub, return_exceptions=True)
    else:
        bare = Bare(symbols)
        async with served(bare) as url:
            row = await _run(url, "-", clients, seconds, bare.publish)
    return {"server": name, "clients": clients, **row}


async def _run(
    url: str, cookie: str, clients: int, seconds: float, publish: Callable[[], None]
) -> dict[str, Any]:
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        *("--watch", url, f"p2_session={cookie}", str(clients), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
        limit=2**28,
    )
    reading = asyncio.create_task(load.communicate())
    cpu_s, started = time.process_time(), time.perf_counter()
    due = time.perf_counter()
    while not reading.done():
        publish()
        due += 1 / RATE_HZ
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    cpu = (time.process_time() - cpu_s) / (time.perf_counter() - started)
    seen = json.loads((await reading)[0])
    return {**summary(seen, clients, seconds), "cpu_percent": round(100 * cpu, 1)}


def summary(seen: dict[str, Any], clients: int, seconds: float) -> dict[str, Any]:
    """Percentiles in milliseconds, frames a second and screen, holes, lost connections."""
    delays = sorted(seen["delays_us"])
    cuts = statistics.quantiles(delays, n=1000) if len(delays) > 1 else [0.0] * 999
    return {
        "p50_ms": round(cuts[499] / 1000, 2),
        "p95_ms": round(cuts[949] / 1000, 2),
        "p99_ms": round(cuts[989] / 1000, 2),
        "frames_per_s": round(len(delays) / seconds / clients, 1),
        "gaps": seen["gaps"],
        "lost": seen["lost"],
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def per_tick_ns(symbols: int = 4, ticks: int = 200_000) -> float:
    """What the live view's handler costs per tick while a hub collects 200 times a second."""
    stage = Crowd(symbols)
    names = [f"SYM{number:03}" for number in range(symbols)]
    events = [
        MarketDataReceived(ts_ns=t, tick=Tick(names[n % symbols], t, 1.1 + n % 7 / 1e5, 1.2))
        for n, t in ((n, NOON_NS + n * 10**6) for n in range(ticks))
    ]
    handle = stage.view.on_tick
    rounds = []
    for _ in range(5):
        started = time.perf_counter_ns()
        for event in events:
            handle(event)
        rounds.append((time.perf_counter_ns() - started) / ticks)
        stage.view.ticks.collect()
    return min(rounds)


def main() -> None:
    """Run the rows, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", default="1,10,100")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--symbols", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--watch", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        url, cookie, clients, seconds = options.watch
        print(json.dumps(asyncio.run(watch(url, cookie, int(clients), float(seconds)))))
        return
    tick_ns = per_tick_ns()
    print(f"MarketView.on_tick: {tick_ns:.0f} ns per tick (goal < 3000)\n")
    rows = [
        asyncio.run(measure(name, int(clients), options.seconds, options.symbols))
        for clients in options.clients.split(",")
        for name in ("bare", "ours")
    ]
    print(" | ".join(f"{key:>12}" for key in rows[0]))
    for row in rows:
        print(" | ".join(f"{value!s:>12}" for value in row.values()))
    ours = [row for row in rows if row["server"] == "ours"]
    print(f"\nGoal p99 < {P99_GOAL_MS} ms with {ours[-1]['clients']}: {ours[-1]['p99_ms']} ms")
    if options.json:
        options.json.write_text(json.dumps({"on_tick_ns": tick_ns, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
