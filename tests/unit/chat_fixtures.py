# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""Paired chats around tables in memory."""

from typing import Any

import msgspec
import numpy as np

from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.health import Health
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from plan2.interface.telegram.kept_token import BotToken, TokenPlan
from plan2.interface.telegram.pairing import Means, Pairings, StoredChat
from unit.identity_fixtures import IdentityStage
from unit.overlay_fixtures import MemoryOverlay
from unit.sealing_fixtures import MemorySealer


class MemoryChats:
    """`ChatTable` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], StoredChat] = {}

    async def load(self, tenant_id: TenantId) -> list[StoredChat]:
        return [row for (tenant, _), row in self.rows.items() if tenant == tenant_id]

    async def insert(self, tenant_id: TenantId, stored: StoredChat) -> None:
        self.rows[tenant_id, stored.pairing_id] = stored

    async def remove(self, tenant_id: TenantId, pairing_id: str) -> None:
        self.rows.pop((tenant_id, pairing_id), None)


def memory_pairings(people: IdentityStage, table: MemoryChats | None = None) -> Pairings:
    """Pairings around tables in memory."""
    rng = np.random.default_rng(7)
    means = Means(
        clock=people.clock,
        ids=SeededIds("pairings"),
        record=people.written,
        draw=lambda below: int(rng.integers(below)),
    )
    return Pairings(table or MemoryChats(), people.book, people.directory, MemorySealer(), means)


def memory_token(people: IdentityStage, **given: Any) -> BotToken:
    """A token around a store in memory; `given` replaces members of its plan."""
    plan = TokenPlan(
        store=MemoryOverlay(),
        main=TenantId("main"),
        sealer=MemorySealer(),
        record=people.written,
        clock=people.clock,
        settings=Telegram(),
        environment={},
        is_asked=True,
    )
    return BotToken(msgspec.structs.replace(plan, **given))


class FakeRunning:
    """A bot that is up; it takes what shows its secret."""

    username = "plan2_test_bot"

    def __init__(self) -> None:
        self.updates: list[dict[str, object]] = []

    def check(self) -> Health:
        return Health(detail="@plan2_test_bot")

    def arrived(self, shown: str, data: dict[str, object]) -> bool:
        if shown != "hook-secret":
            return False
        self.updates.append(data)
        return True
