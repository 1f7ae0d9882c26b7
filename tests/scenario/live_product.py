"""The product on a broker's account: Plan2, its host process, and the twin as the terminal.

Every process of a story runs on a clock that showed Tuesday morning when the story began, so the
market is open on whatever day the test runs.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
from product import Product, wait_for

from plan2.connectivity.identity.local_access import read_access
from plan2.foundation.clock import LiveClock

MACHINE = Path(__file__).parent / "twin_machine"
TUESDAY_NS = 1_709_625_600_000_000_000
"""2024-03-05 08:00 UTC."""
SYMBOLS = ("EURUSD", "USDJPY")


class Stage:
    """What the processes of a story share: the machine's time, and where things lie."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.hand = folder / "hand.json"
        self._state = folder / "twin.state"
        self.shift_ns = TUESDAY_NS - LiveClock().now_ns()

    def environment(self, kind: str = "mt5", **more: str) -> Mapping[str, str]:
        """Of a process on the stage."""
        path = os.pathsep.join([str(MACHINE), os.environ.get("PYTHONPATH", "")])
        twin = {
            "symbols": SYMBOLS,
            "suffix": "m",
            "accounts": [{"login": 5_000_001}, {"login": 5_000_002}],
            "state_path": str(self._state),
        }
        return {
            "PYTHONPATH": path,
            "TEST_CLOCK_SHIFT_NS": str(self.shift_ns),
            "TEST_TWIN_HAND": str(self.hand),
            "PLAN2_TWIN": json.dumps(twin),
            "PLAN2_TERMINAL__KIND": kind,
            "PLAN2_TERMINAL__ACCOUNT": "demo-1",
            "PLAN2_MT5__PATH": "/twin/terminal64.exe",
            **more,
        }

    def start(self, *arguments: str, **more: str) -> "LiveProduct":
        """Start `plan2 serve` and wait for its address."""
        return LiveProduct(self.data, *arguments, more=self.environment(**more))

    def does(self, do: str, **more: object) -> Any:
        """Let a hand act at the twin, wherever it runs; what it answered."""
        answer = self.hand.with_suffix(".answer")
        answer.unlink(missing_ok=True)
        fresh = self.hand.with_suffix(".new")
        fresh.write_text(json.dumps({"do": do, **more}))
        fresh.replace(self.hand)
        wait_for(answer.exists)
        return json.loads(answer.read_bytes())

    def held(self) -> list[tuple[str, str, float]]:
        """What the trade server holds: symbol, side and lots of each position."""
        found = self.does("looks")["positions"].values()
        return sorted((symbol, side, lots) for symbol, side, lots, _ in found)

    def stops(self) -> list[float]:
        """The stops at the trade server."""
        return [stop for *_, stop in self.does("looks")["positions"].values()]

    def working(self) -> list[float]:
        """Prices of the pending orders at the trade server."""
        return [price for _, price in self.does("looks")["orders"].values()]


class LiveProduct(Product):
    """A running product, seen over its REST API with the key of this machine."""

    keys = 0
    port = "0"

    def client_here(self) -> httpx.Client:
        """A client with the key from the data folder, in the name of Ann."""
        access = read_access(self.folder)
        assert access is not None
        return httpx.Client(
            base_url=access.url + "/api/v1", timeout=30.0, headers=access.headers("ann")
        )

    @property
    def host(self) -> psutil.Process:
        """The child process that holds the terminal."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if "--local" in child.cmdline())

    def send(self, method: str, path: str, **body: object) -> httpx.Response:
        """Send one request with a key of its own."""
        LiveProduct.keys += 1
        headers = {"Idempotency-Key": f"story-key-{LiveProduct.keys}"}
        with self.client_here() as client:
            return client.request(method, path, json=body or None, headers=headers)

    def told(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """What is answered when it is taken."""
        answer = self.send(method, path, reason="the story", **body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def see(self, path: str, **question: object) -> Any:
        """What the API shows."""
        with self.client_here() as client:
            return client.get(path, params=question).json()

    def items(self, path: str, **question: object) -> list[dict[str, Any]]:
        """The items of a list."""
        return self.see(path, **question)["items"]

    def events(self, **question: object) -> list[dict[str, Any]]:
        """Stored events, oldest first."""
        return self.items("/events", limit=500, **question)[::-1]

    def open_positions(self) -> list[tuple[str, str, float]]:
        """What the books hold, as `Stage.held`."""
        found = self.items("/positions", status="open")
        return sorted((one["symbol"], one["direction"].upper(), one["quantity"]) for one in found)

    def link(self) -> str:
        """How the way to the broker is, in the words of the health page."""
        return self.parts()["terminal"]["detail"]

    def parts(self) -> dict[str, dict[str, Any]]:
        """The parts of the process as the health page shows them."""
        return {part["name"]: part for part in self.see("/health")["components"]}

    def position_of(self, symbol: str) -> str:
        """The id of the open position in a symbol."""
        found = self.items("/positions", status="open")
        return next(one["position_id"] for one in found if one["symbol"] == symbol)

    def state(self) -> str:
        """Of trading."""
        return self.see("/trading")["accounts"][0]["trading_state"]


def types_of(product: LiveProduct, order_id: object) -> list[str]:
    """What happened to an order, in order."""
    return [
        event["type"] for event in product.events() if event["payload"].get("order_id") == order_id
    ]
