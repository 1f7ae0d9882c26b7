# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""Second factors, keys, links and approvals around tables in memory, on top of `IdentityStage`."""

import asyncio
from collections.abc import Mapping

import msgspec

from plan2.connectivity.identity.api_key_desk import ApiKeyDesk, Mint
from plan2.connectivity.identity.api_keys import ApiKey, ApiKeys, StoredKey
from plan2.connectivity.identity.approvals import Approvals
from plan2.connectivity.identity.invitations import Invitations, Link
from plan2.connectivity.identity.people_desk import PeopleDesk
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.proposals import Kind, Payload, Proposal, State
from plan2.connectivity.identity.rights import ADMIN, Role
from plan2.connectivity.identity.second_factor import SecondFactors, Seed
from plan2.connectivity.identity.second_factor_duty import SecondFactorDuty
from plan2.connectivity.identity.sessions import new_secret
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from unit.identity_fixtures import HOME, OTHER, IdentityStage
from unit.sealing_fixtures import MemorySealer

NEVER_NS = (1 << 63) - 1


class FactorsInMemory:
    """`FactorTable`; a dictionary holds the step that was used last."""

    def __init__(self) -> None:
        self.seeds: dict[tuple[str, str, bool], Seed] = {}
        self.steps: dict[str, int] = {}
        self.codes: dict[tuple[str, bytes], tuple[str, bool]] = {}

    async def enrolled(self, tenant_id: TenantId) -> dict[str, int]:
        return {
            user_id: seed.confirmed_ns or 0
            for (tenant, user_id, is_confirmed), seed in self.seeds.items()
            if tenant == tenant_id and is_confirmed
        }

    async def find(self, tenant_id: TenantId, user_id: str, *, is_confirmed: bool) -> Seed | None:
        return self.seeds.get((tenant_id, user_id, is_confirmed))

    async def begin(self, tenant_id: TenantId, seed: Seed) -> None:
        self.seeds[tenant_id, seed.user_id, False] = seed

    async def confirm(
        self, tenant_id: TenantId, seed: Seed, step: int, hashes: tuple[bytes, ...]
    ) -> bool:
        waiting = self.seeds.get((tenant_id, seed.user_id, False))
        if waiting is None or waiting.factor_id != seed.factor_id:
            return False
        del self.seeds[tenant_id, seed.user_id, False]
        self.seeds[tenant_id, seed.user_id, True] = seed
        self.steps[seed.factor_id] = step
        return await self.replace_codes(tenant_id, seed.user_id, hashes)

    async def use_step(self, tenant_id: TenantId, factor_id: str, step: int) -> bool:
        if self.steps[factor_id] >= step:
            return False
        self.steps[factor_id] = step
        return True

    async def use_code(self, tenant_id: TenantId, user_id: str, hash_: bytes, at_ns: int) -> bool:
        if self.codes.get((tenant_id, hash_)) != (user_id, False):
            return False
        self.codes[tenant_id, hash_] = (user_id, True)
        return True

    async def codes_left(self, tenant_id: TenantId, user_id: str) -> int:
        return sum(
            tenant == tenant_id and found == (user_id, False)
            for (tenant, _), found in self.codes.items()
        )

    async def replace_codes(
        self, tenant_id: TenantId, user_id: str, hashes: tuple[bytes, ...]
    ) -> bool:
        if (tenant_id, user_id, True) not in self.seeds:
            return False
        self._drop_codes(tenant_id, user_id)
        self.codes |= {(tenant_id, hash_): (user_id, False) for hash_ in hashes}
        return True

    async def remove(self, tenant_id: TenantId, user_id: str) -> bool:
        self._drop_codes(tenant_id, user_id)
        self.seeds.pop((tenant_id, user_id, False), None)
        return self.seeds.pop((tenant_id, user_id, True), None) is not None

    def _drop_codes(self, tenant_id: str, user_id: str) -> None:
        self.codes = {
            key: found
            for key, found in self.codes.items()
            if key[0] != tenant_id or found[0] != user_id
        }


