"""Idempotency keys: one request, one effect, one answer."""

import asyncio

import pytest
from gateway_layers import Echo, Given, at, call, scope_of, session, user

from plan2.connectivity.gateway.kept_answers import (
    KEPT_FOR_NS,
    WHOLE_MAX_BYTES,
    Answer,
    Claim,
    Kept,
    RecentAnswers,
)
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.repetition import Answers
from plan2.foundation.errors import StoreBusy

KEY = {"Idempotency-Key": "key-0001", "Content-Type": "application/json"}
BODY_MAX = 100_000


class Durable:
    """What survives a restart, in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Kept] = {}
        self.is_away = False

    async def begin(self, claim: Claim) -> Kept | None:
        """See the port."""
        if claim.name in self.kept:
            return self.kept[claim.name]
        self.kept[claim.name] = Kept(fingerprint=claim.fingerprint, answer=None)
        return None

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """See the port."""
        if self.is_away:
            raise StoreBusy("away")
        self.kept[claim.name] = Kept(fingerprint=claim.fingerprint, answer=answer)

    async def abandon(self, claim: Claim) -> None:
        """See the port."""
        del self.kept[claim.name]


class Bench:
    """The layer around an echo; `restart` forgets what was in memory."""

    def __init__(self) -> None:
        self.time_ns = [0]
        self.echo = Echo(201)
        self.durable = Durable()
        self.restart()

    def restart(self) -> None:
        """A new process on the same table."""
        answers = Answers(RecentAnswers(at(self.time_ns)), self.durable)
        self.app = answers.repeating(BODY_MAX)(self.echo)

    async def ask(self, body: bytes = b"{}", path: str = "/api/v1/things", **more: object) -> Given:
        """One request with the key."""
        return await call(self.app, scope_of(path=path, headers=KEY, **more), body)


async def test_a_repetition_gets_the_first_answer() -> None:
    """Byte for byte, marked as repeated, in this run and after a restart."""
    bench = Bench()
    first = await bench.ask()
    again = await bench.ask()
    bench.restart()
    later = await bench.ask()
    assert len(bench.echo.calls) == 1
    assert first.body == again.body == later.body == b'{"n":1}'
    assert (again.status, again.headers["idempotency-replayed"]) == (201, "true")
    assert later.headers["content-type"] == "application/json"


@pytest.mark.parametrize("change", ["body", "path", "query", "method"])
async def test_another_request_with_the_key_is_a_conflict(change: str) -> None:
    """Whatever differs, nothing is carried out."""
    bench = Bench()
    await bench.ask()
    others = {
        "body": (b"[]", {}),
        "path": (b"{}", {"path": "/api/v1/others"}),
        "query": (b"{}", {"query_string": b"a=1"}),
        "method": (b"{}", {"method": "PUT"}),
    }
    body, more = others[change]
    with pytest.raises(RequestRefused) as refused:
        await bench.ask(body, **more)  # type: ignore[arg-type]  # paths are text
    assert (refused.value.status, refused.value.code) == (409, "idempotency_conflict")
    assert len(bench.echo.calls) == 1


async def test_people_and_tenants_have_keys_of_their_own() -> None:
    """The same key of somebody else is another request."""
    bench = Bench()
    for owner in (user("ann"), user("bob"), user("ann", tenant="other")):
        await bench.ask(auth=session(owner))
    assert len(bench.echo.calls) == 3


async def test_a_repetition_waits_for_the_first_one() -> None:
    """Twenty at once: one is carried out, and all get its answer."""
    bench = Bench()
    bench.echo.gate = asyncio.Event()
    asked = [asyncio.create_task(bench.ask()) for _ in range(20)]
    while not bench.echo.calls:  # noqa: ASYNC110 - a turn for each task, no time passes
        await asyncio.sleep(0)
    bench.echo.gate.set()
    answers = await asyncio.gather(*asked)
    assert len(bench.echo.calls) == 1
    assert {(given.status, given.body) for given in answers} == {(201, b'{"n":1}')}


async def test_what_was_refused_may_be_tried_again() -> None:
    """A refusal changed nothing, so it is not kept, neither in memory nor in the table."""
    bench = Bench()
    bench.echo.status = 422
    assert (await bench.ask()).status == 422
    assert bench.durable.kept == {}
    bench.echo.status = 201
    assert (await bench.ask()).status == 201


async def test_a_request_that_broke_off_is_told_as_such() -> None:
    """The process died between claim and answer: nobody knows, and that is what is said."""
    bench = Bench()
    bench.durable.is_away = True
    await bench.ask()
    bench.restart()
    with pytest.raises(RequestRefused) as refused:
        await bench.ask()
    assert refused.value.code == "outcome_unknown"
    assert len(bench.echo.calls) == 1


async def test_secrets_are_never_stored() -> None:
    """Repeated from memory; after a restart the key says that it was done, without the answer."""
    bench = Bench()
    bench.echo.body = b'{"key":"p2_live_secret"}'
    for _ in range(2):
        assert b"secret" in (await bench.ask(path="/api/v1/keys")).body
    assert "secret" not in str(bench.durable.kept)
    bench.restart()
    with pytest.raises(RequestRefused) as refused:
        await bench.ask(path="/api/v1/keys")
    assert refused.value.code == "answer_gone"
    assert len(bench.echo.calls) == 1


async def test_trading_never_waits_for_the_database() -> None:
    """Orders are kept in memory only: their ids derive from the key."""
    bench = Bench()
    for _ in range(2):
        await bench.ask(path="/api/v1/orders")
    assert bench.durable.kept == {}
    assert len(bench.echo.calls) == 1


async def test_a_key_is_forgotten_after_a_day() -> None:
    """In memory as in the table; here in memory."""
    bench = Bench()
    await bench.ask(path="/api/v1/orders")
    bench.time_ns[0] = KEPT_FOR_NS - 1
    await bench.ask(path="/api/v1/orders")
    assert len(bench.echo.calls) == 1
    bench.time_ns[0] = KEPT_FOR_NS
    await bench.ask(path="/api/v1/orders")
    assert len(bench.echo.calls) == 2


async def test_a_long_answer_is_remembered_as_given() -> None:
    """Its text passes through untouched and is not kept."""
    bench = Bench()
    bench.echo.body = b"x" * (WHOLE_MAX_BYTES + 1)
    assert len((await bench.ask()).body) == WHOLE_MAX_BYTES + 1
    with pytest.raises(RequestRefused) as refused:
        await bench.ask()
    assert refused.value.code == "answer_gone"


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space in it", "ümläut-key"])
async def test_unusable_keys_are_refused(key: str) -> None:
    """400 before anything is read."""
    bench = Bench()
    scope = scope_of(headers={"Idempotency-Key": key})
    with pytest.raises(RequestRefused) as refused:
        await call(bench.app, scope)
    assert refused.value.status == 400
    assert bench.echo.calls == []


async def test_bodies_are_bounded() -> None:
    """One byte too many is 413, declared or not."""
    bench = Bench()
    with pytest.raises(RequestRefused) as refused:
        await bench.ask(b"x" * (BODY_MAX + 1))
    assert refused.value.status == 413
    assert bench.echo.calls == []


async def test_without_key_or_session_everything_passes() -> None:
    """Reads, strangers and requests without a key are none of its business."""
    bench = Bench()
    await call(bench.app, scope_of())
    await call(bench.app, scope_of("GET", headers=KEY))
    await call(bench.app, scope_of(headers=KEY, auth=None))
    assert len(bench.echo.calls) == 3
    assert bench.durable.kept == {}
