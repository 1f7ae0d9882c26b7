"""Passwords: how they are hashed (R-074), that hashing never blocks (R-075), which are refused."""

import asyncio
import time

import argon2
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.identity.passwords import (
    LENGTH_MAX,
    LENGTH_MIN,
    WAITING_MAX,
    Busy,
    Passwords,
    Verdict,
)
from unit.identity_fixtures import FAST

GOOD = "seven horses over the hill"


async def test_the_product_hashes_with_argon2id_of_46_mebibyte() -> None:
    """The prefix as the argon2 reference implementation writes it; above OWASP's 19 MiB, t=2."""
    passwords = Passwords()
    hashed = await passwords.hash(GOOD)
    assert hashed.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    parameters = argon2.extract_parameters(hashed)
    assert (parameters.memory_cost >= 19_456, parameters.time_cost >= 2) == (True, True)
    assert await passwords.check(hashed, GOOD) == Verdict(is_right=True)
    passwords.close()


async def test_every_character_counts_up_to_the_last() -> None:
    """Nothing is cut off at 72 bytes or elsewhere, nothing is folded or normalised."""
    passwords = Passwords(hasher=FAST)
    long = "x1 " * 42 + "yz"
    assert len(long) == LENGTH_MAX
    hashed = await passwords.hash(long)
    for other in (long[:-1], long[:-1] + "Z", long[:72], long.upper(), long + " ", " " + long):
        assert not (await passwords.check(hashed, other)).is_right
    composed = await passwords.hash("ein schönes langes Wort")
    assert not (await passwords.check(composed, "ein scho\u0308nes langes Wort")).is_right
    assert (await passwords.check(hashed, long)).is_right


async def test_nobody_has_a_password() -> None:
    """Without a hash every password is wrong; so is a broken hash."""
    passwords = Passwords(hasher=FAST)
    assert await passwords.check("", GOOD) == Verdict(is_right=False)
    assert await passwords.check("", "") == Verdict(is_right=False)
    assert await passwords.check("$argon2id$broken", GOOD) == Verdict(is_right=False)


async def test_nobody_costs_as_much_as_somebody() -> None:
    """What stands for a missing hash is whole, of the same costs, and another one each time."""
    passwords = Passwords(hasher=FAST)
    decoy, hashed = passwords._decoy_hash, await passwords.hash(GOOD)
    assert argon2.extract_parameters(decoy) == argon2.extract_parameters(hashed)
    with pytest.raises(VerifyMismatchError):
        FAST.verify(decoy, GOOD)
    assert decoy != Passwords(hasher=FAST)._decoy_hash


async def test_older_parameters_are_noticed() -> None:
    """A hash of other parameters is right and outdated."""
    hashed = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(GOOD)
    passwords = Passwords(hasher=FAST)
    assert await passwords.check(hashed, GOOD) == Verdict(is_right=True, is_outdated=True)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short sentence", "at least 15"),
        ("x" * 129, "at most 128"),
        ("password1234567", "tried first"),
        ("PASSWORD!!!!!!!", "tried first"),
        ("qwertyuiopasdfghjkl".replace("asdfghjkl", "1234567890"), "tried first"),
        ("dragondragondragon", "tried first"),
        ("aaaaaaaaaaaaaaaaaaaa", "tried first"),
        ("abababababababababab", "tried first"),
        ("1234512345123451234512345", "tried first"),
        ("anna.schmidt is here", "name"),
        ("we are ANNA.SCHMIDT!", "name"),
        ("working at capital-one", "name"),
    ],
)
def test_what_is_refused(password: str, why: str) -> None:
    """Too short, too long, much used, or telling who it is."""
    fault = Passwords(hasher=FAST).fault_of(password, ("anna.schmidt", "capital"))
    assert why in fault


@pytest.mark.parametrize(
    "password", [GOOD, "x9 " * 5 + "q", "密碼很長很長很長很長很長很長很長一二三"]
)
def test_what_is_good(password: str) -> None:
    """No rules of composition: a sentence, spaces, any script."""
    assert Passwords(hasher=FAST).fault_of(password, ("anna", "ab")) == ""


@given(st.text(min_size=LENGTH_MIN, max_size=LENGTH_MAX))
def test_any_text_can_be_judged(password: str) -> None:
    """Never an exception, and a name of four characters is found in any of them."""
    assert "name" in Passwords(hasher=FAST).fault_of(password, (password[:4],))


async def test_the_list_has_ten_thousand_entries() -> None:
    """R-074: the first ones of public frequency lists are among them."""
    known = Passwords(hasher=FAST)._known
    assert len(known) == 10_000
    assert {"123456", "password", "qwerty", "dragon", "letmein"} <= known


async def test_the_loop_stays_free_while_twenty_people_sign_in() -> None:
    """R-075: hashing holds no loop up; in it, the twenty would take more than a second together."""
    passwords = Passwords()
    hashed = await passwords.hash(GOOD)
    late: list[float] = []
    work = asyncio.gather(*(passwords.check(hashed, f"{GOOD} {n}") for n in range(20)))
    while not work.done():
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - start - 0.001)
    assert not any(verdict.is_right for verdict in await work)
    passwords.close()
    late.sort()
    assert len(late) > 100
    assert late[int(len(late) * 0.99)] <= 0.5


async def test_only_so_many_may_wait() -> None:
    """One more than the most is turned away at once; afterwards everybody is welcome again."""
    passwords = Passwords(workers=1, hasher=FAST)
    tries = [asyncio.ensure_future(passwords.check("", GOOD)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.check("", GOOD)
    await asyncio.gather(*tries)
    assert await passwords.check("", GOOD) == Verdict(is_right=False)
    passwords.close()
