"""A tenant at a broker of its own: bound, met, traded, suspended over a restart, and let go flat.

The installation trades one twin of MetaTrader 5 in its own child process, the tenant another one on
a machine of its own, which comes in by the door. They are two brokers: two trade servers' books.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from live_product import SYMBOLS, LiveProduct, Stage
from product import environment, run_json, run_verb, wait_for
from test_two_tenants import PASSWORD, Person

from plan2.foundation.values import NS_PER_SECOND

pytestmark = pytest.mark.slow

LOGIN = 7_000_001
WISH = {
    "name": "main", "login": str(LOGIN), "server": "Plan2-Twin", "mode": "demo",
    "reason": "contract 12",
}  # fmt: skip


class Branch(Stage):
    """The tenant's machine: another broker's terminal, with its own names of the symbols."""

    def environment(self, kind: str = "remote", **more: str) -> Mapping[str, str]:
        """Of the terminal's host."""
        twin = {
            "symbols": SYMBOLS,
            "suffix": ".r",
            "accounts": [{"login": LOGIN, "deposit": "25000.00"}],
            "state_path": str(self.hand.with_name("branch.state")),
        }
        return {**super().environment(kind, **more), "PLAN2_TWIN": json.dumps(twin)}


class Agent:
    """`plan2 terminal` on the tenant's machine."""

    def __init__(self, branch: Branch, url: str, secret: str) -> None:
        address = url.replace("http", "ws") + "/api/v1/terminal"
        self.log = branch.hand.with_name("agent.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "plan2", "terminal", "--server", address, "--json"),
                    *("--data-dir", str(branch.hand.with_name("agent"))),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(branch.environment(PLAN2_TERMINAL_KEY=secret)),
            )


class Story:
    """The installation and the tenant's machine, over restarts of both."""

    def __init__(self, folder: Path) -> None:
        (folder / "branch").mkdir()
        self.stage, self.branch = Stage(folder), Branch(folder / "branch")
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = str(found.getsockname()[1])
        self.product = self.start()

    def start(self) -> LiveProduct:
        """Start the installation, where it was."""
        more = {"PLAN2_TENANT_BROKERS__ENABLED": "true", "PLAN2_SERVER__PORT": self.port}
        return self.stage.start(**more)

    def verb(self, *arguments: str) -> tuple[int, str]:
        """A verb of the machine's own user."""
        here = self.stage.environment()
        return run_verb(*arguments, "--data-dir", str(self.stage.data), more=here)

    def shown(self, *arguments: str) -> dict:
        """What a verb prints as JSON."""
        here = self.stage.environment()
        return run_json(*arguments, "--data-dir", str(self.stage.data), more=here)  # type: ignore[return-value]

    def broker(self) -> dict:
        """How the tenant stands to its broker."""
        return self.shown("tenant", "broker", "show", "acme")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """What the whole module shares."""
    made = Story(tmp_path_factory.mktemp("branch"))
    yield made
    for child in psutil.Process().children():
        if "terminal" in child.cmdline():
            child.kill()
    if made.product.process.poll() is None:
        made.product.stop()


def founded(story: Story, tenant: str) -> Person:
    """A new tenant's first administrator, signed in."""
    made = story.shown("tenant", "create", tenant, "--administrator", "ann")
    token = str(made["invitation"]).partition("token=")[2]
    return joined(story, tenant, "ann", token)


