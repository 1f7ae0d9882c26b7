"""Consent: versioned, for a purpose, withdrawn at once."""

from collections.abc import Sequence

import pytest

from plan2.connectivity.identity import consents as module
from plan2.connectivity.identity.consents import PURPOSES, ConsentFact, Consents, Purpose
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.people import ConsentGiven, ConsentWithdrawn
from plan2.foundation.values import TenantId
from unit.privacy_fixtures import Facts

MAIN, OTHER = TenantId("main"), TenantId("other")


class FakeTable:
    """Facts in a list; fails when told to."""

    def __init__(self) -> None:
        self.facts: list[tuple[TenantId, ConsentFact]] = []
        self.is_away = False

    async def load(self, tenant: TenantId) -> Sequence[ConsentFact]:
        """The newest of each person and purpose."""
        newest = {(f.user_id, f.purpose): f for whose, f in self.facts if whose == tenant}
        return list(newest.values())

    async def add(self, tenant: TenantId, fact: ConsentFact) -> None:
        """Keep it, unless the database is away."""
        if self.is_away:
            raise StoreBusy("away")
        self.facts.append((tenant, fact))

    async def history(self, tenant: TenantId, user_id: str) -> Sequence[ConsentFact]:
        """Newest first."""
        return [f for t, f in reversed(self.facts) if t == tenant and f.user_id == user_id]


class World:
    """Consents with fakes around them."""

    def __init__(self) -> None:
        self.table, self.facts = FakeTable(), Facts()
        self.clock = SimulatedClock(1)
        self.consents = Consents(self.table, self.clock, self.facts)


async def test_nothing_is_allowed_that_was_not_agreed_to() -> None:
    """Neither another purpose, nor another person, nor another tenant."""
    world = World()
    assert not world.consents.allows(MAIN, "u", "assistants")
    await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    assert world.consents.allows(MAIN, "u", "assistants")
    assert not world.consents.allows(MAIN, "u", "notifications")
    assert not world.consents.allows(MAIN, "v", "assistants")
    assert not world.consents.allows(OTHER, "u", "assistants")
    with pytest.raises(InputError, match="no purpose"):
        world.consents.allows(MAIN, "u", "selling")


async def test_a_withdrawal_holds_at_once_and_history_shows_both() -> None:
    """The next use is refused; the log has both facts."""
    world = World()
    await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    await world.consents.withdraw(MAIN, "u", "assistants", "user:u")
    await world.consents.withdraw(MAIN, "u", "assistants", "user:u")
    assert not world.consents.allows(MAIN, "u", "assistants")
    assert [type(event) for event in world.facts.events] == [ConsentGiven, ConsentWithdrawn]
    history = await world.consents.history(MAIN, "u")
    assert [fact.is_given for fact in history] == [False, True]
    again = Consents(world.table, world.clock, world.facts)
    await again.load(MAIN)
    assert not again.allows(MAIN, "u", "assistants")


async def test_a_withdrawal_holds_even_when_it_cannot_be_written() -> None:
    """It fails loudly, is refused in use from then on, and can be tried again."""
    world = World()
    await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    world.table.is_away = True
    with pytest.raises(StoreBusy):
        await world.consents.withdraw(MAIN, "u", "assistants", "user:u")
    assert not world.consents.allows(MAIN, "u", "assistants")
    world.table.is_away = False
    await world.consents.withdraw(MAIN, "u", "assistants", "user:u")
    assert [fact.is_given for _, fact in world.table.facts] == [True, False]


async def test_agreement_that_cannot_be_written_is_none() -> None:
    """Not allowed until it is durable."""
    world = World()
    world.table.is_away = True
    with pytest.raises(StoreBusy):
        await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    assert not world.consents.allows(MAIN, "u", "assistants")


async def test_another_text_needs_another_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who agreed to version 1 did not agree to version 2, and cannot agree to 1 any more."""
    world = World()
    await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    newer = Purpose(name="assistants", version=2, title="t", text="other words")
    monkeypatch.setattr(module, "PURPOSES", {**PURPOSES, "assistants": newer})
    assert not world.consents.allows(MAIN, "u", "assistants")
    with pytest.raises(InputError, match="version 2"):
        await world.consents.give(MAIN, "u", "assistants", 1, "user:u")
    await world.consents.give(MAIN, "u", "assistants", 2, "user:u")
    assert world.consents.allows(MAIN, "u", "assistants")


async def test_the_erased_agree_to_nothing() -> None:
    """Their consent is forgotten, nobody else's."""
    world = World()
    for user in ("u", "v"):
        await world.consents.give(MAIN, user, "assistants", 1, f"user:{user}")
    world.consents.forget(MAIN, "u")
    assert not world.consents.allows(MAIN, "u", "assistants")
    assert world.consents.allows(MAIN, "v", "assistants")
