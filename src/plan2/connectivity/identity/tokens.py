"""Access tokens: good for 15 minutes, and only as long as their session lives.

A token says who and which session, never what one may do: role and rights are those that the
session has at this moment. A token that was found good is remembered by its SHA-256, so that it
costs a hash and two look-ups until it ends; the session is looked at every time.
"""

from typing import Final

import msgspec

from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.session_rows import Caller, Live, SessionRow
from plan2.connectivity.identity.sessions import Sessions, hash_secret
from plan2.connectivity.identity.signing_keys import SigningKeys
from plan2.connectivity.identity.token_gate import (
    LIFE_MAX_S,
    TOKEN_MAX,
    Claims,
    TokenRefused,
    open_token,
    signed,
    unsigned,
)
from plan2.foundation.clock import Clock
from plan2.foundation.ids import IdSource
from plan2.foundation.values import NS_PER_SECOND

REMEMBERED_MAX: Final = 10_000
"""Tokens that were found good; the one that was found first makes room."""
AHEAD_S: Final = 5
"""So far may the clock have been set back since a token was made."""


class _Good(msgspec.Struct):
    """A token that was found good: what it belongs to, when it ends (UTC ns), what routes see."""

    live: Live
    key_id: str
    expires_ns: int
    row: SessionRow
    shown: Session


class Tokens:
    """Makes and checks access tokens.

    Args:
        keys: sign and verify. sessions: what tokens belong to. clock: wall time. ids: token ids.
    """

    def __init__(self, keys: SigningKeys, sessions: Sessions, clock: Clock, ids: IdSource) -> None:
        self._keys = keys
        self._sessions = sessions
        self._clock = clock
        self._ids = ids
        self._good: dict[bytes, _Good] = {}

    def issue(self, session: Session) -> tuple[str, int]:
        """A new token of a session, and when it ends, UTC ns."""
        now_ns = self._clock.now_ns()
        starts_s = now_ns // NS_PER_SECOND
        ends_s = min(starts_s + LIFE_MAX_S, session.expires_ns // NS_PER_SECOND)
        claims = Claims(
            iss="plan2",
            aud="plan2-api",
            sub=session.user.user_id,
            tid=session.user.tenant_id,
            sid=session.session_id,
            jti=self._ids.next_id("token"),
            iat=starts_s,
            nbf=starts_s,
            exp=ends_s,
        )
        part = unsigned(self._keys.current_id, claims)
        return signed(part, self._keys.sign(part)), ends_s * NS_PER_SECOND

    def find(self, bearer: str, address: str) -> Session | None:
        """The live session of a token, or None, whatever is wrong with it."""
        if len(bearer) > TOKEN_MAX or not bearer.isascii():
            return None
        digest = hash_secret(bearer)
        good = self._good.get(digest)
        if good is None:
            good = self._check(bearer)
            if good is None:
                return None
            self._remember(digest, good)
        now_ns = self._clock.now_ns()
        live = good.live
        if live.is_over or now_ns >= good.expires_ns or not self._keys.is_good(good.key_id):
            self._good.pop(digest, None)
            return None
        if good.row is not live.row:
            good.row, good.shown = live.row, live.row.session(expires_ns=good.expires_ns)
        live.last_seen_ns = now_ns
        if address != live.caller.address:
            live.caller = Caller(address, live.caller.agent)
        return good.shown

    def _check(self, token: str) -> _Good | None:
        """The whole check: form, key, signature, times, session, person, tenant."""
        try:
            opened = open_token(token)
        except TokenRefused:
            return None
        claims = opened.claims
        if not self._keys.is_signed(opened.key_id, opened.signed, opened.signature):
            return None
        now_ns = self._clock.now_ns()
        if now_ns // NS_PER_SECOND < claims.iat - AHEAD_S or now_ns >= claims.exp * NS_PER_SECOND:
            return None
        live = self._sessions.live(claims.sid)
        if live is None or live.row.via is not Via.TOKEN:
            return None
        user = live.row.user
        if (user.user_id, user.tenant_id) != (claims.sub, claims.tid):
            return None
        expires_ns = min(claims.exp * NS_PER_SECOND, live.row.expires_ns)
        shown = live.row.session(expires_ns=expires_ns)
        return _Good(live, opened.key_id, expires_ns, live.row, shown)

    def _remember(self, digest: bytes, good: _Good) -> None:
        if len(self._good) >= REMEMBERED_MAX:
            del self._good[next(iter(self._good))]
        self._good[digest] = good
