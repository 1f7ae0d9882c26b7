"""What callers may see and change of the settings: rights per scope, proofs, second persons.

The table of rights decides who reaches the routes; what depends on the key is decided here:
operators' keys, and changes that loosen a limit, which want a fresh proof of identity and, with
`security.four_eyes`, a second person.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import Kind, Payload, Proposal
from plan2.connectivity.identity.rights import ADMIN, READERS
from plan2.connectivity.identity.sign_in import is_proven
from plan2.foundation.clock import Clock
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.overlay_changes import (
    Author,
    SettingInvalid,
    SettingLocked,
    SettingLoosens,
    SettingUnknown,
    Target,
    declared,
)
from plan2.foundation.config.overlay_keys import (
    GLOBAL,
    OVERRIDABLE,
    TENANT,
    USER,
    Overridable,
    Value,
    value_of,
)
from plan2.foundation.config.overlay_merge import Entry
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.values import TenantId
from plan2.interface.api.settings_items import SettingReceipt

STATUS_OF: Final[Mapping[type[InputError], int]] = {
    SettingUnknown: 404,
    SettingLocked: 409,
    SettingInvalid: 422,
    SettingLoosens: 403,
}
Propose = Callable[[Session, Payload, str], Awaitable[str]]
"""Asks a second person: the caller, what is wanted, why; gives the approval's id."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a key; without value and lock it takes away what was set."""

    key: str
    value: Value = None
    locked: bool | None = None

    @property
    def is_removal(self) -> bool:
        """Whether it takes away what was set."""
        return self.value is None and self.locked is None


