"""Tenant A asks ten times as often as it may; what does tenant B notice of it?

Usage: `python benchmarks/noisy_tenant.py [--rounds 4] [--seconds 5] [--json FILE]`

B asks at a steady pace within its quota: alone, then beside A, then beside A with no limits at all;
each round measures the three one after the other. Once over HTTP, with A, B and the server in three
processes, and once inside one process. A does not wait for answers before it asks again: it has a
request to send every millisecond and as many connections as that takes. Goal: with the limits B's
p99 is at most 1.5 times what it is alone.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src"), str(ROOT / "tests")]

import msgspec  # noqa: E402 - needs the path above
from gateway import PATH, PLENTY, Hall, is_whole, scope_of  # noqa: E402
from stream import served  # noqa: E402

from plan2.bench.table import Row, percentiles, text_of  # noqa: E402
from plan2.connectivity.ratelimit.quota import Quota  # noqa: E402

GOAL = 1.5
QUOTA = Quota(requests_per_second=100)
NOISE = 10
"""How many times its limit A asks."""
PEOPLE = 4
"""Of each tenant, so that the tenant's limit is reached and not only a person's."""
B_EVERY_S = 1 / 80
A_EVERY_S = 1 / (NOISE * QUOTA.requests_per_second)
CONNECTIONS_MAX = 400
MODES = ("alone", "beside A", "beside A, no limits")

Asker = Callable[[int], Awaitable[int]]
"""Asks as one of the tenant's people; the status."""


class Audience(Hall):
    """The hall, with limits that can be taken away."""

    def __init__(self) -> None:
        self.quota = QUOTA
        super().__init__(lambda _: self.quota)

    async def cookies(self, tenant: str) -> list[str]:
        """Cookies of some people of a tenant."""
        entered = [await self.enter(tenant, f"person{number}") for number in range(PEOPLE)]
        return [f"p2_session={cookie}" for cookie, _ in entered]


async def paced(ask: Asker, every_s: float, seconds: float) -> tuple[list[int], list[int]]:
    """Send a request at each of its times, come what may; durations from those times, statuses."""
    loop = asyncio.get_running_loop()
    durations: list[int] = []
    statuses: list[int] = []

    async def one(number: int, due_s: float) -> None:
        statuses.append(await ask(number))
        durations.append(int((loop.time() - due_s) * 1e9))

    began_s = loop.time()
    async with asyncio.TaskGroup() as asked:
        for number in range(int(seconds / every_s)):
            due_s = began_s + number * every_s
            await asyncio.sleep(max(due_s - loop.time(), 0))
            asked.create_task(one(number, due_s))
    return durations, statuses


# --- inside one process ------------------------------------------------------------------------


def asking(hall: Audience, cookies: list[str]) -> Asker:
    """Asks the application directly."""

    async def ask(number: int) -> int:
        seen: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            if "status" in message:
                seen.append(message["status"])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = scope_of(PATH, {"cookie": cookies[number % len(cookies)]})
        await hall.app(scope, receive, send)  # type: ignore[arg-type]
        return seen[0]

    return ask


@contextlib.asynccontextmanager
async def beside(ask: Asker | None) -> AsyncIterator[list[int]]:
    """A's noise around a block, unless there is no A; the statuses that it got."""
    statuses: list[int] = []
    if ask is None:
        yield statuses
        return

    async def noise() -> None:
        waiting: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()

        async def one(number: int) -> None:
            statuses.append(await ask(number))

        began_s, number = loop.time(), 0
        while True:
            await asyncio.sleep(max(began_s + number * A_EVERY_S - loop.time(), 0))
            task = asyncio.create_task(one(number))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            number += 1

    task = asyncio.create_task(noise())
    try:
        await asyncio.sleep(1.0)  # until A's burst is gone
        statuses.clear()
        yield statuses
    finally:
        task.cancel()


async def inside(rounds: int, seconds: float) -> list[Row]:
    """All three in one process, without a server."""
    hall = Audience()
    loud, calm = [asking(hall, await hall.cookies(tenant)) for tenant in ("alpha", "beta")]
    taken: dict[str, list[list[int]]] = {mode: [] for mode in MODES}
    noise: list[int] = []
    for _ in range(rounds):
        for mode in MODES:
            hall.quota = PLENTY if mode.endswith("no limits") else QUOTA
            async with beside(None if mode == "alone" else loud) as statuses:
                durations, answered = await paced(calm, B_EVERY_S, seconds)
            assert set(answered) == {200}, set(answered)
            taken[mode].append(durations)
            noise += statuses if mode == "beside A" else []
    return rows_of("in one process", taken, noise, rounds * seconds)


