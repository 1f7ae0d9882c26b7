"""Idempotency keys: an unsafe request that is repeated with its key gets the first one's answer.

The same key with another request is a conflict; a repetition of a request that is still under way
waits for it. What was refused changed nothing, so it is not kept and may be tried again. Answers
that hold a secret are kept in memory only. Requests that trade never wait for the database: what
they do is named after their key, so that a repetition after a restart is recognised by the books.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable
from typing import Final, cast

import msgspec
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from plan2.connectivity.gateway.headers import header
from plan2.connectivity.gateway.kept_answers import (
    WHOLE_MAX_BYTES,
    Answer,
    Claim,
    Kept,
    KeptAnswers,
    RecentAnswers,
)
from plan2.connectivity.gateway.middleware import UNCHANGING, method_of
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.right_table import SHOWN_ONCE, rule_for
from plan2.connectivity.identity.rights import RateClass
from plan2.foundation.errors import Recoverable
from plan2.foundation.log import logger

KEY_HEADER: Final = b"idempotency-key"
KEY: Final = re.compile(r"[\x21-\x7e]{8,128}")
NOT_REPEATED: Final = frozenset({b"x-request-id", b"x-correlation-id", b"content-length"})


class _Work(msgspec.Struct, frozen=True):
    """A request under way: what it asks for, and what becomes of it; None when it was refused."""

    fingerprint: bytes
    done: asyncio.Future[Answer | None]


class Answers:
    """What all routes of one application share: answers of this run, of earlier ones, and the work.

    Args:
        recent: answers of this run.
        durable: answers of earlier runs; None where nothing is to survive.
    """

    def __init__(self, recent: RecentAnswers, durable: KeptAnswers | None) -> None:
        self.recent = recent
        self.durable = durable
        self.under_way: dict[bytes, _Work] = {}

    def repeating(self, body_max_bytes: int) -> Callable[[ASGIApp], ASGIApp]:
        """The middleware behind the guard."""
        return lambda app: Repetition(app, self, body_max_bytes)


class Repetition:
    """Answers a repetition from memory; carries everything else out once."""

    def __init__(self, app: ASGIApp, answers: Answers, body_max_bytes: int) -> None:
        self._app = app
        self._answers = answers
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or carry out and remember.

        Raises:
            RequestRefused: 400 for an unusable key, 409 for one that was used for something else.
        """
        session: Session | None = scope.get("auth")
        if session is None or method_of(scope) in UNCHANGING or not _is_named(scope):
            await self._app(scope, receive, send)
            return
        shown = header(scope, KEY_HEADER)
        if not KEY.fullmatch(shown):
            raise RequestRefused(
                400,
                "invalid_parameter",
                "Idempotency-Key (header): 8 to 128 visible ASCII characters are expected.",
            )
        body = await whole_body(scope, receive, self._body_max_bytes)
        claim = _claim(scope, session, shown, body)
        under_way = self._answers.under_way
        while (work := under_way.get(claim.name)) is not None:
            _check_same(claim, work.fingerprint)
            answer = await asyncio.shield(work.done)
            if answer is not None:
                await _repeat(answer, send)
                return
        work = _Work(claim.fingerprint, asyncio.get_running_loop().create_future())
        under_way[claim.name] = work
        found: Answer | None = None
        try:
            found = await self._once(claim, scope, _again(body, receive), send)
        finally:
            del under_way[claim.name]
            work.done.set_result(found)

    async def _once(
        self, claim: Claim, scope: Scope, receive: Receive, send: Send
    ) -> Answer | None:
        route = (method_of(scope), scope["path_template"])
        rule = rule_for(*route)
        is_trading = rule is not None and rule.rate is RateClass.TRADING
        durable = None if is_trading else self._answers.durable
        kept = self._answers.recent.find(claim)
        if kept is None and durable is not None:
            kept = await durable.begin(claim)
        if kept is not None:
            known = _answer_of(kept, claim)
            await _repeat(known, send)
            return known
        taken = _Taken(send)
        try:
            await self._app(scope, receive, taken)
        finally:
            answer = taken.answer()
            if answer is not None:
                self._answers.recent.keep(claim, answer)
            if durable is not None:
                await _settle(durable, claim, answer, is_secret=route in SHOWN_ONCE)
        return answer


