"""Second factors: enrolment, checking a code once and never again, backup codes, removal.

A seed is sealed with its person's key and bound to its row. The step of a code that was accepted is
stored by compare-and-set in the database, also that of the code which confirms an enrolment; so of
two sign-ins that show one code at the same instant exactly one succeeds.
"""

import enum
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.backup_codes import code_hash, new_codes
from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.totp import (
    SEED_BYTES,
    QrCode,
    matching_step,
    new_seed,
    otpauth_uri,
    qr_code,
    shown_seed,
)
from plan2.foundation.clock import Clock
from plan2.foundation.events.people import CredentialChanged
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.secrets.sealing import Place, Sealer
from plan2.foundation.values import NS_PER_MINUTE, TenantId

ENROLMENT_LIFE_NS: Final = 15 * NS_PER_MINUTE
"""How long a seed that was shown waits for its first code."""

NOBODY: Final = bytes(SEED_BYTES)
"""What a code is held against where there is no second factor: the same work, always wrong."""


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """A seed as it is stored; it counts once it was confirmed. Times UTC ns."""

    factor_id: str
    user_id: str
    sealed: bytes
    begun_ns: int
    confirmed_ns: int | None = None


class FactorTable(Protocol):
    """Where seeds and backup codes are kept."""

    async def enrolled(self, tenant_id: TenantId) -> dict[str, int]:
        """Everybody with a confirmed seed, and since when, UTC ns."""
        ...

    async def find(self, tenant_id: TenantId, user_id: str, *, is_confirmed: bool) -> Seed | None:
        """A person's seed in force, or the one that waits for its first code."""
        ...

    async def begin(self, tenant_id: TenantId, seed: Seed) -> None:
        """Keep a seed that waits, in place of one that waited before."""
        ...

    async def confirm(
        self, tenant_id: TenantId, seed: Seed, step: int, hashes: tuple[bytes, ...]
    ) -> bool:
        """Put a waiting seed in force with its step used up, and backup codes beside it.

        False when it does not wait any more.
        """
        ...

    async def use_step(self, tenant_id: TenantId, factor_id: str, step: int) -> bool:
        """Use up a step; False when it or a later one was used before."""
        ...

    async def use_code(self, tenant_id: TenantId, user_id: str, hash_: bytes, at_ns: int) -> bool:
        """Use up a backup code; False when it is unknown or used."""
        ...

    async def codes_left(self, tenant_id: TenantId, user_id: str) -> int:
        """How many backup codes are unused."""
        ...

    async def replace_codes(
        self, tenant_id: TenantId, user_id: str, hashes: tuple[bytes, ...]
    ) -> bool:
        """Put new backup codes in the place of all old ones; False without a confirmed seed."""
        ...

    async def remove(self, tenant_id: TenantId, user_id: str) -> bool:
        """Take seeds and backup codes away; False when there was no seed in force."""
        ...


class Begun(Masked, frozen=True):
    """A seed that waits for its first code; shown only here. `expires_ns` is UTC ns."""

    secret: str
    uri: str
    picture: QrCode
    expires_ns: int


class Standing(msgspec.Struct, frozen=True):
    """How a person's second factor stands; `since_ns` is None without one."""

    since_ns: int | None
    codes_left: int


class NotConfirmed(enum.StrEnum):
    """Why an enrolment did not come about."""

    NOTHING_BEGUN = "nothing_begun"
    CODE_WRONG = "code_wrong"