class KeysInMemory:
    """`KeyTable`; `failure` is raised by every write while it is set."""

    def __init__(self) -> None:
        self.rows: dict[str, StoredKey] = {}
        self.failure: Exception | None = None

    async def load(self, tenant_id: TenantId, limit: int) -> list[StoredKey]:
        return [each for each in self.rows.values() if each.key.tenant_id == tenant_id][:limit]

    async def insert(self, stored: StoredKey) -> None:
        self._fail()
        self.rows[stored.key.key_id] = stored

    async def end(self, key: ApiKey) -> None:
        self._fail()
        old = self.rows[key.key_id]
        self.rows[key.key_id] = StoredKey(key=key, secret_hash=old.secret_hash)

    async def write_uses(self, tenant_id: TenantId, used_ns: dict[str, int]) -> None:
        self._fail()
        for key_id, at_ns in used_ns.items():
            old = self.rows[key_id]
            key = msgspec.structs.replace(old.key, last_used_ns=at_ns)
            self.rows[key_id] = StoredKey(key=key, secret_hash=old.secret_hash)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class LinksInMemory:
    """`InvitationTable`."""

    def __init__(self) -> None:
        self.links: dict[tuple[str, bytes], Link] = {}

    async def put(self, tenant_id: TenantId, link: Link) -> None:
        self.links = {
            key: old
            for key, old in self.links.items()
            if (key[0], old.user_id) != (tenant_id, link.user_id)
        }
        self.links[tenant_id, link.token_hash] = link

    async def find(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> Link | None:
        found = self.links.get((tenant_id, token_hash))
        return found if found is not None and found.expires_ns > now_ns else None

    async def use(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> bool:
        found = await self.find(tenant_id, token_hash, now_ns)
        return found is not None and self.links.pop((tenant_id, token_hash)) is found

    async def invited(self, tenant_id: TenantId, now_ns: int) -> set[str]:
        return {
            link.user_id
            for (tenant, _), link in self.links.items()
            if tenant == tenant_id and link.expires_ns > now_ns
        }


class ProposalsInMemory:
    """`ApprovalTable`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Proposal] = {}

    async def insert(self, proposal: Proposal) -> None:
        self.rows[proposal.tenant_id, proposal.approval_id] = proposal

    async def find(self, tenant_id: TenantId, approval_id: str) -> Proposal | None:
        return self.rows.get((tenant_id, approval_id))

    async def listed(self, tenant_id: TenantId, state: State | None, limit: int) -> list[Proposal]:
        found = [
            row
            for (tenant, _), row in self.rows.items()
            if tenant == tenant_id and state in {None, row.state}
        ]
        return found[::-1][:limit]

    async def decide(self, decided: Proposal) -> bool:
        key = (decided.tenant_id, decided.approval_id)
        if self.rows[key].state is not State.OPEN:
            return False
        self.rows[key] = decided
        return True

    async def set_outcome(self, tenant_id: TenantId, approval_id: str, outcome: str) -> None:
        old = self.rows[tenant_id, approval_id]
        self.rows[tenant_id, approval_id] = msgspec.structs.replace(old, outcome=outcome)


class Deeds:
    """A kind of approval that keeps what it carried out; `failure` makes it fail."""

    def __init__(self) -> None:
        self.done: list[Proposal] = []
        self.failure: Exception | None = None
        self.begun = asyncio.Event()
        self.gate: asyncio.Event | None = None

    def kind(self) -> Kind:
        return Kind(summarise=self._summarise, carry_out=self._carry_out)

    def _summarise(self, tenant_id: str, payload: Payload) -> str:
        if set(payload) != {"limit"}:
            raise InputError("A limit is expected.")
        return f"Raise the limit to {payload['limit']}."

    async def _carry_out(self, proposal: Proposal) -> str:
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.done.append(proposal)
        return "the limit is raised"


class CredentialStage(IdentityStage):
    """Identity with everything that this area adds."""

    tenants: tuple[str, str] = (HOME, OTHER)

    def __init__(self) -> None:
        self.factor_table = FactorsInMemory()
        self.key_table = KeysInMemory()
        self.link_table = LinksInMemory()
        self.proposal_table = ProposalsInMemory()
        self.sealer = MemorySealer()
        self.deeds = Deeds()
        super().__init__()

    def wire(self) -> None:
        """Build what a restart builds anew."""
        super().wire()
        ids, clock = SeededIds(f"credentials{self.runs}"), self.clock
        record: Record = self.written
        self.factors = SecondFactors(self.factor_table, self.sealer, clock, ids, record, new_secret)
        self.second_factor = self.factors
        self.sign_in._parts = msgspec.structs.replace(
            self.sign_in._parts, second_factor=self.factors
        )
        self.duty = SecondFactorDuty(self.book, self.factors)
        self.api_keys = ApiKeys(self.book, self.directory.is_served, clock)
        self.desk = ApiKeyDesk(
            self.api_keys, self.book, self.key_table, clock, record, Mint("test", ids, new_secret)
        )
        self.book.on_change(self.desk.on_person)
        self.invitations = Invitations(
            self.book, self.passwords, self.link_table, clock, record, new_secret
        )
        self.people = PeopleDesk(self.book, self.invitations, self.factors, ids)
        self.approvals = self._approvals(clock, record)

    async def start(self) -> "CredentialStage":
        """Load everything, as a start does."""
        await super().start()
        for tenant_id in self.tenants:
            await self.factors.load(tenant_id)
            await self.desk.load(tenant_id)
            await self.approvals.load(tenant_id)
        return self

    def _approvals(self, clock: Clock, record: Record) -> Approvals:
        kinds: Mapping[str, Kind] = {
            "limit_override": self.deeds.kind(),
            "admins_only": msgspec.structs.replace(self.deeds.kind(), roles=ADMIN),
        }
        ids = SeededIds(f"approvals{self.runs}")
        return Approvals(self.proposal_table, self.book, kinds, clock, ids, record)

    def session(self, user: User, via: Via = Via.COOKIE, *, proven: bool = True) -> Session:
        """A caller as routes see one, with the role of this moment."""
        person = self.book.find(user.tenant_id, user.user_id)
        now = person.user if person is not None else user
        return Session(
            session_id="s",
            user=now,
            csrf="c",
            expires_ns=NEVER_NS,
            via=via,
            proven_ns=self.clock.now_ns() if proven else 0,
        )

    async def administrator(self, tenant_id: str = HOME) -> Session:
        """The session of an administrator named root."""
        return self.session(await self.add("root", Role.TENANT_ADMIN, tenant_id))
