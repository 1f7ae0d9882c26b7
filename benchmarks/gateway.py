"""One JSON GET through the whole gateway, beside a bare Litestar route with the same answer.

Usage: `python benchmarks/gateway.py [--requests 300] [--rounds 20] [--json FILE]`

Both run under the same uvicorn in this process; a second process asks one after the other over a
kept-alive connection, in turns. Ours does Host, caller, rights, limits, entity tag and headers on
top. Goal: at most 1.3 times the bare route. Beside it: the same two without a server, and what the
limits alone cost. `token_validation.py` measures tokens, `logins.py` passwords, `noisy_tenant.py`
who disturbs whom.
"""

import argparse
import asyncio
import json
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src"), str(ROOT / "tests")]

import msgspec  # noqa: E402 - needs the path above
from litestar import Litestar, get  # noqa: E402
from stream import served  # noqa: E402

from plan2.bench.table import Row, percentiles, text_of  # noqa: E402
from plan2.connectivity.gateway.app import Limiting, build_gateway  # noqa: E402
from plan2.connectivity.identity.directory import TenantState  # noqa: E402
from plan2.connectivity.identity.principal import Session, User  # noqa: E402
from plan2.connectivity.ratelimit.limiter import Limiter  # noqa: E402
from plan2.connectivity.ratelimit.load import Load  # noqa: E402
from plan2.connectivity.ratelimit.middleware import Doorway, Turnstile  # noqa: E402
from plan2.connectivity.ratelimit.notices import Notices  # noqa: E402
from plan2.connectivity.ratelimit.quota import Quota  # noqa: E402
from plan2.connectivity.ratelimit.use import Usage  # noqa: E402
from plan2.foundation.clock import LiveClock, stopwatch_ns  # noqa: E402
from plan2.foundation.ids import RandomIds  # noqa: E402
from plan2.interface.api.desk import Desk  # noqa: E402
from plan2.interface.items import AccountInfo  # noqa: E402
from unit.interface_fixtures import HOST, TENANT, Stage  # noqa: E402

RATIO_GOAL = 1.3
PATH = "/api/v1/account"
PLENTY = Quota(requests_per_second=10_000_000)


class Hall(Stage):
    """The stage of the tests with the real limits in front, open for every tenant."""

    def __init__(self, quota_of: Callable[[str], Quota] = lambda _: PLENTY) -> None:
        super().__init__()
        notices = Notices(self.written, LiveClock(), home=str(TENANT))
        self.usage = Usage(quota_of, notices, stopwatch_ns)
        load = Load(lambda: 0.0, lambda: 0.0, LiveClock())
        self.limiter = Limiter(self.usage, load, stopwatch_ns)
        turnstile = Turnstile(self.limiter)
        limiting = Limiting(Doorway(self.limiter).around, turnstile.around, turnstile.admit)
        operations = msgspec.structs.replace(self.operations, limiting=limiting)
        self.app = build_gateway(
            self.routes, self.identity, operations, self.front, self.settings, RandomIds()
        )

    def of(self, session: Session) -> Desk:  # noqa: ARG002 - one desk for all
        """The desk, whoever asks."""
        return self.desk_shown

    async def enter(self, tenant: str, person: str) -> tuple[str, Session]:
        """Cookie and session of somebody of a tenant."""
        self.directory.set(tenant, TenantState.READY)
        user = User(user_id=f"{tenant}-{person}", name=person, tenant_id=tenant, role=self.role)
        return await self.sessions.open(user)

    def bare(self) -> Litestar:
        """The same answer from Litestar alone."""

        async def account() -> AccountInfo:
            return self.books.info()

        return Litestar([get(PATH)(account)], openapi_config=None, logging_config=None)


# --- over HTTP: this process serves, another asks -------------------------------------------------


def ask(urls: list[str], cookie: str, requests: int) -> None:
    """The other process: a batch for each line of input, for the servers in turn."""
    opened = [_connect(url) for url in urls]
    for number, _ in enumerate(sys.stdin):
        connection, request = opened[number % len(opened)]
        durations = [
            _one(connection, request.replace(b"COOKIE", cookie.encode())) for _ in range(requests)
        ]
        print(json.dumps(durations), flush=True)


def _connect(url: str) -> tuple[socket.socket, bytes]:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: COOKIE\r\n"
    return connection, f"{head}Accept: application/json\r\n\r\n".encode()


def _one(connection: socket.socket, request: bytes) -> int:
    """Nanoseconds of one GET."""
    started = time.perf_counter_ns()
    connection.sendall(request)
    answer = connection.recv(65_536)
    while not is_whole(answer):
        answer += connection.recv(65_536)
    ended = time.perf_counter_ns()
    assert b"200 OK" in answer[:20], answer
    return ended - started


