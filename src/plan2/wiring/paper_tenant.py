"""The paper account that a tenant other than the main one trades on the shared market."""

from decimal import Decimal
from pathlib import Path

import msgspec

from plan2.dataflow.terminals.simulated.opening import JoinedMarket, PaperAccount, join_market
from plan2.dataflow.terminals.simulated.paper import PaperTerminal
from plan2.foundation.config.schema import Settings
from plan2.foundation.latency import Latency
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.account import AccountIdentity, TradingAccount
from plan2.wiring.assembly import AccountPlan, build_account
from plan2.wiring.markets import PAPER, SIMULATED, Market, paper_account_of
from plan2.wiring.tenant_run import TenantRun


def paper_market(
    shared: Market, tenant_id: TenantId, settings: Settings, folder: Path
) -> tuple[Market, PaperTerminal]:
    """A tenant's own account on the shared market; its file lies in `folder`.

    Account and paper broker keep the contract data of the opening, whatever a broker changes.
    """
    shared = msgspec.structs.replace(shared, instruments=dict(shared.instruments), earlier=[])
    simulated = settings.simulated
    account_id = paper_account_of(tenant_id)
    terminal = join_market(
        simulated, _joined(shared), PaperAccount(account=account_id, data_dir=folder)
    )
    market = msgspec.structs.replace(
        shared,
        mode=shared.mode if shared.is_paper else PAPER,
        label=f"PAPER account of {tenant_id}",
        account_id=account_id,
        currency=simulated.currency,
        start_balance=Decimal(simulated.balance),
        terminal=terminal,
        since_ns=0,
    )
    return market, terminal


def account_of_tenant(
    run: TenantRun, market: Market, settings: tuple[Settings, str], latency: Latency
) -> TradingAccount:
    """The account of a run on its market; `settings` with their hash."""
    return build_account(
        AccountPlan(
            settings=settings[0],
            config_hash=settings[1],
            identity=AccountIdentity(
                tenant_id=run.tenant_id,
                account_id=market.account_id,
                currency=market.currency,
                start_balance=market.start_balance,
            ),
            instruments=market.instruments,
            bus=run.bus,
            latency=latency,
            journal=run.journal,
            sink=run.sink,
            submit=market.terminal.submit,
        )
    )


def _joined(market: Market) -> JoinedMarket:
    """The market as a further paper account needs to know it."""
    return JoinedMarket(
        identity=market.identity,
        # On a broker's ticks too it is nobody's money; a word that is not known would be real.
        mode=market.mode if market.is_paper else SIMULATED,
        clock=market.clock,
        contracts=market.instruments,
        history=market.terminal.history,
    )