class SecondFactors:
    """Everybody's second factors, of every tenant.

    Args:
        table: where they are kept. sealer: seals seeds. clock: wall time; codes depend on it.
        ids: names of seeds. record: writes facts down. secret: 256 random bits.
    """

    def __init__(
        self,
        table: FactorTable,
        sealer: Sealer,
        clock: Clock,
        ids: IdSource,
        record: Record,
        secret: Callable[[], str],
    ) -> None:
        self._table = table
        self._sealer = sealer
        self._clock = clock
        self._ids = ids
        self._record = record
        self._secret = secret
        self._since: dict[str, dict[str, int]] = {}

    async def load(self, tenant_id: str) -> int:
        """Learn who of a tenant has one; their number."""
        self._since[tenant_id] = await self._table.enrolled(TenantId(tenant_id))
        return len(self._since[tenant_id])

    def forget(self, tenant_id: str) -> None:
        """A tenant is gone."""
        self._since.pop(tenant_id, None)

    def has(self, tenant_id: str, user_id: str) -> bool:
        """Whether a person has a second factor in force; from memory."""
        return user_id in self._since.get(tenant_id, {})

    async def standing(self, user: User) -> Standing:
        """How a person's second factor stands."""
        tenant_id = TenantId(user.tenant_id)
        left = await self._table.codes_left(tenant_id, user.user_id)
        return Standing(self._since.get(tenant_id, {}).get(user.user_id), left)

    async def begin(self, user: User) -> Begun:
        """A new seed that waits for its first code; one in force stays so until then."""
        seed = new_seed(self._secret())
        tenant_id = TenantId(user.tenant_id)
        factor_id = self._ids.next_id("second_factor")
        now_ns = self._clock.now_ns()
        sealed = await self._sealer.seal(_place(tenant_id, factor_id, user.user_id), seed)
        await self._table.begin(
            tenant_id,
            Seed(factor_id=factor_id, user_id=user.user_id, sealed=sealed, begun_ns=now_ns),
        )
        uri = otpauth_uri(seed, user.name, user.tenant_id)
        return Begun(shown_seed(seed), uri, qr_code(uri), now_ns + ENROLMENT_LIFE_NS)

    async def confirm(self, user: User, code: str) -> tuple[str, ...] | NotConfirmed:
        """Put the waiting seed in force; returns the backup codes, which are shown only here.

        The code that confirms is used up by it.
        """
        tenant_id = TenantId(user.tenant_id)
        now_ns = self._clock.now_ns()
        waiting = await self._table.find(tenant_id, user.user_id, is_confirmed=False)
        if waiting is None or waiting.begun_ns + ENROLMENT_LIFE_NS <= now_ns:
            return NotConfirmed.NOTHING_BEGUN
        step = await self._step_of(tenant_id, waiting, code, now_ns)
        if step is None:
            return NotConfirmed.CODE_WRONG
        codes = new_codes(self._secret)
        confirmed = msgspec.structs.replace(waiting, confirmed_ns=now_ns)
        if not await self._table.confirm(tenant_id, confirmed, step, _hashes(codes)):
            return NotConfirmed.NOTHING_BEGUN
        self._since.setdefault(tenant_id, {})[user.user_id] = now_ns
        self._tell(user, "totp", "set")
        self._tell(user, "backup_codes", "set")
        return codes

    def is_needed(self, user: User) -> bool:
        """Whether signing in takes a code as well; as `has`, for signing in."""
        return self.has(user.tenant_id, user.user_id)

    async def check(self, user: User | None, code: str) -> bool:
        """Use up a code of the authenticator, or a backup code; False when it is neither.

        Args:
            user: whose code it should be; None for nobody, which is always False.
            code: what was typed.
        """
        now_ns = self._clock.now_ns()
        if user is None or not self.is_needed(user):
            matching_step(NOBODY, code, now_ns)
            return False
        tenant_id = TenantId(user.tenant_id)
        hash_ = code_hash(code)
        if hash_ is not None:
            is_used = await self._table.use_code(tenant_id, user.user_id, hash_, now_ns)
            if is_used:
                self._tell(user, "backup_codes", "used")
            return is_used
        seed = await self._table.find(tenant_id, user.user_id, is_confirmed=True)
        if seed is None:
            return False
        step = await self._step_of(tenant_id, seed, code, now_ns)
        return step is not None and await self._table.use_step(tenant_id, seed.factor_id, step)

    async def renew_codes(self, user: User) -> tuple[str, ...] | None:
        """Ten new backup codes, shown only here; None without a second factor in force."""
        codes = new_codes(self._secret)
        tenant_id = TenantId(user.tenant_id)
        if not await self._table.replace_codes(tenant_id, user.user_id, _hashes(codes)):
            return None
        self._tell(user, "backup_codes", "set")
        return codes

    async def remove(self, user: User, actor: str) -> bool:
        """Take a person's second factor away; False when there was none in force.

        Args:
            user: whose it is.
            actor: who takes it away, such as `user:…`: the person, or an administrator.
        """
        is_gone = await self._table.remove(TenantId(user.tenant_id), user.user_id)
        self._since.get(user.tenant_id, {}).pop(user.user_id, None)
        if is_gone:
            self._tell(user, "totp", "removed", actor)
        return is_gone

    async def _step_of(self, tenant: TenantId, seed: Seed, code: str, now_ns: int) -> int | None:
        place = _place(tenant, seed.factor_id, seed.user_id)
        return matching_step(await self._sealer.open(place, seed.sealed), code, now_ns)

    def _tell(self, user: User, credential: str, change: str, actor: str = "") -> None:
        by = actor or f"user:{user.user_id}"
        self._record(
            user.tenant_id,
            f"user:{user.user_id}",
            CredentialChanged(
                ts_ns=self._clock.now_ns(),
                user_id=user.user_id,
                credential=credential,
                change=change,
                by=by,
            ),
            actor=by,
        )


def _place(tenant_id: TenantId, factor_id: str, user_id: str) -> Place:
    return Place(
        tenant_id=tenant_id, table="second_factor", column="seed", row=factor_id, subject=user_id
    )


def _hashes(codes: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(found for found in map(code_hash, codes) if found is not None)