def is_whole(answer: bytes) -> bool:
    """Whether head and body of an HTTP answer have arrived."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length or 0)


async def over_http(hall: Hall, requests: int, rounds: int) -> list[Row]:
    """Latency as the caller sees it, and CPU time as the server spends it."""
    cookie, _ = await hall.open_session()
    taken: dict[str, list[list[int]]] = {"bare": [], "ours": []}
    cpu_us: dict[str, list[float]] = {"bare": [], "ours": []}
    async with served(hall.bare()) as bare_url, served(hall.app) as our_url:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, "--ask", bare_url, our_url),
            *(f"p2_session={cookie}", str(requests)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        for number in range(2 * (rounds + 1)):  # the first of each warms up
            name = ("bare", "ours")[number % 2]
            began = time.process_time_ns()
            child.stdin.write(b"\n")
            durations = json.loads(await child.stdout.readline())
            if number >= 2:
                taken[name].append(durations)
                cpu_us[name].append((time.process_time_ns() - began) / requests / 1000)
        child.stdin.close()
        await child.wait()
    return _compared("GET over HTTP", taken, cpu_us)


def _compared(
    what: str, taken: dict[str, list[list[int]]], cpu_us: dict[str, list[float]]
) -> list[Row]:
    medians = {name: [statistics.median(each) for each in taken[name]] for name in taken}
    pairs = zip(medians["ours"], medians["bare"], strict=True)
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    rows = [_row(f"{what}, bare Litestar", taken["bare"])]
    rows.append(_row(f"{what}, whole gateway", taken["ours"], "the bare route, same run", ratio))
    spent = {name: min(values) for name, values in cpu_us.items()}
    rows.append(Row(what=f"{what}, bare: server CPU", p50_us=round(spent["bare"], 1)))
    ratio = spent["ours"] / spent["bare"]
    peer = "the bare route's CPU time, best of the rounds"
    rows.append(
        Row(
            what=f"{what}, ours: server CPU",
            p50_us=round(spent["ours"], 1),
            peer=peer,
            ratio=round(ratio, 2),
        )
    )
    return rows


def _row(what: str, taken: list[list[int]], peer: str = "", ratio: float | None = None) -> Row:
    p50, p99, worst = percentiles([each for batch in taken for each in batch])
    best = min(statistics.median(batch) for batch in taken)
    return Row(
        what=what,
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        per_second=round(1e9 / best),
        peer=peer,
        ratio=None if ratio is None else round(ratio, 2),
        limit="" if ratio is None else f"<= {RATIO_GOAL}",
        holds=None if ratio is None else ratio <= RATIO_GOAL,
    )


# --- without a server: what each part costs -----------------------------------------------------


async def in_process(hall: Hall, requests: int, rounds: int) -> list[Row]:
    """CPU time of one GET as ASGI, and of the limits around nothing."""
    cookie, session = await hall.enter("alpha", "ann")
    shown = {"cookie": f"p2_session={cookie}"}
    apps = {"bare": hall.bare(), "ours": hall.app}
    best = dict.fromkeys(apps, float("inf"))
    for _ in range(rounds):
        for name, app in apps.items():
            best[name] = min(best[name], await _cpu_us(app, shown, requests))

    async def nothing(*_: Any) -> None:
        """An application that answers nothing."""

    limited = Doorway(hall.limiter).around(Turnstile(hall.limiter).around(nothing))
    extra = {"auth": session, "path_template": PATH}
    limits_us = min([await _cpu_us(limited, shown, requests, extra) for _ in range(rounds)])
    ratio = round(best["ours"] / best["bare"], 2)
    return [
        Row(what="GET as ASGI, bare Litestar: CPU", p50_us=round(best["bare"], 1)),
        Row(what="GET as ASGI, whole gateway: CPU", p50_us=round(best["ours"], 1), ratio=ratio),
        Row(what="rate limits of one request: CPU", p50_us=round(limits_us, 2)),
    ]


async def _cpu_us(
    app: Any, shown: dict[str, str], requests: int, extra: dict[str, Any] | None = None
) -> float:
    """CPU microseconds of this thread per request."""
    began = time.thread_time_ns()
    for _ in range(requests):
        await app(scope_of(PATH, shown) | (extra or {}), _receive, _send)
    return (time.thread_time_ns() - began) / requests / 1000


def scope_of(path: str, shown: dict[str, str]) -> dict[str, Any]:
    """A GET as a server hands it to an application."""
    headers = {"host": HOST, "accept": "application/json", **shown}
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8420),
        "state": {},
    }


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: dict[str, Any]) -> None:
    assert message.get("status", 200) == 200, message


async def measure(requests: int, rounds: int) -> list[Row]:
    """Every row."""
    rows = await in_process(Hall(), requests, rounds)
    return rows + await over_http(Hall(), requests, rounds)


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        *urls, cookie, requests = options.ask
        ask(urls, cookie, int(requests))
        return
    rows = asyncio.run(measure(options.requests, options.rounds))
    print(text_of(rows))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))


if __name__ == "__main__":
    main()
