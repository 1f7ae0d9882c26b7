"""A terminal on another machine: its first contact, a trade, its crash, and its key's end.

Both machines are processes of this one; the agent connects out to the product's own address.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from live_product import LiveProduct, Stage, types_of
from product import environment, run_json, run_verb, wait_for

pytestmark = pytest.mark.slow


class Agent:
    """`plan2 terminal` with a key, which it finds in its environment."""

    def __init__(self, stage: Stage, address: str, secret: str) -> None:
        self._log = (stage.data.parent / "agent.log").open("a+b")
        folder = stage.data.parent / "agent"
        command = [sys.executable, "-m", "plan2", "terminal", "--server", address, "--json"]
        self.process = subprocess.Popen(
            [*command, "--data-dir", str(folder)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment(stage.environment("remote", PLAN2_TERMINAL_KEY=secret)),
        )

    @property
    def output(self) -> str:
        """What it and its forerunners have said."""
        self._log.seek(0)
        return self._log.read().decode()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Where the trade server's books, the agent and the product have their folders."""
    return Stage(tmp_path_factory.mktemp("remote"))


@pytest.fixture(scope="module")
def product(stage: Stage) -> Iterator[LiveProduct]:
    """A product that has never heard of its account, and waits for somebody to tell it."""
    port = str(free_port())
    here = stage.environment("remote", PLAN2_SERVER__PORT=port)
    waiting = LiveProduct(stage.data, more=here, waits=False)
    waiting.port = port
    wait_for(lambda: "to connect to us" in waiting.output, 120, waiting.process)
    yield waiting
    for child in psutil.Process().children():
        if "terminal" in child.cmdline():
            child.kill()
    if waiting.process.poll() is None:
        waiting.stop()


def test_a_terminal_elsewhere_is_met_traded_lost_found_and_shut_out(
    stage: Stage, product: LiveProduct
) -> None:
    """A wrong key opens nothing; the right one makes the account known; revoked, it is over."""
    here = stage.environment("remote", PLAN2_SERVER__PORT=product.port)
    folder = ("--data-dir", str(stage.data))
    wrong = ("terminal", "--server", f"ws://127.0.0.1:{product.port}/api/v1/terminal")
    code, text = run_verb(
        *wrong, "--data-dir", str(stage.data / "no"), more={**here, "PLAN2_TERMINAL_KEY": "guessed"}
    )
    assert code == 2, text
    made = run_json("terminal-keys", "create", "--label", "desk", *folder, more=here)
    address = f"ws://127.0.0.1:{product.port}/api/v1/terminal"
    agent = Agent(stage, address, str(made["secret"]))
    product.wait_for_address()
    assert "LIVE account 5000001 at Plan2-Twin: DEMO" in product.output
    assert product.output.count("features ready") == 2
    armed = ("--account", "demo-1", "--mode", "demo", "--reason", "first day")
    assert run_verb("resume", *armed, *folder, more=here)[0] == 0

    wait_for(lambda: all(one["bid"] for one in product.see("/symbols")))
    bid = next(one["bid"] for one in product.see("/symbols") if one["symbol"] == "EURUSD")
    stop = round(bid - 0.002, 5)
    wanted = {"symbol": "EURUSD", "side": "buy", "quantity": 0.05, "stop_loss": stop}
    wait_for(lambda: product.parts()["reconcile"]["status"] == "ok")
    order_id = product.told("POST", "/orders", **wanted)["order_id"]
    wait_for(lambda: "OrderExecuted" in types_of(product, order_id))
    assert stage.held() == [("EURUSDm", "BUY", 0.05)]

    agent.process.kill()
    wait_for(lambda: "down" in product.link())
    refused = product.send("POST", "/orders", reason="link is down", **wanted)
    assert refused.status_code == 422, refused.text
    agent = Agent(stage, address, str(made["secret"]))
    wait_for(lambda: "Account 5000001" in product.link())
    wait_for(lambda: product.parts()["reconcile"]["status"] == "ok")
    assert product.open_positions() == [("EURUSD", "BUY", 0.05)]
    assert product.state() == "armed"
    product.told("POST", f"/positions/{product.position_of('EURUSD')}/close")
    wait_for(lambda: stage.held() == [])

    assert run_verb("terminal-keys", "revoke", str(made["key_id"]), *folder, more=here)[0] == 0
    assert agent.process.wait(20) == 2
    assert "terminal-keys create" in agent.output
    wait_for(lambda: "down" in product.link())


def test_a_start_without_the_terminal_waits_for_nobody_and_the_market_starts_later(
    stage: Stage, product: LiveProduct
) -> None:
    """The account is known from before: the page is there at once, and only trading waits."""
    assert product.stop() == 0
    here = stage.environment("remote", PLAN2_SERVER__PORT="0")
    again = LiveProduct(stage.data, more=here)
    try:
        assert "Starting without the terminal of demo-1" in again.output
        wait_for(lambda: "down" in again.link())  # health is looked at once a second
        assert again.items("/positions", status="closed") != []
        refused = again.send(
            "POST", "/orders", symbol="EURUSD", side="buy", quantity=0.1, reason="x"
        )
        assert refused.status_code == 422

        labels = ("--label", "desk again", "--data-dir", str(stage.data))
        secret = str(run_json("terminal-keys", "create", *labels, more=here)["secret"])
        Agent(stage, again.url.replace("http", "ws") + "/api/v1/terminal", secret)
        wait_for(lambda: again.parts()["reconcile"]["status"] == "ok")
        assert again.output.count("features ready") == 2
        wait_for(lambda: all(one["bid"] for one in again.see("/symbols")))
    finally:
        assert again.stop() == 0