class _Taken:
    """Passes an answer on and takes a copy of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 500
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()
        self._is_whole = True

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
                if name.lower() not in NOT_REPEATED
            )
        elif message["type"] == "http.response.body":
            self._is_whole = self._is_whole and (
                len(self._body) + len(message["body"]) <= WHOLE_MAX_BYTES
            )
            if self._is_whole:
                self._body += message["body"]
        await self._send(message)

    def answer(self) -> Answer | None:
        """What was answered; None when it was refused or broke off."""
        if self._status >= 400:
            return None
        answer = Answer(status=self._status, headers=self._headers, body=bytes(self._body))
        return answer if self._is_whole else _bare(answer)


async def whole_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The body of a request.

    Raises:
        RequestRefused: 413 when it is longer than allowed.
    """
    body = bytearray()
    declared = header(scope, b"content-length")
    is_too_long = declared.isdigit() and int(declared) > max_bytes
    while not is_too_long:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        is_too_long = len(body) > max_bytes
        if not message.get("more_body") and not is_too_long:
            return bytes(body)
    raise RequestRefused(
        413, "body_too_large", f"The body is longer than {max_bytes} bytes, or was broken off."
    )


async def _settle(
    durable: KeptAnswers, claim: Claim, answer: Answer | None, *, is_secret: bool
) -> None:
    """Write down what became of a claim; the caller has the answer already."""
    try:
        if answer is None:
            await durable.abandon(claim)
        else:
            await durable.finish(claim, _bare(answer) if is_secret else answer)
    except Recoverable as error:
        logger("gateway").warning("answer_not_kept", reason=error.message)


def _is_named(scope: Scope) -> bool:
    return any(name == KEY_HEADER for name, _ in scope["headers"])


def _claim(scope: Scope, session: Session, key: str, body: bytes) -> Claim:
    asked = hashlib.sha256()
    parts = (method_of(scope), scope["path"], header(scope, b"content-type"))
    for part in (*(each.encode() for each in parts), scope["query_string"]):
        asked.update(len(part).to_bytes(4) + part)
    asked.update(body)
    return Claim(
        tenant_id=session.user.tenant_id,
        user_id=session.user.user_id,
        key_hash=hashlib.sha256(key.encode()).digest(),
        fingerprint=asked.digest(),
    )


def _check_same(claim: Claim, fingerprint: bytes) -> None:
    if claim.fingerprint != fingerprint:
        raise RequestRefused(
            409,
            "idempotency_conflict",
            "This Idempotency-Key was used for another request.",
            remedy="Use a new key for a new request.",
        )


def _answer_of(kept: Kept, claim: Claim) -> Answer:
    """The kept answer, if it is one that can be given again."""
    _check_same(claim, kept.fingerprint)
    if kept.answer is None:
        raise RequestRefused(
            409,
            "outcome_unknown",
            "A request with this Idempotency-Key was broken off; it may have been carried out.",
            remedy="Look whether it was, and use a new key if it was not.",
        )
    if not kept.answer.is_whole:
        raise RequestRefused(
            409,
            "answer_gone",
            "This request was carried out; its answer is not shown again.",
            remedy="Use a new key to do it once more.",
        )
    return kept.answer


def _bare(answer: Answer) -> Answer:
    return Answer(status=answer.status, headers=(), body=b"", is_whole=False)


def _again(body: bytes, receive: Receive) -> Receive:
    """What a route receives after its body was read: the body, then whatever follows."""
    pending = [body]

    async def received() -> HTTPReceiveMessage:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        # An HTTP connection receives nothing else than parts of the body and its end.
        return cast("HTTPReceiveMessage", await receive())

    return received


async def _repeat(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    headers.append((b"idempotency-replayed", b"true"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
