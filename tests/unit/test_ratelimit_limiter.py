"""Who is held to what: tenants, people, keys, addresses, orders, exits, sockets, messages."""

import pytest

from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.ratelimit.limiter import FAILED, OPEN, SIGN_IN, SIGN_IN_ALL, Limiter
from plan2.connectivity.ratelimit.route_policy import KINDS
from plan2.foundation.config.schema import Quota
from unit.ratelimit_fixtures import Limits, caller

READ = ("GET", "/api/v1/account")
ORDER = ("POST", "/api/v1/orders")
ANALYTICS = ("GET", "/api/v1/events")


def test_a_person_may_use_half_and_a_tenant_all() -> None:
    """10 per second, two seconds at once: ann 10, ben 10, then the tenant's 20 are gone."""
    limits = Limits()
    assert limits.passing(caller(person="ann"), *READ, 30) == 10
    assert limits.passing(caller(person="ben"), *READ, 30) == 10
    assert limits.passing(caller(person="cleo"), *READ, 30) == 0


def test_another_tenant_does_not_notice() -> None:
    """Same person's name, other tenant: everything there."""
    limits = Limits()
    assert limits.passing(caller("alpha"), *READ, 1_000) == 10
    assert limits.passing(caller("beta"), *READ, 1_000) == 10


def test_a_key_may_use_a_quarter() -> None:
    """Two keys of one person have 5 each, and together what the person has."""
    limits = Limits()
    first, second = caller(via=Via.KEY, session_id="k1"), caller(via=Via.KEY, session_id="k2")
    third = caller(via=Via.KEY, session_id="k3")
    assert [limits.passing(key, *READ, 20) for key in (first, second, third)] == [5, 5, 0]


def test_room_comes_back_with_time() -> None:
    """A person's 5 per second: after a second five more."""
    limits = Limits()
    limits.passing(caller(), *READ, 50)
    limits.wait(1.0)
    assert limits.passing(caller(), *READ, 50) == 5


def test_classes_do_not_take_from_each_other() -> None:
    """Reading to the limit leaves analytics and trading whole; analytics have a fifth."""
    limits = Limits()
    limits.passing(caller(), *READ, 100)
    assert limits.passing(caller(), *ANALYTICS, 100) == 5
    assert limits.passing(caller(), "POST", "/api/v1/commands/resume", 100) == 10


def test_orders_have_a_quota_of_their_own() -> None:
    """8 a minute: two at once; a changed order counts, a cancelled one does not."""
    limits = Limits()
    assert limits.passing(caller(), *ORDER, 1) == 1
    assert limits.passing(caller(), "PATCH", "/api/v1/orders/{order_id}", 1) == 1
    refusal = limits.limiter.admit(limits.limiter.policy(*ORDER), caller(person="ben"))
    assert refusal is not None
    assert (refusal.status, refusal.code) == (429, "rate_limited")
    assert "orders_per_minute" in refusal.detail
    assert refusal.wait_s == pytest.approx(10.0)
    assert limits.passing(caller(), "DELETE", "/api/v1/orders/{order_id}", 500) == 500


@pytest.mark.parametrize(
    "command",
    ["/kill", *(f"/api/v1/commands/{n}" for n in ("kill", "halt", "pause", "reduce-only"))],
)
@pytest.mark.parametrize("lag_ms", [0.0, 10_000.0])
def test_what_stops_trading_is_never_refused(command: str, lag_ms: float) -> None:
    """Not by rate, not by load, not before and not after the guard, however often."""
    limits = Limits()
    limits.strain(lag_ms)
    policy = limits.limiter.policy("POST", command)
    for _ in range(100):
        limits.limiter.note_failure("192.0.2.1")
    assert limits.passing(caller(), "POST", command, 20_000) == 20_000
    assert limits.limiter.at_door(policy, "192.0.2.1", shows_token=True) is None


@pytest.mark.parametrize(
    "route",
    [
        ("DELETE", "/api/v1/orders/{order_id}"),
        ("POST", "/api/v1/positions/{position_id}/close"),
        ("POST", "/api/v1/positions/{position_id}/close-by"),
    ],
)
def test_leaving_the_market_has_room_whatever_the_load(route: tuple[str, str]) -> None:
    """A thousand at once, also when everything else is used up and the server overloaded."""
    limits = Limits()
    limits.strain(10_000.0)
    limits.passing(caller(), *ORDER, 100)
    assert limits.passing(caller(), *route, 1_000) == 1_000


