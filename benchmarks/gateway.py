"""One JSON GET through the whole gateway, beside a bare Litestar route with the same answer.

Usage: `python benchmarks/gateway.py [--requests 2000] [--rounds 5] [--json FILE]`

Both run under the same uvicorn in this process; a second process asks one after the other over a
kept-alive connection, in turns. Ours does Host, session, rights and headers on top. Goal: at most
1.3 times the bare route.
"""

import argparse
import asyncio
import json
import socket
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "src"), str(ROOT / "tests")]

from litestar import Litestar, get  # noqa: E402 - needs the path above
from stream import served  # noqa: E402

from plan2.interface.items import AccountInfo  # noqa: E402
from unit.interface_fixtures import Stage  # noqa: E402

GOAL = 1.3


def ask(url: str, cookie: str, requests: int) -> list[int]:
    """Nanoseconds of each of many GETs over one connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    request = (
        f"GET /api/v1/account HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Cookie: {cookie}\r\nAccept: application/json\r\n\r\n"
    ).encode()
    durations = []
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            started = time.perf_counter_ns()
            connection.sendall(request)
            answer = connection.recv(65_536)
            while not _is_whole(answer):
                answer += connection.recv(65_536)
            durations.append(time.perf_counter_ns() - started)
            assert b"200 OK" in answer[:20], answer
    return durations


def _is_whole(answer: bytes) -> bool:
    """Whether head and body have arrived."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length or 0)


async def measure(requests: int, rounds: int) -> dict[str, Any]:
    """Medians and ratio; each round asks both servers in turn."""
    stage = Stage()
    cookie, _ = await stage.open_session()

    async def account() -> AccountInfo:
        return stage.books.info()

    bare = Litestar([get("/api/v1/account")(account)], openapi_config=None, logging_config=None)
    medians: dict[str, list[float]] = {"bare": [], "ours": []}
    async with served(bare) as bare_url, served(stage.app) as our_url:
        for _ in range(rounds):
            for name, url in (("bare", bare_url), ("ours", our_url)):
                load = await asyncio.create_subprocess_exec(
                    sys.executable,
                    __file__,
                    *("--ask", url, f"p2_session={cookie}", str(requests)),
                    stdout=asyncio.subprocess.PIPE,
                )
                output, _ = await load.communicate()
                medians[name].append(statistics.median(json.loads(output)) / 1000)
    ratios = [ours / plain for plain, ours in zip(*medians.values(), strict=True)]
    return {
        "bare_us": round(min(medians["bare"]), 1),
        "ours_us": round(min(medians["ours"]), 1),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ask", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        url, cookie, requests = options.ask
        print(json.dumps(ask(url, cookie, int(requests))))
        return
    result = asyncio.run(measure(options.requests, options.rounds))
    for name, value in result.items():
        print(f"{name:>14} | {value}")
    print(f"\nGoal: at most {GOAL} times the bare route: {result['ratio_median']}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
