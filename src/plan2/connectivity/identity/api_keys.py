"""Keys for programs: `p2_<environment>_<id>_<secret>`, shown once and kept as a hash.

All keys of all tenants are in memory, so a request costs one look-up and one SHA-256, and a key
that was revoked is dead at once. A key may do no more than its owner may at this very moment: when
the owner is blocked, demoted or removed, the key ends for good. Keys never administer anything.
"""

import hmac
import ipaddress
import re
from collections.abc import Callable, Collection
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role, Scope
from plan2.connectivity.identity.sessions import hash_secret
from plan2.foundation.clock import Clock

SHAPE: Final = re.compile(r"p2_([a-z0-9]{1,8})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")

SCOPES_OF: Final[dict[Role, frozenset[Scope]]] = {
    Role.TENANT_ADMIN: frozenset({Scope.READ, Scope.TRADE}),
    Role.PORTFOLIO_MANAGER: frozenset({Scope.READ, Scope.TRADE}),
    Role.API_USER: frozenset({Scope.READ, Scope.TRADE}),
    Role.ANALYST: frozenset({Scope.READ}),
}
"""What a key of a person may be allowed at most; nobody's key may administer."""

RANK: Final[dict[Role, int]] = {
    Role.ANALYST: 0,
    Role.API_USER: 1,
    Role.PORTFOLIO_MANAGER: 2,
    Role.TENANT_ADMIN: 3,
}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret; times UTC ns.

    Attributes:
        role: the owner's when the key was made; a lower one since then ends the key.
        networks: from where it may be used (CIDR); empty means from everywhere.
        revoked_ns: None while it was not revoked; `revoked_reason` says why.
    """

    key_id: str
    tenant_id: str
    environment: str
    user_id: str
    role: Role
    label: str
    scopes: frozenset[Scope]
    networks: tuple[str, ...]
    created_ns: int
    created_by: str
    expires_ns: int
    last_used_ns: int | None = None
    revoked_ns: int | None = None
    revoked_reason: str = ""

    @property
    def prefix(self) -> str:
        """What may be shown of the key, to know it by."""
        return f"p2_{self.environment}_{self.key_id}"


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with the SHA-256 of its secret."""

    key: ApiKey
    secret_hash: bytes


class KeyOwners(Protocol):
    """Who keys belong to, as they are now; from memory."""

    def find(self, tenant_id: str, user_id: str) -> Person | None:
        """A person, blocked ones too; None when there is none."""
        ...


class ApiKeys:
    """All keys of all tenants, as requests see them; `api_key_desk.py` makes and ends them.

    Args:
        owners: people. is_served: whether a tenant may do anything. clock: wall time.
    """

    def __init__(self, owners: KeyOwners, is_served: Callable[[str], bool], clock: Clock) -> None:
        self._owners = owners
        self._is_served = is_served
        self._clock = clock
        self._kept: dict[str, StoredKey] = {}
        self._networks: dict[str, tuple[Network, ...]] = {}
        self._used_ns: dict[str, int] = {}

    def find(self, shown: str, address: str) -> Session | None:
        """The caller behind a key, or None; synchronous, from memory.

        Args:
            shown: the whole key.
            address: where the request comes from, an IP address.
        """
        found = SHAPE.fullmatch(shown)
        if found is None:
            return None
        environment, key_id, secret = found.groups()
        kept = self._kept.get(key_id)
        hash_ = hash_secret(secret)
        if kept is None or not hmac.compare_digest(hash_, kept.secret_hash):
            return None
        key = kept.key
        owner = self._owner_of(key)
        if key.environment != environment or owner is None or not self._lets(key_id, address):
            return None
        self._used_ns[key_id] = self._clock.now_ns()
        return Session(
            session_id=key_id,
            user=User(
                user_id=key.user_id,
                name=owner.user.name,
                tenant_id=key.tenant_id,
                role=Role.API_USER,
            ),
            csrf="",
            expires_ns=key.expires_ns,
            via=Via.KEY,
            scopes=key.scopes,
        )

    def is_live(self, key_id: str) -> bool:
        """Whether a key still lets its program in; open streams ask every second."""
        kept = self._kept.get(key_id)
        return kept is not None and self._owner_of(kept.key) is not None

    def why_dead(self, key: ApiKey) -> str:
        """Why a key lets nobody in; "" while it does."""
        if key.revoked_ns is not None:
            return f"revoked: {key.revoked_reason}"
        if key.expires_ns <= self._clock.now_ns():
            return "expired"
        if not self._is_served(key.tenant_id):
            return "the tenant is not served"
        owner = self._owners.find(key.tenant_id, key.user_id)
        if owner is None or owner.is_blocked:
            return "its owner is blocked or gone"
        if outranked(key, owner.user.role):
            return "its owner has a lower role now"
        return ""

    def get(self, tenant_id: str, key_id: str) -> ApiKey | None:
        """A key of a tenant; None when that tenant has none of this id."""
        kept = self._kept.get(key_id)
        return kept.key if kept is not None and kept.key.tenant_id == tenant_id else None

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        """Every key of a tenant with its last use, newest first."""
        found = [
            msgspec.structs.replace(
                kept.key,
                last_used_ns=self._used_ns.get(kept.key.key_id, kept.key.last_used_ns),
            )
            for kept in self._kept.values()
            if kept.key.tenant_id == tenant_id
        ]
        return sorted(found, key=lambda key: (key.created_ns, key.key_id), reverse=True)

    def known(self) -> Collection[str]:
        """The ids of all keys of all tenants."""
        return self._kept.keys()

    def keep(self, stored: StoredKey) -> None:
        """Know a key from now on, or know it in its new form."""
        key = stored.key
        self._kept[key.key_id] = stored
        self._networks[key.key_id] = tuple(map(ipaddress.ip_network, key.networks))

    def end(self, key: ApiKey, reason: str) -> ApiKey:
        """Revoke a key in memory, at once and for good; returns it as it is now."""
        ended = msgspec.structs.replace(key, revoked_ns=self._clock.now_ns(), revoked_reason=reason)
        self.keep(StoredKey(key=ended, secret_hash=self._kept[key.key_id].secret_hash))
        return ended

    def drop(self, keys: Collection[ApiKey]) -> None:
        """Forget keys: their tenant is gone, or they ended long ago."""
        for key in keys:
            del self._kept[key.key_id], self._networks[key.key_id]
            self._used_ns.pop(key.key_id, None)

    def take_uses(self) -> list[ApiKey]:
        """Keys that were used since the last call, with the time of their last use."""
        used, self._used_ns = self._used_ns, {}
        found = []
        for key_id, at_ns in used.items():
            kept = self._kept[key_id]
            key = msgspec.structs.replace(kept.key, last_used_ns=at_ns)
            self.keep(StoredKey(key=key, secret_hash=kept.secret_hash))
            found.append(key)
        return found

    def _owner_of(self, key: ApiKey) -> Person | None:
        """The owner of a key that is alive."""
        return self._owners.find(key.tenant_id, key.user_id) if not self.why_dead(key) else None

    def _lets(self, key_id: str, address: str) -> bool:
        """Whether a key may be used from an address."""
        networks = self._networks[key_id]
        if not networks:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in network for network in networks)


def outranked(key: ApiKey, role: Role) -> bool:
    """Whether the owner's role now is lower than when the key was made, or allows less."""
    return RANK[role] < RANK[key.role] or not key.scopes <= SCOPES_OF[role]
