"""A second tenant on one installation: it joins, trades, is suspended, crashes and goes."""

import contextlib
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from product import Product, run_json, run_verb, wait_for

from plan2.foundation.clock import LiveClock
from plan2.foundation.values import NS_PER_SECOND

pytestmark = pytest.mark.slow

PASSWORD = "a long sentence that nobody guesses"
UNKNOWN = "0" * 32


class Person:
    """Somebody's browser: cookie, CSRF value, Origin."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30.0, headers={"origin": url})
        self.codes: list[str] = []

    def sign_in(self, tenant: str, name: str, code: str = "") -> httpx.Response:
        """With the password."""
        asked = {"tenant": tenant, "name": name, "password": PASSWORD, "code": code}
        answer = self.http.post("/api/v1/signin", json=asked)
        if answer.is_success:
            self.http.headers["x-plan2-csrf"] = answer.json()["csrf"]
        return answer

    def enrol(self, shift_s: int = 0) -> None:
        """Set up the second factor that an administrator must have; `shift_s`: of the clocks."""
        begun = self.http.post("/api/v1/second-factor")
        assert begun.is_success, begun.text
        now_s = LiveClock().now_ns() // NS_PER_SECOND + shift_s
        code = pyotp.TOTP(pyotp.parse_uri(begun.json()["uri"]).secret).at(now_s)
        done = self.http.post("/api/v1/second-factor/confirm", json={"code": code})
        assert done.is_success, done.text
        self.codes = done.json()["backup_codes"]

    def get(self, path: str) -> httpx.Response:
        """GET below /api/v1."""
        return self.http.get(f"/api/v1/{path}")

    def close(self) -> None:
        """Let the connection go."""
        self.http.close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The installation that the whole story shares."""
    running = Product(tmp_path_factory.mktemp("two") / "data")
    yield running
    with contextlib.suppress(ProcessLookupError):
        running.stop()


@pytest.fixture(scope="module")
def default(product: Product) -> Iterator[httpx.Client]:
    """The first administrator of the installation's own tenant."""
    with contextlib.closing(product.client()) as client:
        yield client


@pytest.fixture(scope="module")
def ann(product: Product) -> Iterator[Person]:
    """The first administrator of a new tenant, who has joined and set up everything."""
    made = run_json(
        "tenant", "create", "acme", "--name", "Acme Ltd", "--administrator", "ann",
        "--data-dir", str(product.folder),
    )  # fmt: skip
    link = urlsplit(str(made["invitation"]))
    token = parse_qs(link.query)["token"][0]
    person = Person(product.url)
    joined = person.http.post("/api/v1/join", json={"token": token, "password": PASSWORD})
    assert joined.is_success, joined.text
    assert person.sign_in("acme", "ann").is_success
    refused = person.get("system")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    person.enrol()
    wait_for(lambda: person.get("system").is_success, 60, product.process)
    yield person
    person.close()


def of_tenant(product: Product, tenant: str) -> dict[str, object]:
    """A tenant as the registry shows it."""
    folder = str(product.folder)
    return run_json("tenant", "show", tenant, "--data-dir", folder)


def open_positions(person: Person) -> list[dict[str, object]]:
    """What the page would show."""
    found: list[dict[str, object]] = person.get("positions?status=open").json()["items"]
    return found


def test_a_tenant_sees_itself_alone(ann: Person, default: httpx.Client) -> None:
    """Its account, log and people are its own; the market is everybody's."""
    ours, theirs = ann.get("system").json(), default.get("/api/v1/system").json()
    assert (ours["tenant_id"], ours["account_id"]) == ("acme", "paper-acme")
    assert (theirs["tenant_id"], theirs["account_id"]) == ("default", "paper")
    assert ours["symbols"] == theirs["symbols"]
    names = {item["name"] for item in ann.get("people").json()["items"]}
    assert names == {"ann"}
    types = {item["type"] for item in ann.get("events?limit=200").json()["items"]}
    assert types
    assert "SystemStarted" not in types
    assert ann.get("tenants").status_code == 403
    assert ann.get("quotas/default").status_code == 403


