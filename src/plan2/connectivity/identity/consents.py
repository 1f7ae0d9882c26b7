"""Consent: what people agreed their data may be used for, asked before every such use.

Purposes are declared here with a version; who agreed to an older text did not agree to this one.
A withdrawal holds from the moment it is asked for, before it is written down.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.events.people import ConsentGiven, ConsentWithdrawn
from plan2.foundation.events.recording import Record
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId

HISTORY_MAX: Final = 200


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """A use of personal data that needs consent; raise the version when the text changes."""

    name: str
    version: int
    title: str
    text: str


PURPOSES: Final[dict[str, Purpose]] = {
    "assistants": Purpose(
        name="assistants",
        version=1,
        title="Assistants",
        text="What you ask an assistant, and the decision records it needs to answer, is sent to "
        "the provider of the language model that your administrator configured. Without consent "
        "nothing of yours is sent.",
    ),
    "notifications": Purpose(
        name="notifications",
        version=1,
        title="Notifications",
        text="Alerts about trading are sent to you over Telegram or e-mail, which show your "
        "address there and the text of the alert to their providers. Without consent alerts are "
        "shown in the web app only.",
    ),
}


class ConsentFact(msgspec.Struct, frozen=True, kw_only=True):
    """A person agreed or withdrew; `version` is that of the text they saw."""

    user_id: str
    purpose: str
    version: int
    is_given: bool
    at_ns: int
    actor: str


class ConsentTable(Protocol):
    """Where consents are kept; nothing in it is ever changed."""

    async def load(self, tenant: TenantId) -> Sequence[ConsentFact]:
        """The newest fact of each person and purpose."""
        ...

    async def add(self, tenant: TenantId, fact: ConsentFact) -> None:
        """Keep a fact; durable when this returns."""
        ...

    async def history(self, tenant: TenantId, user_id: str) -> Sequence[ConsentFact]:
        """A person's facts, newest first."""
        ...