class SettingsDesk:
    """Carries out what callers want changed.

    Args:
        overlay: the settings. clock: the machine's, for proofs.
        propose: where a change goes that needs a second person; None refuses it.
    """

    def __init__(self, overlay: Overlay, clock: Clock, propose: Propose | None = None) -> None:
        self._overlay = overlay
        self._clock = clock
        self._propose = propose

    async def change(
        self, session: Session, target: Target, wish: Wish, reason: str
    ) -> SettingReceipt:
        """Apply a change, or propose it when it needs a second person.

        Raises:
            RequestRefused: 403 without the right or a fresh proof, 404 unknown, 409 locked above,
                422 not allowed.
        """
        self._check_right(session, target)
        try:
            loosens = self._overlay.loosens(target, self._entry(target, wish))
            if loosens:
                self.check_proof(session)
                if self._needs_second(target):
                    return await self._proposed(session, target, wish, reason)
            author = Author(by=session.actor, reason=reason, may_loosen=loosens)
            await self._apply(target, wish, author)
        except (SettingUnknown, SettingLocked, SettingInvalid, SettingLoosens) as error:
            raise _refusal(error) from None
        return SettingReceipt(key=target.key, outcome="applied", value=self._now(target))

    def approvable(self) -> Kind:
        """Tenants' settings as a kind of thing that a second administrator agrees to."""
        return Kind(summarise=self._summary, carry_out=self._carry_out, roles=ADMIN)

    def may_change(self, session: Session, found: Overridable, locked: str) -> tuple[str, ...]:
        """The scopes in which a caller may set a key; `locked` is the scope that has locked it."""
        permitted = {
            GLOBAL: session.user.is_operator,
            TENANT: session.user.role in ADMIN
            and (session.user.is_operator or not found.is_operators),
            USER: session.user.role in READERS,
        }
        allowed = []
        for scope in found.scopes:
            if permitted[scope]:
                allowed.append(scope.value)
            if scope.value == locked:
                break
        return tuple(allowed)

    def check_proof(self, session: Session) -> None:
        """Ask for a fresh proof of identity.

        Raises:
            RequestRefused: 403 when the last one is older than five minutes.
        """
        if not is_proven(session, self._clock.now_ns()):
            raise RequestRefused(
                403,
                "step_up_needed",
                "This needs a proof of identity that is at most five minutes old.",
                remedy="POST /api/v1/session/prove first: a code, or without one your password.",
            )

    def _needs_second(self, target: Target) -> bool:
        """Operators answer for the installation; a tenant decides how it decides."""
        if target.scope is not TENANT:
            return False
        try:
            return self._overlay.effective(target.tenant_id).security.four_eyes
        except ConfigError:
            return False  # it is not served until an operator has mended its settings

    def _check_right(self, session: Session, target: Target) -> None:
        if target.scope is TENANT and target.tenant_id != session.user.tenant_id:
            self._check_operator(session)
        found = OVERRIDABLE.get(target.key)
        if found is not None and found.is_operators:
            self._check_operator(session)

    def _check_operator(self, session: Session) -> None:
        if not session.user.is_operator:
            raise RequestRefused(403, "forbidden", "Only operators of this installation may.")
        self.check_proof(session)

    def _entry(self, target: Target, wish: Wish) -> Entry | None:
        """What would stand in the scope afterwards."""
        if wish.is_removal:
            return None
        old = self._overlay.entry(target)
        kept = (old.value, old.is_locked) if old else (None, False)
        value = kept[0] if wish.value is None else _json(wish.value)
        is_locked = kept[1] if wish.locked is None else wish.locked
        return None if value is None and not is_locked else Entry(value=value, is_locked=is_locked)

    async def _apply(self, target: Target, wish: Wish, author: Author) -> None:
        if wish.value is not None:
            await self._overlay.set(target, wish.value, author, is_locked=wish.locked)
        elif wish.locked is not None:
            await self._overlay.lock(target, author, is_locked=wish.locked)
        else:
            await self._overlay.unset(target, author)

    async def _proposed(
        self, session: Session, target: Target, wish: Wish, reason: str
    ) -> SettingReceipt:
        if self._propose is None or target.tenant_id != session.user.tenant_id:
            raise RequestRefused(
                403, "approval_needed", "This needs a second person, of the tenant itself."
            )
        payload = {
            name: value for name, value in msgspec.to_builtins(wish).items() if value is not None
        }
        approval_id = await self._propose(session, payload, reason)
        return SettingReceipt(
            key=target.key,
            outcome="proposed",
            value=self._now(target),
            approval_id=approval_id,
        )

    def _summary(self, tenant_id: str, payload: Payload) -> str:
        """What a change would do, in a sentence for the second person.

        Raises:
            InputError: it is not one that can be made.
        """
        wish = _wish(payload)
        target = Target(scope=TENANT, key=wish.key, tenant_id=TenantId(tenant_id))
        self._overlay.loosens(target, self._entry(target, wish))
        now = f"{wish.key} (now {_json(self._now(target))})"
        if wish.is_removal:
            return f"Take away what this tenant has set for {now}."
        if wish.value is None:
            return f"{'Lock' if wish.locked else 'Unlock'} {now}."
        return f"Set {now} to {_json(wish.value)}."

    async def _carry_out(self, proposal: Proposal) -> str:
        wish = _wish(msgspec.json.decode(proposal.payload))
        target = Target(scope=TENANT, key=wish.key, tenant_id=TenantId(proposal.tenant_id))
        by = f"user:{proposal.decided_by}"
        await self._apply(target, wish, Author(by=by, reason=proposal.reason, may_loosen=True))
        return f"{wish.key} is {_json(self._now(target))}."

    def _now(self, target: Target) -> Value:
        """The value that holds now."""
        return value_of(self._overlay.effective(target.tenant_id, target.user_id), target.key)


def _wish(payload: Payload) -> Wish:
    """What is asked for, when a tenant may ask for it.

    Raises:
        InputError: it may not, or it is not a change.
    """
    try:
        wish = msgspec.convert(payload, Wish)
    except msgspec.ValidationError as error:
        raise InputError(f"Not a change of a setting: {error}.") from None
    if declared(Target(scope=TENANT, key=wish.key)).is_operators:
        raise InputError(f"{wish.key} is set by operators of this installation only.")
    return wish


def _json(value: Value) -> str:
    return msgspec.json.encode(value).decode()


def _refusal(error: InputError) -> RequestRefused:
    code = "step_up_needed" if isinstance(error, SettingLoosens) else error.code
    return RequestRefused(STATUS_OF[type(error)], code, error.message, remedy=error.remedy)