# --- over HTTP -----------------------------------------------------------------------------------


class Wire:
    """Kept-alive connections to a server; one is opened whenever all are in use."""

    def __init__(self, url: str, cookies: list[str]) -> None:
        self._host, _, self._port = url.removeprefix("http://").partition(":")
        self._cookies = cookies
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._opened = 0

    async def ask(self, number: int) -> int:
        """One GET as one of the people; 0 when there are too many connections."""
        if not self._idle and self._opened >= CONNECTIONS_MAX:
            return 0
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            self._opened += 1
            reader, writer = await asyncio.open_connection(self._host, int(self._port))
        cookie = self._cookies[number % len(self._cookies)]
        head = f"GET {PATH} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nCookie: {cookie}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read(65_536)
        while not is_whole(answer):
            answer += await reader.read(65_536)
        self._idle.append((reader, writer))
        return int(answer[9:12])


async def caller(url: str, cookies: list[str], every_s: float, seconds: float) -> None:
    """The other processes: ask for a while, then print what was seen."""
    durations, statuses = await paced(Wire(url, cookies).ask, every_s, seconds)
    print(json.dumps([durations, statuses]))


async def _call(url: str, cookies: list[str], every_s: float, seconds: float) -> Any:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--ask", url, json.dumps(cookies), str(every_s), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    return json.loads(output)


async def over_http(rounds: int, seconds: float) -> list[Row]:
    """A, B and the server in three processes."""
    hall = Audience()
    loud, calm = [await hall.cookies(tenant) for tenant in ("alpha", "beta")]
    taken: dict[str, list[list[int]]] = {mode: [] for mode in MODES}
    noise: list[int] = []
    async with served(hall.app) as url:
        for _ in range(rounds):
            for mode in MODES:
                hall.quota = PLENTY if mode.endswith("no limits") else QUOTA
                calls = [_call(url, calm, B_EVERY_S, seconds)]
                if mode != "alone":
                    calls.append(_call(url, loud, A_EVERY_S, seconds))
                (durations, answered), *others = await asyncio.gather(*calls)
                assert set(answered) == {200}, set(answered)
                taken[mode].append(durations[len(durations) // 5 :])  # A's burst, first connections
                noise += others[0][1] if mode == "beside A" else []
    return rows_of("over HTTP", taken, noise, rounds * seconds)


# --- the table -----------------------------------------------------------------------------------


def rows_of(
    how: str, taken: dict[str, list[list[int]]], noise: list[int], seconds: float
) -> list[Row]:
    """B's figures per mode; the ratio is the median over the rounds of p99 by p99."""
    p99s = {mode: [percentiles(batch)[1] for batch in taken[mode]] for mode in MODES}
    rows = []
    for mode in MODES:
        p50, p99, worst = percentiles([each for batch in taken[mode] for each in batch])
        pairs = zip(p99s[mode], p99s["alone"], strict=True)
        ratio = round(statistics.median(ours / alone for ours, alone in pairs), 2)
        is_judged = mode == "beside A"
        rows.append(
            Row(
                what=f"{how}: B {mode}", p50_us=p50, p99_us=p99, worst_us=worst,
                ratio=None if mode == "alone" else ratio,
                limit=f"<= {GOAL}" if is_judged else "",
                holds=ratio <= GOAL if is_judged else None,
            )
        )  # fmt: skip
    served_count = sum(status == 200 for status in noise)
    rows.append(
        Row(
            what=f"{how}: A asked", per_second=round(len(noise) / seconds),
            peer=f"{served_count / seconds:.0f} per second of them were answered 200",
        )
    )  # fmt: skip
    return rows


async def measure(rounds: int, seconds: float) -> list[Row]:
    """Both ways."""
    return [*await inside(rounds, seconds), *await over_http(rounds, seconds)]


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        url, cookies, every_s, seconds = options.ask
        asyncio.run(caller(url, json.loads(cookies), float(every_s), float(seconds)))
        return
    began_s = time.perf_counter()
    rows = asyncio.run(measure(options.rounds, options.seconds))
    print(text_of(rows))
    print(f"\n{time.perf_counter() - began_s:.0f} s")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))


if __name__ == "__main__":
    main()
