"""Letting go of a tenant's broker account: only flat, and nothing may be opened meanwhile."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.broker_bindings import BrokerWish, account_id_of
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId
from plan2.wiring.broker_desk import TenantBrokerDesk
from plan2.wiring.installation import Installation

ACME = TenantId("acme")


class House:
    """An installation with one tenant at its own broker; it notes what is done, in order."""

    def __init__(self, still_open: str) -> None:
        self.done: list[str] = []
        self.directory = SimpleNamespace(find=lambda _: object())
        self.tenants = self.runs = self.brokers = self.standings = self
        self.still_open = lambda _: still_open
        self.run = SimpleNamespace(halt=lambda reason: self.done.append(f"halt: {reason}"))

    def at_broker(self, _tenant_id: str) -> Any:
        """The tenant that is open there."""
        return self

    def binding(self, _tenant_id: TenantId) -> object:
        """It is bound."""
        return self

    async def unbind(self, _tenant_id: TenantId, _by: str, reason: str) -> None:
        """Forget the binding."""
        self.done.append(f"unbound: {reason}")


async def test_an_account_takes_no_entry_while_it_is_let_go() -> None:
    """It is halted in the same breath in which it was seen to be flat, before anything waits."""
    house = House(still_open="")
    await TenantBrokerDesk(cast("Installation", house)).unbind("acme", "user:ann", "moved")
    assert house.done == ["halt: its broker account is being let go", "unbound: moved"]


async def test_an_account_with_something_open_stays_and_trades_on() -> None:
    """The refusal says what is open; nothing is halted because somebody asked."""
    house = House(still_open="1 positions open")
    with pytest.raises(RequestRefused, match="1 positions open"):
        await TenantBrokerDesk(cast("Installation", house)).unbind("acme", "user:ann", "moved")
    assert house.done == []


def test_accounts_of_two_tenants_never_have_one_name() -> None:
    """Order tokens are made of it: a dash in the account's own word could make them equal."""
    BrokerWish(name="main", login="5", server="Demo", mode="demo").check()
    with pytest.raises(InputError, match="name"):
        BrokerWish(name="b-main", login="5", server="Demo", mode="demo").check()
    assert account_id_of(TenantId("a_b"), "main") != account_id_of(TenantId("a"), "bmain")