class Consents:
    """Who agreed to what; asked from memory before every use.

    Args:
        table: keeps the facts. clock: wall clock.
        record: tells the tenant's log.
    """

    def __init__(self, table: ConsentTable, clock: Clock, record: Record) -> None:
        self._table = table
        self._clock = clock
        self._record = record
        self._given: dict[tuple[str, str, str], ConsentFact] = {}

    async def load(self, tenant: TenantId) -> None:
        """Read a tenant's consents; once, at start or when the tenant is new."""
        for fact in await self._table.load(tenant):
            self._given[tenant, fact.user_id, fact.purpose] = fact

    def allows(self, tenant: TenantId, user_id: str, purpose: str) -> bool:
        """Whether a person's data may be used so now; a refused use is logged.

        Raises:
            InputError: there is no such purpose.
        """
        if self.is_given(tenant, user_id, purpose):
            return True
        logger("privacy").info("use_refused", tenant_id=tenant, user_id=user_id, purpose=purpose)
        return False

    def is_given(self, tenant: TenantId, user_id: str, purpose: str) -> bool:
        """Whether a person agrees to today's text; for showing it, which is no use.

        Raises:
            InputError: there is no such purpose.
        """
        declared = purpose_of(purpose)
        fact = self._given.get((tenant, user_id, purpose))
        return fact is not None and fact.is_given and fact.version == declared.version

    def newest(self, tenant: TenantId, user_id: str, purpose: str) -> ConsentFact | None:
        """What a person last said about a purpose; None when nothing."""
        return self._given.get((tenant, user_id, purpose))

    async def give(
        self, tenant: TenantId, user_id: str, purpose: str, version: int, actor: str
    ) -> None:
        """Agree to today's text of a purpose; agreeing twice is one consent.

        Raises:
            InputError: no such purpose, or the version is not today's: the person saw another text.
        """
        declared = purpose_of(purpose)
        if version != declared.version:
            raise InputError(
                f"The text of {purpose!r} is version {declared.version}, not {version}.",
                remedy="Read today's text and agree to that.",
            )
        known = self._given.get((tenant, user_id, purpose))
        if known is not None and known.is_given and known.version == version:
            return
        fact = self._fact(user_id, declared, actor, is_given=True)
        await self._table.add(tenant, fact)
        self._given[tenant, user_id, purpose] = fact
        event = ConsentGiven(ts_ns=fact.at_ns, user_id=user_id, purpose=purpose, version=version)
        self._record(tenant, f"user:{user_id}", event, actor=actor)

    async def withdraw(self, tenant: TenantId, user_id: str, purpose: str, actor: str) -> None:
        """No longer agree; holds at once, also when it cannot be written down.

        Raises:
            InputError: no such purpose. StoreBusy: it holds, but a restart would not know.
        """
        declared = purpose_of(purpose)
        known = self._given.get((tenant, user_id, purpose))
        if known is None or not known.is_given:
            return
        fact = self._fact(user_id, declared, actor, is_given=False)
        # Said to be given until it is written, so that a failed withdrawal can be tried again.
        self._given[tenant, user_id, purpose] = msgspec.structs.replace(known, version=0)
        await self._table.add(tenant, fact)
        self._given[tenant, user_id, purpose] = fact
        event = ConsentWithdrawn(
            ts_ns=fact.at_ns, user_id=user_id, purpose=purpose, version=fact.version
        )
        self._record(tenant, f"user:{user_id}", event, actor=actor)

    async def history(self, tenant: TenantId, user_id: str) -> Sequence[ConsentFact]:
        """Everything that a person agreed to and withdrew, newest first."""
        return await self._table.history(tenant, user_id)

    def forget(self, tenant: TenantId, user_id: str) -> None:
        """An erased person agrees to nothing."""
        for key in [key for key in self._given if key[:2] == (tenant, user_id)]:
            del self._given[key]

    def _fact(self, user_id: str, purpose: Purpose, actor: str, *, is_given: bool) -> ConsentFact:
        return ConsentFact(
            user_id=user_id,
            purpose=purpose.name,
            version=purpose.version,
            is_given=is_given,
            at_ns=self._clock.now_ns(),
            actor=actor,
        )


def purpose_of(name: str) -> Purpose:
    """A declared purpose.

    Raises:
        InputError: there is none of this name.
    """
    found = PURPOSES.get(name)
    if found is None:
        raise InputError(
            f"There is no purpose {name!r}.", remedy=f"The purposes are {', '.join(PURPOSES)}."
        )
    return found


class PostgresConsents:
    """Consents in the tenant's own schema (migration 0008)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def load(self, tenant: TenantId) -> Sequence[ConsentFact]:
        """See `ConsentTable.load`."""
        query = (
            "select distinct on (user_id, purpose) user_id, purpose, version, is_given, at_ns, "
            "actor from consent order by user_id, purpose, consent_id desc"
        )
        return await self._facts(tenant, query, ())

    async def add(self, tenant: TenantId, fact: ConsentFact) -> None:
        """See `ConsentTable.add`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "insert into consent (user_id, purpose, version, is_given, at_ns, actor) "
                "values (%s, %s, %s, %s, %s, %s)",
                msgspec.structs.astuple(fact),
            )

    async def history(self, tenant: TenantId, user_id: str) -> Sequence[ConsentFact]:
        """See `ConsentTable.history`."""
        query = (
            "select user_id, purpose, version, is_given, at_ns, actor from consent "
            "where user_id = %s order by consent_id desc limit %s"
        )
        return await self._facts(tenant, query, (user_id, HISTORY_MAX))

    async def _facts(
        self, tenant: TenantId, query: str, parameters: tuple[object, ...]
    ) -> list[ConsentFact]:
        names = ConsentFact.__struct_fields__
        async with self._unit(tenant) as uow:
            rows = await (await uow.raw.execute(query, parameters)).fetchall()
        return [ConsentFact(**dict(zip(names, row, strict=True))) for row in rows]
