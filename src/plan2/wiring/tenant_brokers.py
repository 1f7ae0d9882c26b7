"""Broker accounts of tenants other than the main one: bound, met, traded, and let go.

A tenant that is bound trades on paper until its terminal has connected for the first time, because
only that tells its money and its symbols; from then on it trades there and nowhere else. One that
is bound and cannot trade there now (broker accounts switched off, no live market, keys away) is not
opened at all: it never falls back to paper silently.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.identity.broker_bindings import Binding, Bindings, BrokerWish, account_id_of
from plan2.connectivity.identity.terminal_keys import PostgresTerminalKeys, TerminalKeys
from plan2.dataflow.terminals.port import AccountState
from plan2.dataflow.terminals.remote.peer import RemoteOptions
from plan2.dataflow.terminals.remote.protocol import AccountName
from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenant_brokers import TenantBrokerChanged
from plan2.foundation.ids import RandomIds
from plan2.foundation.log import logger
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.interface.api.terminal_link import TerminalDoor
from plan2.wiring.live import LIVE
from plan2.wiring.live_account import (
    FOLDER,
    LiveAccount,
    read_account,
    renewed,
    write_account,
)
from plan2.wiring.markets import Market
from plan2.wiring.tenant_folder import folder_of
from plan2.wiring.tenant_places import (
    ON_PAPER,
    TenantPlace,
    TenantTerminal,
    broker_place,
    common_symbols,
    paper_place,
)

STREAM: Final = "broker"


class BrokersPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What broker accounts are wired from; `door` is None where no terminal can come in."""

    settings: Settings
    market: Market
    folder: Path
    database: Database
    bindings: Bindings
    door: TerminalDoor | None
    record: Record
    clock: Clock


class _Bound(msgspec.Struct, kw_only=True):
    """A bound tenant; `meeting` waits for the first word of its terminal."""

    binding: Binding
    terminal: TenantTerminal
    meeting: asyncio.Task[None] | None = None