def joined(story: Story, tenant: str, name: str, token: str) -> Person:
    """Somebody who took an invitation, signed in with a second factor."""
    person = Person(story.product.url)
    answer = person.http.post("/api/v1/join", json={"token": token, "password": PASSWORD})
    assert answer.is_success, answer.text
    assert person.sign_in(tenant, name).is_success
    person.enrol(story.stage.shift_ns // NS_PER_SECOND)
    wait_for(lambda: person.get("system").is_success, process=story.product.process)
    return person


def sent(person: Person, method: str, path: str, **body: object) -> dict:
    """An unsafe request of hers that is taken."""
    sent.count += 1  # type: ignore[attr-defined]
    answer = person.http.request(
        method,
        f"/api/v1/{path}",
        json=body or None,
        headers={"Idempotency-Key": f"branch-key-{sent.count}"},  # type: ignore[attr-defined]
    )
    assert answer.is_success, answer.text
    return answer.json()


sent.count = 0  # type: ignore[attr-defined]


def test_a_tenant_trades_at_its_own_broker_and_leaves_it_flat(story: Story) -> None:
    """From paper to its own account and away, with its broker unreachable in between."""
    ann = founded(story, "acme")
    assert ann.get("system").json()["account_id"] == "paper-acme"
    assert ann.get("broker-account").json()["state"] == "none"

    bound = sent(ann, "PUT", "broker-account", **WISH)
    assert (bound["outcome"], bound["broker"]["state"]) == ("bound", "waiting")
    assert ann.get("system").json()["account_id"] == "paper-acme"
    key = sent(ann, "POST", "broker-account/keys", label="office")
    assert key["secret"].startswith("acme.")
    agent = Agent(story.branch, story.product.url, key["secret"])
    wait_for(lambda: story.broker()["state"] == "open", 90, story.product.process)
    system = ann.get("system").json()
    assert (system["account_id"], system["mode"]) == ("acme-main", "live")
    view = ann.get("broker-account").json()
    assert {item["symbol"]: item["terms"] for item in view["symbols"]} == dict.fromkeys(SYMBOLS, "")

    wait_for(lambda: ann.get("broker-account").json()["link"] == "up")
    sent(ann, "POST", "commands/resume", account_id="acme-main", mode="demo", reason="first day")
    wait_for(lambda: all(each["bid"] for each in ann.get("broker-account").json()["symbols"]))
    bid = next(each["bid"] for each in ann.get("broker-account").json()["symbols"])
    order = {
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": 0.05,
        "stop_loss": round(bid - 0.003, 5),
    }
    sent(ann, "POST", "orders", reason="by hand", **order)
    wait_for(lambda: story.branch.held() == [("EURUSD.r", "BUY", 0.05)])
    assert story.stage.held() == []  # nothing of it at the installation's own broker
    wait_for(lambda: story.broker()["positions"] == 1)

    refused = ann.http.delete(
        "/api/v1/broker-account?reason=too+early", headers={"Idempotency-Key": "branch-key-early"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_flat")
    code, text = story.verb("tenant", "delete", "acme", "--yes")
    assert (code, "1 positions" in text or code) != (0, True)
    assert story.branch.held()

    agent.process.kill()
    wait_for(lambda: story.broker()["link"] != "up")
    assert story.verb("tenant", "suspend", "acme", "--reason", "invoice 12")[0] == 0
    assert "waits until nothing is open" in story.shown("tenant", "show", "acme")["closing"]
    assert story.product.stop() == 0
    story.product = story.start()  # the next run takes the wait up where this one left it
    wait_for(lambda: story.broker()["state"] == "closing", 90, story.product.process)
    assert "waits until nothing is open" in story.shown("tenant", "show", "acme")["closing"]
    agent = Agent(story.branch, story.product.url, key["secret"])
    wait_for(lambda: story.branch.held() == [], 90, agent.process)
    wait_for(lambda: story.shown("tenant", "show", "acme")["closing"] == "", 90)
    done = story.shown("tenant", "delete", "acme", "--yes")
    assert done["state"] == "deleted"
    agent.process.kill()


def test_two_people_bind_an_account_and_one_lets_it_go(story: Story) -> None:
    """With four eyes nothing is bound until somebody else agrees; unbound, it trades on paper."""
    ann = founded(story, "bolt")
    invited = sent(ann, "POST", "users", name="ben", role="Tenant_Admin")
    ben = joined(story, "bolt", "ben", invited["token"])
    sent(ann, "PUT", "settings/tenant/security.four_eyes", value=True)

    proposed = sent(ann, "PUT", "broker-account", **WISH)
    assert (proposed["outcome"], proposed["broker"]["state"]) == ("proposed", "none")
    (shown,) = ben.get("approvals?state=open").json()["items"]
    assert shown["approval_id"] == proposed["approval_id"]
    assert f"Trade account {LOGIN} at Plan2-Twin (demo)" in shown["summary"]
    path = f"approvals/{proposed['approval_id']}/approve"
    agreed = {"content_hash": shown["content_hash"], "reason": "as we said"}
    own = ann.http.post(f"/api/v1/{path}", json=agreed, headers={"Idempotency-Key": "bolt-own"})
    assert (own.status_code, own.json()["code"]) == (403, "own_proposal")
    assert ann.get("broker-account").json()["account"] is None
    words = [text for name, value in WISH.items() for text in (f"--{name}", value)]
    code, text = story.verb("tenant", "broker", "bind", "bolt", *words)
    assert (code != 0, "two people of its own" in text) == (True, True), text

    assert "bound" in sent(ben, "POST", path, **agreed)["outcome"]
    view = ann.get("broker-account").json()
    assert (view["state"], view["account"]["login"]) == ("waiting", str(LOGIN))
    gone = sent(ben, "DELETE", "broker-account?reason=back+to+paper")
    assert (gone["state"], gone["account"]) == ("none", None)
    assert ann.get("system").json()["account_id"] == "paper-bolt"