def test_ids_of_another_tenant_are_as_unknown_as_any(ann: Person, default: httpx.Client) -> None:
    """R-052: every GET with an id answers alike for a foreign id and for one that is nowhere."""

    def first(path: str, member: str) -> str:
        items = default.get(f"/api/v1/{path}").json()["items"]
        return str(items[0][member])

    wait_for(lambda: default.get("/api/v1/decisions").json()["items"], 120)
    foreign = {
        "decision_id": first("decisions", "decision_id"),
        "user_id": first("people", "user_id"),
        "tenant_id": "default",
    }
    described = default.get("/api/openapi.json").json()["paths"]
    held = 0
    for path, operations in described.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if "get" not in operations or len(names) != 1 or names[0] not in foreign:
            continue
        name = names[0]
        answers = []
        for value in (foreign[name], UNKNOWN if name != "tenant_id" else "nowhere"):
            answer = ann.http.get(path.replace("{" + name + "}", value))
            body = json.loads(answer.text.replace(value, "ID"))
            body.pop("request_id"), body.pop("instance", None)
            answers.append((answer.status_code, body))
        assert answers[0] == answers[1], path
        assert answers[0][0] in {403, 404}, path
        held += 1
    assert held >= 4


def test_a_manual_trade_stays_with_its_tenant(
    product: Product, ann: Person, default: httpx.Client
) -> None:
    """An order over REST becomes a position of this tenant, and of nobody else.

    The limit that its own flow may have used up is raised first, and holds from the next tick on.
    """
    code, text = run_verb(
        "config", "set", "risk.positions_per_symbol_max", "4", "--tenant", "acme",
        "--reason", "room for a person", "--data-dir", str(product.folder),
    )  # fmt: skip
    assert code == 0, text
    bid = next(item for item in ann.get("symbols").json() if item["symbol"] == "EURUSD")["bid"]
    asked = {
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": 0.01,
        "stop_loss": round(bid * 0.99, 5),
        "reason": "by hand",
    }
    placed = ann.http.post(
        "/api/v1/orders", json=asked, headers={"idempotency-key": "by-hand-0001"}
    )
    assert placed.is_success, placed.text
    order_id = placed.json()["order_id"]
    wait_for(lambda: open_positions(ann), 60, product.process)
    mine = {item["position_id"] for item in open_positions(ann)}
    assert all(position.startswith("paper-acme") for position in mine)
    orders = default.get("/api/v1/orders?limit=500").json()["items"]
    held = default.get("/api/v1/positions?status=open").json()["items"]
    assert order_id not in {item["order_id"] for item in orders}
    assert mine.isdisjoint({item["position_id"] for item in held})


def test_a_full_quota_refuses_the_next_person(product: Product, ann: Person) -> None:
    """R-061: with room for one, inviting a second is 409 and written down; with more it works."""
    more = ("--tenant", "acme", "--reason", "the contract", "--data-dir", str(product.folder))
    asked = {"name": "bob", "role": "Analyst"}
    code, text = run_verb("config", "set", "quota.users", "1", *more)
    assert code == 0, text
    refused = ann.http.post("/api/v1/users", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "quota_exceeded")
    code, text = run_verb("config", "set", "quota.users", "5", *more)
    assert code == 0, text
    invited = ann.http.post("/api/v1/users", json=asked)
    assert invited.status_code == 201, invited.text


def test_who_runs_the_machine_switches_one_tenant(
    product: Product, ann: Person, default: httpx.Client
) -> None:
    """`--tenant` names it; nobody else's trading changes, and its own people see who did it."""

    def state(trading: httpx.Response) -> str:
        return str(trading.json()["accounts"][0]["trading_state"])

    before = state(default.get("/api/v1/trading"))
    more = ("--tenant", "acme", "--reason", "asked by phone", "--data-dir", str(product.folder))
    code, text = run_verb("pause", *more)
    assert code == 0, text
    assert "paper-acme" in text
    assert state(ann.get("trading")) == "paused"
    assert state(default.get("/api/v1/trading")) == before
    (switch,) = ann.get("trading").json()["accounts"][0]["switches"]
    assert (switch["reason"], switch["actor"].startswith("user:")) == ("asked by phone", True)
    code, text = run_verb("resume", *more)
    assert code == 0, text
    assert state(ann.get("trading")) == "armed"
    code, text = run_verb("halt", "--scope", "global", *more)
    assert code == 2, text


