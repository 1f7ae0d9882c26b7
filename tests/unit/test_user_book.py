"""Everybody of every tenant: adding, changing, blocking, and what may not be changed."""

import asyncio

import pytest

from plan2.connectivity.identity.people import Change, Person, name_key
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.people import UserChanged
from unit.identity_fixtures import HOME, OTHER, IdentityStage


async def staffed() -> IdentityStage:
    """An administrator and an analyst."""
    stage = await IdentityStage().start()
    await stage.add("boss", Role.TENANT_ADMIN)
    await stage.add("anna", Role.ANALYST)
    return stage


def anna(stage: IdentityStage) -> Person:
    """The analyst."""
    person = stage.book.named(HOME, "anna")
    assert person is not None
    return person


async def test_people_are_found_by_id_and_by_any_form_of_their_name() -> None:
    """Case and compatibility forms do not matter; another tenant's people are not found."""
    stage = await staffed()
    person = anna(stage)
    assert stage.book.named(HOME, "ＡＮＮＡ") is person
    assert stage.book.find(HOME, person.user.user_id) is person
    assert stage.book.find(OTHER, person.user.user_id) is None
    assert stage.book.named(OTHER, "anna") is None
    assert stage.book.named("nowhere", "anna") is None
    assert [each.user.name for each in stage.book.of_tenant(HOME)] == ["anna", "boss"]
    assert stage.book.of_tenant("nowhere") == []


@pytest.mark.parametrize("name", ["", "x" * 65, " anna", "anna ", "an\nna", "an\u200bna", "\x00"])
async def test_unusable_names_are_refused(name: str) -> None:
    """InputError, and nothing is stored."""
    stage = await staffed()
    with pytest.raises(InputError):
        await stage.add(name)
    with pytest.raises(InputError):
        await stage.book.rename(HOME, anna(stage).user.user_id, name, by="test")
    assert len(stage.tables.people) == 2


async def test_a_name_is_given_once_per_tenant() -> None:
    """Another case is the same name; another tenant may have it too; one's own may be kept."""
    stage = await staffed()
    for taken in ("anna", "ANNA", "Anna"):
        with pytest.raises(InputError, match="taken"):
            await stage.add(taken)
    await stage.add("anna", tenant_id=OTHER)
    with pytest.raises(InputError, match="taken"):
        await stage.book.rename(HOME, anna(stage).user.user_id, "Boss", by="test")
    renamed = await stage.book.rename(HOME, anna(stage).user.user_id, "Anna", by="test")
    assert renamed.user.name == "Anna"


async def test_of_two_who_race_for_a_name_one_gets_it() -> None:
    """The other is told that it is taken."""
    stage = await staffed()
    results = await asyncio.gather(
        *(
            stage.book.create(
                User(user_id=f"u{n}", name="carl", tenant_id=HOME, role=Role.ANALYST), by="test"
            )
            for n in range(5)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Person) for each in results) == 1
    assert sum(isinstance(each, InputError) for each in results) == 4


async def test_changes_are_told_and_written_without_names() -> None:
    """Listeners hear of each change once it is stored; events carry roles and nothing personal."""
    stage = await staffed()
    heard: list[tuple[str, Change, bool]] = []

    def listen(person: Person, change: Change) -> None:
        key = (HOME, person.user.user_id)
        heard.append((person.user.name, change, stage.tables.people[key] == person))

    stage.book.on_change(listen)
    user_id = anna(stage).user.user_id
    book = stage.book
    await book.change_role(HOME, user_id, Role.PORTFOLIO_MANAGER, by="user:boss")
    await book.change_role(HOME, user_id, Role.PORTFOLIO_MANAGER, by="user:boss")
    await book.set_blocked(HOME, user_id, True, by="user:boss")
    await book.set_blocked(HOME, user_id, False, by="user:boss")
    await book.rename(HOME, user_id, "Berta", by="user:boss")
    await book.forget(HOME, user_id, by="user:boss")
    changes = ["role", "blocked", "unblocked", "renamed", "removed"]
    assert [(str(change), is_stored) for _, change, is_stored in heard] == [
        (change, True) for change in changes
    ]
    told = [each for each in stage.written.of(UserChanged) if isinstance(each, UserChanged)][2:]
    assert [each.change for each in told] == changes
    assert (told[0].old_value, told[0].new_value) == ("Analyst", "Portfolio_Manager")
    assert "anna" not in repr(told).lower()
    assert "berta" not in repr(told).lower()
    left = book.find(HOME, user_id)
    assert left is not None
    assert (left.user.name, left.password_hash, left.is_blocked) == (
        f"erased-{user_id}",
        "",
        True,
    )


async def test_the_last_administrator_stays() -> None:
    """Neither demoted nor blocked nor erased, until there is another who may sign in."""
    stage = await staffed()
    boss = stage.book.named(HOME, "boss")
    assert boss is not None
    user_id = boss.user.user_id
    book = stage.book
    for refused in (
        book.change_role(HOME, user_id, Role.ANALYST, by="x"),
        book.set_blocked(HOME, user_id, True, by="x"),
        book.forget(HOME, user_id, by="x"),
    ):
        with pytest.raises(InputError, match="last administrator"):
            await refused
    await book.change_role(HOME, anna(stage).user.user_id, Role.TENANT_ADMIN, by="x")
    results = await asyncio.gather(
        book.change_role(HOME, user_id, Role.ANALYST, by="x"),
        book.set_blocked(HOME, anna(stage).user.user_id, True, by="x"),
        return_exceptions=True,
    )
    assert sum(isinstance(each, InputError) for each in results) == 1


async def test_what_cannot_be_stored_does_not_happen() -> None:
    """Durable first: while the database is away, memory, listeners and events stay as they are."""
    stage = await staffed()
    before = anna(stage)
    events = len(stage.written.events)

    async def away(person: Person, ended_ns: int | None) -> None:
        raise StoreBusy("away")

    stage.tables.update_person = away  # type: ignore[method-assign]
    with pytest.raises(StoreBusy):
        await stage.book.set_blocked(HOME, before.user.user_id, True, by="x")
    assert anna(stage) is before
    assert len(stage.written.events) == events


async def test_unknown_people_and_tenants_are_named() -> None:
    """InputError says what there is not."""
    stage = await staffed()
    with pytest.raises(InputError, match="no user nobody"):
        await stage.book.set_blocked(HOME, "nobody", True, by="x")
    with pytest.raises(InputError, match="no tenant nowhere"):
        await stage.add("carl", tenant_id="nowhere")
    stage.book.drop_tenant(OTHER)
    with pytest.raises(InputError, match="no tenant other"):
        await stage.add("carl", tenant_id=OTHER)


async def test_there_is_one_first_administrator() -> None:
    """Every start finds the same person; one of an older database becomes an operator."""
    stage = await IdentityStage().start()
    first = await stage.links.ensure_administrator()
    assert await stage.links.ensure_administrator() == first
    assert (first.is_operator, first.role, first.tenant_id) == (True, Role.TENANT_ADMIN, HOME)
    person = stage.book.find(HOME, first.user_id)
    assert person is not None
    await stage.book.set_operator(HOME, first.user_id, False, by="test")
    await stage.restart()
    assert (await stage.links.ensure_administrator()).is_operator
    assert len(stage.tables.people) == 1


def test_name_keys_fold_as_unicode_says() -> None:
    """Full case folding and compatibility forms, as in the Unicode standard's own examples."""
    assert name_key("Straße") == name_key("STRASSE")
    assert name_key("ﬁ") == name_key("FI")
    assert name_key("anna") != name_key("anne")