def test_every_special_route_exists() -> None:
    """A renamed route would lose its exemption in silence."""
    assert set(KINDS) <= set(RIGHTS)


def test_load_tightens_by_class() -> None:
    """Strained: analytics are shed with 503, reading has half, trading all."""
    limits = Limits()
    limits.strain(110.0)
    refusal = limits.limiter.admit(limits.limiter.policy(*ANALYTICS), caller())
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.wait_s) == (503, "shedding", 10.0)
    assert limits.passing(caller(), *READ, 100) == 5
    assert limits.passing(caller(), "POST", "/api/v1/commands/resume", 100) == 10
    assert limits.recorded[-1][2].quota == "requests_per_second"


def test_a_refused_request_counts_against_nothing() -> None:
    """Hammering beyond the limit does not push the moment back at which there is room."""
    limits = Limits()
    assert limits.passing(caller(), *READ, 10_000) == 10
    limits.wait(0.2)
    assert limits.passing(caller(), *READ, 1) == 1
    assert limits.usage.used("alpha", "requests_per_second") == 11.0


def test_sign_in_is_held_to_the_address_and_to_everybody() -> None:
    """20 at once from one address, 40 from all together; another address first has its 20."""
    limits = Limits()
    policy = limits.limiter.policy("POST", "/signin")

    def tries(address: str) -> int:
        return sum(limits.limiter.at_door(policy, address) is None for _ in range(50))

    assert [tries("192.0.2.1"), tries("192.0.2.2"), tries("192.0.2.3")] == [20, 20, 0]
    assert (SIGN_IN.burst, SIGN_IN_ALL.burst) == (20, 40)


def test_pages_and_probes_are_held_to_the_address() -> None:
    """The burst of a first visit, then 100 per second; a million addresses stay in bounds."""
    limits = Limits()
    policy = limits.limiter.policy("GET", "/{file_path}")
    passed = sum(limits.limiter.at_door(policy, "192.0.2.1") is None for _ in range(1_000))
    assert passed == OPEN.burst == 600
    assert limits.recorded[0][0] == "main"
    assert limits.recorded[0][2].quota == "open_address"


def test_unknown_tokens_are_soon_not_looked_at_and_cookies_still_are() -> None:
    """After 50 failures the address waits half a second per try; a trader's cookie passes."""
    limits = Limits()
    limiter: Limiter = limits.limiter
    policy = limiter.policy(*READ)
    for _ in range(FAILED.burst):
        assert limiter.at_door(policy, "192.0.2.1", shows_token=True) is None
        limiter.note_failure("192.0.2.1")
    refusal = limiter.at_door(policy, "192.0.2.1", shows_token=True)
    assert refusal is not None
    assert (refusal.status, refusal.wait_s) == (429, 0.5)
    assert limiter.at_door(policy, "192.0.2.1") is None
    assert limiter.at_door(policy, "192.0.2.2", shows_token=True) is None
    limits.wait(0.5)
    assert limiter.at_door(policy, "192.0.2.1", shows_token=True) is None


def test_sockets_are_counted_per_tenant() -> None:
    """Two may be open; a closed one makes room; the third is refused with 409."""
    limits = Limits()
    ann, ben = caller(person="ann"), caller(person="ben")
    assert limits.limiter.join(ann) is None
    assert limits.limiter.join(ben) is None
    refusal = limits.limiter.join(ann)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (409, "quota_exceeded")
    assert limits.limiter.join(caller("beta")) is None
    limits.limiter.leave(ben)
    assert limits.limiter.join(ann) is None
    assert limits.usage.held() == {("sockets",): 3.0}


def test_messages_wait_instead_of_being_lost() -> None:
    """100 per second and 200 at once; the next waits for a hundredth of a second."""
    limits = Limits()
    waits = [limits.limiter.message_wait_s(caller()) for _ in range(201)]
    assert waits[:200] == [0.0] * 200
    assert waits[200] == pytest.approx(0.01)
    limits.wait(waits[200])
    assert limits.limiter.message_wait_s(caller()) == 0.0


def test_a_new_quota_holds_at_once() -> None:
    """Raised while it is used up: there is room; what was used stays used."""
    limits = Limits()
    limits.passing(caller(), *READ, 100)
    limits.quotas["alpha"] = Quota(requests_per_second=100)
    assert limits.passing(caller(), *READ, 1_000) == 90
