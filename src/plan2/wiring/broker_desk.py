"""What people do about a tenant's own broker account; implements `BrokerDesk`."""

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.broker_bindings import Binding, BrokerWish
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import Kind, Payload, Proposal
from plan2.connectivity.identity.rights import ADMIN
from plan2.connectivity.identity.terminal_keys import shown_key
from plan2.dataflow.terminals.port import LinkState
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import InputError
from plan2.foundation.events.tenant_brokers import TerminalKeyChanged
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, TenantId, Tick
from plan2.intelligence.decision.apart import gap_in_spreads
from plan2.intelligence.own_quotes import OwnSeat
from plan2.interface.api.tenant_brokers import (
    BrokerAccount,
    BrokerKey,
    BrokerKeyMade,
    BrokerSymbol,
    BrokerView,
    State,
)
from plan2.interface.screen import to_us, us_or_none
from plan2.wiring.installation import Installation
from plan2.wiring.tenant_brokers import STREAM
from plan2.wiring.tenant_opening import Opened
from plan2.wiring.tenant_places import TenantTerminal

BROKER_BINDING = "broker_binding"


class TenantBrokerDesk:
    """The desk of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._clock = LiveClock()

    def kind(self) -> Kind:
        """Binding an account as something that two people decide."""
        return Kind(summarise=self._summary, carry_out=self._carry_out, roles=ADMIN)

    async def view(self, tenant_id: str) -> BrokerView:
        """See `BrokerDesk.view`."""
        installation, whose = self._installation, self._served(tenant_id)
        brokers, standings = installation.brokers, installation.runs.standings
        binding, terminal = brokers.binding(whose), brokers.terminal(whose)
        opened, failure = standings.at_broker(tenant_id), standings.failure(tenant_id)
        closing = standings.closing(tenant_id)
        state: State = "waiting" if binding is not None else "none"
        if closing or opened is not None:
            state = "closing" if closing else "open"
        elif failure and brokers.has_dealt(whose):
            state = "failed"
        return BrokerView(
            tenant_id=tenant_id,
            state=state,
            why_not=brokers.why_not(),
            needs_second_person=self._four_eyes(whose),
            link=_link_of(terminal) if terminal is not None else "",
            detail=closing or (failure if state == "failed" else ""),
            account=await self._account(whose, binding) if binding is not None else None,
            positions=len(opened.run.account.positions.open) if opened is not None else 0,
            orders=len(opened.run.account.orders.open) if opened is not None else 0,
            symbols=self._symbols(opened) if opened is not None else [],
        )

    async def bind(self, caller: Session, wish: BrokerWish, reason: str) -> str:
        """See `BrokerDesk.bind`."""
        tenant_id = TenantId(caller.user.tenant_id)
        self._installation.brokers.check(tenant_id, wish)
        if self._four_eyes(tenant_id):
            payload = msgspec.structs.asdict(wish)
            approvals = self._installation.people.approvals
            return (await approvals.propose(caller, BROKER_BINDING, payload, reason)).approval_id
        await self._installation.brokers.bind(tenant_id, wish, caller.actor, reason)
        return ""

    async def bind_for(self, caller: Session, tenant_id: str, wish: BrokerWish, why: str) -> None:
        """See `BrokerDesk.bind_for`."""
        whose = self._served(tenant_id)
        if self._four_eyes(whose):
            raise RequestRefused(
                403,
                "approval_needed",
                f"Tenant {tenant_id} binds accounts with two people of its own.",
                remedy="Its administrators do it on page Settings, section Broker.",
            )
        await self._installation.brokers.bind(whose, wish, caller.actor, why)

    async def unbind(self, tenant_id: str, by: str, reason: str) -> None:
        """See `BrokerDesk.unbind`."""
        brokers, whose = self._installation.brokers, self._bound(tenant_id)
        standings = self._installation.runs.standings
        still_open = standings.still_open(tenant_id)
        if still_open:
            raise RequestRefused(
                409,
                "not_flat",
                f"The account cannot be let go: {still_open}.",
                remedy="Close everything there (`kill` does it), with the link up, then try again.",
            )
        opened = standings.at_broker(tenant_id)
        if opened is not None:  # nothing may be opened there while the database is waited for
            opened.run.halt("its broker account is being let go")
        await brokers.unbind(whose, by, reason)

    async def make_key(self, tenant_id: str, by: str, label: str) -> BrokerKeyMade:
        """See `BrokerDesk.make_key`."""
        whose = self._bound(tenant_id)
        binding = self._installation.brokers.binding(whose)
        assert binding is not None  # noqa: S101 - `_bound` has looked
        ring = self._installation.brokers.key_ring(whose)
        secret, key = await ring.create(binding.account_id, label)
        self._note(whose, binding.account_id, key.key_id, "made", by)
        shown = shown_key(tenant_id, secret)
        return BrokerKeyMade(key_id=key.key_id, account_id=key.account_id, secret=shown)

    async def revoke_key(self, tenant_id: str, by: str, key_id: str) -> None:
        """See `BrokerDesk.revoke_key`."""
        whose = self._served(tenant_id)
        ring = self._installation.brokers.key_ring(whose)
        key = next((each for each in await ring.every() if each.key_id == key_id), None)
        if key is None:
            raise RequestRefused(404, "not_found", f"There is no key {key_id!r}.")
        await ring.revoke(key_id)
        self._note(whose, key.account_id, key_id, "revoked", by)

    # --- inside ---------------------------------------------------------------------------

    def _four_eyes(self, tenant_id: TenantId) -> bool:
        return self._installation.overlay.effective(tenant_id).security.four_eyes

    def _served(self, tenant_id: str) -> TenantId:
        if self._installation.tenants.directory.find(tenant_id) is None:
            raise RequestRefused(404, "not_found", f"There is no tenant {tenant_id!r}.")
        return TenantId(tenant_id)

    def _bound(self, tenant_id: str) -> TenantId:
        whose = self._served(tenant_id)
        if self._installation.brokers.binding(whose) is None:
            raise InputError(f"Tenant {tenant_id} is bound to no broker account now.")
        return whose

    async def _account(self, tenant_id: TenantId, binding: Binding) -> BrokerAccount:
        keys = await self._installation.brokers.key_ring(tenant_id).every()
        return BrokerAccount(
            account_id=binding.account_id,
            login=binding.login,
            server=binding.server,
            mode=binding.mode,
            bound_by=binding.bound_by,
            bound_us=to_us(binding.bound_ns),
            keys=[
                BrokerKey(
                    key_id=key.key_id,
                    label=key.label,
                    created_us=to_us(key.created_ns),
                    revoked_us=us_or_none(key.revoked_ns),
                )
                for key in keys
                if key.account_id == binding.account_id
            ],
        )

    def _symbols(self, opened: Opened) -> list[BrokerSymbol]:
        seat = opened.seat
        if not isinstance(seat, OwnSeat):
            return []
        market, now_ns = self._installation.runs.main.account.quotes, self._clock.now_ns()
        return [
            _symbol(seat, contract, market.get(symbol), now_ns)
            for symbol, contract in opened.place.market.instruments.items()
        ]

    def _summary(self, tenant_id: str, payload: Payload) -> str:
        wish = _wish_of(payload)
        self._installation.brokers.check(TenantId(tenant_id), wish)
        return (
            f"Trade account {wish.login} at {wish.server} ({wish.mode}) as {wish.name}, "
            "instead of on paper"
        )

    async def _carry_out(self, proposal: Proposal) -> str:
        wish = _wish_of(msgspec.json.decode(proposal.payload))
        reason = f"approved by {proposal.decided_by}: {proposal.reason}"
        by = f"user:{proposal.proposed_by}"
        await self._installation.brokers.bind(TenantId(proposal.tenant_id), wish, by, reason)
        return "bound; it trades once its terminal has connected and a person has armed it"

    def _note(
        self, tenant_id: TenantId, account_id: str, key_id: str, change: str, by: str
    ) -> None:
        event = TerminalKeyChanged(
            ts_ns=self._clock.now_ns(), account_id=account_id, key_id=key_id, change=change, by=by
        )
        self._installation.recording(tenant_id, STREAM, event, actor=by)


def _link_of(terminal: TenantTerminal) -> str:
    now = terminal.status()
    return "up" if now.state is LinkState.UP else f"{now.state.value}: {now.reason}"


def _symbol(seat: OwnSeat, contract: Instrument, market: Tick | None, now_ns: int) -> BrokerSymbol:
    own, terms = seat.quotes.get(contract.symbol), seat.terms(contract.symbol)
    gap = gap_in_spreads(own, market, contract) if own is not None and market is not None else None
    return BrokerSymbol(
        symbol=contract.symbol,
        bid=own.bid if own is not None else None,
        ask=own.ask if own is not None else None,
        age_ms=(now_ns - own.ts_ns) / NS_PER_MS if own is not None else None,
        gap_spreads=gap,
        terms=terms,
    )


def _wish_of(payload: Payload) -> BrokerWish:
    try:
        return msgspec.convert(payload, BrokerWish)
    except msgspec.ValidationError as error:
        raise InputError(f"The proposal cannot be understood: {error}.") from error
