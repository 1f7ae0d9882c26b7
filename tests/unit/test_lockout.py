"""R-077: waiting after failures grows, and strangers cannot keep anybody out."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.identity.lockout import (
    KEPT_MAX,
    Account,
    Lockout,
    network_of,
    wait_ns,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

ANNA = Account("main", "anna")
HOME, AWAY = "192.0.2.7", "198.51.100.9"


def test_the_wait_doubles_from_the_fifth_failure() -> None:
    """Nothing for four, then 2, 4, 8 … seconds, never more than 15 minutes."""
    assert [wait_ns(count) // NS_PER_SECOND for count in range(16)] == [
        0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ]  # fmt: skip
    assert wait_ns(10**6) == 900 * NS_PER_SECOND


@pytest.mark.parametrize("spread", ["one address", "many addresses", "one name each"])
def test_ten_thousand_guesses_a_day_are_impossible(spread: str) -> None:
    """Somebody who never stops guesses an account, or from an address, some hundred times a day."""
    clock = SimulatedClock(0)
    lockout = Lockout(clock)
    looked_at = 0
    for number in range(17_280):  # every five seconds
        clock.advance_to(number * 5 * NS_PER_SECOND)
        address = f"10.0.{number // 250}.{number % 250}" if spread == "many addresses" else AWAY
        account = Account("main", f"n{number}") if spread == "one name each" else ANNA
        looked_at += lockout.begin(account, address)
    assert clock.now_ns() < NS_PER_DAY
    assert 90 < looked_at < 120


def test_a_burst_counts_each_try() -> None:
    """However many arrive before the first one failed, five are looked at."""
    lockout = Lockout(SimulatedClock(0))
    assert sum(lockout.begin(ANNA, f"10.0.0.{number}") for number in range(200)) == 5


def test_waiting_ends_and_trying_early_does_not_prolong_it() -> None:
    """After two seconds the sixth try is looked at, whatever was tried in between."""
    clock = SimulatedClock(0)
    lockout = Lockout(clock)
    assert [lockout.begin(ANNA, HOME) for _ in range(6)] == [True] * 5 + [False]
    clock.advance_to(2 * NS_PER_SECOND - 1)
    assert not lockout.begin(ANNA, HOME)
    clock.advance_to(2 * NS_PER_SECOND)
    assert lockout.begin(ANNA, HOME)
    assert not lockout.begin(ANNA, HOME)


def test_success_forgives_the_account_but_not_the_address() -> None:
    """Somebody with one account of their own cannot guess at others for ever."""
    lockout = Lockout(SimulatedClock(0))
    mine = Account("main", "mallory")
    looked_at = 0
    for number in range(50):
        looked_at += lockout.begin(Account("main", f"victim{number}"), AWAY)
        if lockout.begin(mine, AWAY):
            lockout.succeeded(mine, AWAY)
    assert looked_at == 5


def test_a_stranger_cannot_keep_a_trader_out_of_the_usual_place() -> None:
    """Whatever comes from elsewhere, an address that signed in before has a count of its own."""
    clock = SimulatedClock(0)
    lockout = Lockout(clock)
    assert lockout.begin(ANNA, HOME)
    lockout.succeeded(ANNA, HOME)
    for _ in range(100):
        lockout.begin(ANNA, AWAY)
        lockout.begin(Account("main", "x"), HOME)
    assert lockout.begin(ANNA, HOME)
    assert not lockout.begin(ANNA, AWAY)
    tries = [lockout.begin(ANNA, HOME) for _ in range(10)]
    assert sum(tries) == 4  # the usual place is no free pass


def test_guesses_at_signing_in_hold_up_no_proof() -> None:
    """Whatever name strangers try, somebody who is signed in can prove who they are."""
    lockout = Lockout(SimulatedClock(0))
    for number in range(50):
        lockout.begin(ANNA, f"10.0.0.{number}")
    assert not lockout.begin(ANNA, HOME)
    assert lockout.begin(Account("main", "anna", "proof"), HOME)


def test_names_are_counted_as_people_read_them() -> None:
    """Another case of the same name is the same account; another tenant is another one."""
    lockout = Lockout(SimulatedClock(0))
    for name in ("anna", "Anna", "ANNA", "aNNa", "ａnna"):
        assert lockout.begin(Account("main", name), "")
    assert not lockout.begin(Account("main", "annA"), AWAY)
    assert lockout.begin(Account("other", "anna"), AWAY)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("evil", "unknown"),
    ],
)
def test_an_attacker_has_a_whole_network(address: str, network: str) -> None:
    """Of IPv6 the /64, which every customer gets; IPv4 inside IPv6 is IPv4."""
    assert network_of(address) == network


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=50))
def test_anything_may_be_tried(tries: list[tuple[str, str]]) -> None:
    """No name and no address is an exception; at one moment each name has five tries."""
    lockout = Lockout(SimulatedClock(0))
    looked_at = Counter(
        name for name, address in tries if lockout.begin(Account("main", name), address)
    )
    assert max(looked_at.values(), default=0) <= 5


def test_memory_is_bounded() -> None:
    """However many names and addresses are tried, only so many are remembered."""
    lockout = Lockout(SimulatedClock(0))
    for number in range(KEPT_MAX):
        account = Account("main", f"n{number}")
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        lockout.begin(account, address)
        lockout.succeeded(account, address)
        lockout.begin(account, f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(lockout._counts) <= KEPT_MAX
    assert len(lockout._usual) <= KEPT_MAX