class TenantBrokers:
    """Every binding of this process, with its terminal."""

    def __init__(self, plan: BrokersPlan) -> None:
        self._plan = plan
        self._bound: dict[TenantId, _Bound] = {}
        self._listeners: list[Callable[[TenantId], None]] = []

    def on_change(self, listener: Callable[[TenantId], None]) -> None:
        """Call `listener` when a tenant has to be opened at another place."""
        self._listeners.append(listener)

    def why_not(self) -> str:
        """Why no tenant can trade at a broker here; empty when they can."""
        if not self._plan.settings.tenant_brokers.enabled:
            return "broker accounts of tenants are switched off (tenant_brokers.enabled)"
        if self._plan.market.mode != LIVE:
            return "this installation's own market is not a broker's"
        return "" if self._plan.door is not None else "no terminal can connect to this process"

    def key_ring(self, tenant_id: TenantId) -> TerminalKeys:
        """The keys that let a tenant's terminals in."""
        table = PostgresTerminalKeys(self._plan.database.uow, tenant_id)
        return TerminalKeys(table, self._plan.clock, RandomIds())

    def binding(self, tenant_id: TenantId) -> Binding | None:
        """What an admitted tenant is bound to."""
        bound = self._bound.get(tenant_id)
        return bound.binding if bound is not None else None

    def terminal(self, tenant_id: TenantId) -> TenantTerminal | None:
        """The terminal of a bound tenant."""
        bound = self._bound.get(tenant_id)
        return bound.terminal if bound is not None else None

    def is_met(self, tenant_id: TenantId) -> bool:
        """Whether a bound tenant's terminal has ever told its account."""
        bound = self._bound.get(tenant_id)
        return bound is not None and self._known(tenant_id, bound.binding) is not None

    async def admit(self, tenant_id: TenantId) -> None:
        """Read a tenant's binding before it is opened; repeating is harmless.

        Raises:
            ConfigError: it is bound, and cannot trade there now. KeysUnavailable, SealBroken,
                StoreBusy: it cannot be told what it is bound to.
        """
        binding = await self._plan.bindings.of(tenant_id)
        if binding is None:
            await self._release(tenant_id)
            return
        why = self.why_not()
        if why:
            raise ConfigError(
                f"Tenant {tenant_id} is bound to broker account {binding.account_id}, but {why}. "
                "It is not opened, because it must not trade on paper instead.",
                remedy="Put that right and start again; see docs/mt5.md.",
            )
        bound = self._bound.get(tenant_id)
        if bound is None or bound.binding != binding:
            self._take_up(tenant_id, binding)

    def place(self, tenant_id: TenantId, settings: Settings, folder: Path) -> TenantPlace:
        """Where an admitted tenant deals now.

        Raises:
            ConfigError: what is known of its account is damaged, or of another account.
        """
        bound = self._bound.get(tenant_id)
        known = self._known(tenant_id, bound.binding) if bound is not None else None
        if bound is None or known is None:
            return paper_place(self._plan.market, tenant_id, settings, folder)
        return broker_place(
            self._plan.market, bound.binding.account_id, known, bound.terminal, settings
        )

    def name_of(self, tenant_id: TenantId) -> str:
        """How the place is named where a tenant should deal."""
        bound = self._bound.get(tenant_id)
        return bound.binding.account_id if bound and self.is_met(tenant_id) else ON_PAPER

    async def bind(self, tenant_id: TenantId, wish: BrokerWish, by: str, reason: str) -> Binding:
        """Bind a tenant to its own broker account; it stays disarmed until a person arms it.

        Raises:
            InputError: it may not be, or is bound already. StoreBusy, KeysUnavailable: it is not.
        """
        self.check(tenant_id, wish)
        binding = await self._plan.bindings.bind(tenant_id, wish, by, self._plan.clock.now_ns())
        self._note(tenant_id, binding, "bound", by, reason)
        self._take_up(tenant_id, binding)
        if self.is_met(tenant_id):
            self._tell(tenant_id)
        return binding

    def check(self, tenant_id: TenantId, wish: BrokerWish) -> None:
        """Refuse a wish that could never be granted.

        Raises:
            InputError: why.
        """
        wish.check()
        why = self.why_not()
        if tenant_id == MAIN_TENANT:
            why = "the main tenant trades the installation's own account (terminal.kind)"
        if why:
            raise InputError(f"No broker account can be bound: {why}.", remedy="See docs/mt5.md.")
        account_id = account_id_of(tenant_id, wish.name)
        known = read_account(self._path(tenant_id, account_id))
        if known is not None and (known.login, known.server) != (wish.login, wish.server):
            raise InputError(
                f"{wish.name} is another account already: its books must not be mixed.",
                remedy="Give this one a name of its own.",
            )

    async def unbind(self, tenant_id: TenantId, by: str, reason: str) -> None:
        """Let go of a tenant's account; the caller has looked that nothing is open there.

        Raises:
            StoreBusy: it is bound as before.
        """
        bound = self._bound[tenant_id]
        await self._plan.bindings.unbind(tenant_id)
        self._note(tenant_id, bound.binding, "unbound", by, reason)
        await self._release(tenant_id)
        self._tell(tenant_id)

    def has_dealt(self, tenant_id: TenantId) -> bool:
        """Whether a tenant was ever met at a broker, whatever can be told of it now."""
        folder = folder_of(self._plan.folder, tenant_id) / FOLDER
        return any(folder.glob("*.json"))

    async def rest(self, tenant_id: TenantId) -> None:
        """Let no terminal of a tenant in for now; the binding stays."""
        await self._release(tenant_id)

    async def close(self) -> None:
        """Let go of every terminal; the bindings stay."""
        for tenant_id in list(self._bound):
            await self._release(tenant_id)

    # --- inside ---------------------------------------------------------------------------

    def _take_up(self, tenant_id: TenantId, binding: Binding) -> None:
        """Let the tenant's terminal in, and wait for its first word if nothing is known yet."""
        plan, door = self._plan, self._plan.door
        assert door is not None  # noqa: S101 - `why_not` has looked
        expected = AccountName(binding.login, binding.server, binding.mode)
        terminal = TenantTerminal(
            binding.account_id,
            plan.clock,
            RemoteOptions(account=expected),
            plan.market.terminal.history,
        )
        door.admit(tenant_id, self.key_ring(tenant_id), terminal)
        bound = self._bound[tenant_id] = _Bound(binding=binding, terminal=terminal)
        if self._known(tenant_id, binding) is None:
            bound.meeting = asyncio.create_task(self._meet(tenant_id, bound))

    async def _meet(self, tenant_id: TenantId, bound: _Bound) -> None:
        """Keep what the terminal tells of its account, then have the tenant opened there."""
        account = await bound.terminal.wait_ready(None)
        symbols = common_symbols(self._plan.market, bound.terminal.instruments())
        if not symbols:
            bound.terminal.explain("it offers none of the symbols that are traded here")
            logger("tenants").error("broker_without_symbols", tenant_id=tenant_id)
            return
        known = _learned(account, bound, self._plan.clock.now_ns())
        path = self._path(tenant_id, bound.binding.account_id)
        await asyncio.to_thread(write_account, path, known)
        self._note(tenant_id, bound.binding, "met", "system", f"{len(symbols)} symbols")
        self._tell(tenant_id)

    async def _release(self, tenant_id: TenantId) -> None:
        bound = self._bound.pop(tenant_id, None)
        if bound is None:
            return
        if self._plan.door is not None:
            self._plan.door.release(tenant_id)
        if bound.meeting is not None:
            bound.meeting.cancel()
            await asyncio.gather(bound.meeting, return_exceptions=True)
        await bound.terminal.stop()

    def _known(self, tenant_id: TenantId, binding: Binding) -> LiveAccount | None:
        """What is known of the account, with the contract data that a connected terminal tells."""
        known = read_account(self._path(tenant_id, binding.account_id))
        if known is None:
            return None
        if (known.login, known.server) != (binding.login, binding.server):
            raise ConfigError(
                f"Account {binding.account_id} of tenant {tenant_id} is {known.login} at "
                f"{known.server}; bound is another one.",
                remedy="Unbind it and bind it under a name of its own.",
            )
        bound = self._bound.get(tenant_id)
        told = bound.terminal.instruments() if bound is not None else {}
        return renewed(known, told, self._plan.clock.now_ns()) if told else known

    def _path(self, tenant_id: TenantId, account_id: str) -> Path:
        return folder_of(self._plan.folder, tenant_id) / FOLDER / f"{account_id}.json"

    def _tell(self, tenant_id: TenantId) -> None:
        for listener in self._listeners:
            listener(tenant_id)

    def _note(
        self, tenant_id: TenantId, binding: Binding, change: str, by: str, reason: str
    ) -> None:
        event = TenantBrokerChanged(
            ts_ns=self._plan.clock.now_ns(),
            account_id=binding.account_id,
            change=change,
            mode=binding.mode,
            reason=reason,
            by=by,
        )
        self._plan.record(tenant_id, STREAM, event, actor=by)


def _learned(account: AccountState, bound: _Bound, now_ns: int) -> LiveAccount:
    return LiveAccount(
        login=account.login,
        server=account.server,
        mode=account.mode,
        currency=account.currency,
        start_balance=str(account.balance),
        since_ns=now_ns,
        instruments=bound.terminal.instruments(),
    )