def test_a_crash_takes_nothing_from_a_tenant(
    product: Product, ann: Person, default: httpx.Client
) -> None:
    """After kill -9 its positions, people and session are as they were."""
    before = {item["position_id"] for item in open_positions(ann)}
    product.kill()
    restarted = Product(product.folder)
    product.process, product.url = restarted.process, restarted.url
    product._out = restarted._out
    for client in (ann.http, default):
        client.base_url = httpx.URL(restarted.url)
        client.headers["origin"] = restarted.url
    wait_for(lambda: ann.get("account").is_success, 90, restarted.process)
    events = ann.get("events?limit=500").json()["items"]
    closed = {item["payload"]["position_id"] for item in events if item["type"] == "PositionClosed"}
    assert before <= {item["position_id"] for item in open_positions(ann)} | closed
    code, text = run_verb("audit", "verify", "--tenant", "acme", "--data-dir", str(product.folder))
    assert code == 0, text


def test_a_suspended_tenant_is_out_and_flat_at_once_and_comes_back_halted(
    product: Product, ann: Person
) -> None:
    """R-063: the next request is refused, what it had open is closed; people sign in again."""
    more = ("--data-dir", str(product.folder))
    assert open_positions(ann)
    code, text = run_verb("tenant", "suspend", "acme", "--reason", "late fees", *more)
    assert code == 0, text
    assert ann.get("account").status_code in {401, 403}
    assert ann.sign_in("acme", "ann", ann.codes[0]).status_code == 401
    assert of_tenant(product, "acme")["state"] == "suspended"
    code, text = run_verb("kill", "--tenant", "acme", "--reason", "x", *more)
    assert code != 0, text
    assert "not served" in text
    code, text = run_verb("tenant", "resume", "acme", "--reason", "paid", *more)
    assert code == 0, text
    assert ann.sign_in("acme", "ann", ann.codes[1]).is_success
    wait_for(lambda: ann.get("account").is_success, 60, product.process)
    wait_for(lambda: not open_positions(ann), 60, product.process)
    killed = ann.get("events?limit=500&type=KillBegun").json()["items"]
    assert killed[0]["payload"]["reason"] == "the tenant is suspended: late fees"
    assert ann.get("trading").json()["accounts"][0]["trading_state"] == "halted"


def test_a_deleted_tenant_leaves_an_export_and_a_tombstone(product: Product, ann: Person) -> None:
    """R-063: exported, then schema, keys and files are gone; its name stays taken."""
    folder = str(product.folder)
    code, text = run_verb(
        "tenant", "delete", "acme", "--yes", "--reason", "contract ended", "--data-dir", folder
    )
    assert code == 0, text
    wait_for(lambda: of_tenant(product, "acme")["state"] == "deleted", 90, product.process)
    assert ann.get("account").status_code in {401, 403}
    assert not (product.folder / "tenants" / "acme").exists()
    assert list((product.folder / "exports").rglob("acme-*.zip"))
    code, text = run_verb("tenant", "create", "acme", "--administrator", "x", "--data-dir", folder)
    assert code != 0
    assert "taken" in text


def test_every_part_of_it_is_in_the_installations_log(
    product: Product, default: httpx.Client
) -> None:
    """Created, suspended, resumed, exported, deleted: the main tenant's log tells, and is whole."""
    items = default.get("/api/v1/events?type=TenantChanged&limit=100").json()["items"]
    changes = [item["payload"]["change"] for item in items if item["payload"]["tenant"] == "acme"]
    assert {"created", "suspended", "resumed", "deleted"} <= set(changes)
    code, text = run_verb("audit", "verify", "--data-dir", str(product.folder))
    assert code == 0, text
