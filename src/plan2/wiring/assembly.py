"""The trading part of the wiring, shared by `serve`, `backtest`, `explain` and `bench`.

Everything it needs comes in as an argument; nothing here opens a file, a socket or a database.
"""

from collections.abc import Callable

import msgspec

import plan2
from plan2.dataflow.quality import QualityGate
from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import Unrecoverable
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import TenantId
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.decision.keeping import DecisionKeeper, parameters_of
from plan2.intelligence.decision.material import Owner
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.models.ensemble import Ensemble, load_ensembles
from plan2.intelligence.models.registry import Registry, TrialRegistry
from plan2.intelligence.pipeline import Lane, Pipeline
from plan2.intelligence.trading.account import (
    AccountIdentity,
    AccountServices,
    TradingAccount,
)
from plan2.intelligence.trading.chronicle import Chronicle, EventSink
from plan2.intelligence.trading.journal import Journal
from plan2.intelligence.trading.placing import Submit
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.markets import BACKTEST, Market
from plan2.wiring.surroundings import live_surroundings, schedules_of


class AccountPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is built from; `bus` announces what happens to it."""

    settings: Settings
    config_hash: str
    identity: AccountIdentity
    instruments: dict[str, Instrument]
    bus: Bus
    latency: Latency
    journal: Journal
    sink: EventSink
    submit: Submit


class FloorPlan(AccountPlan, frozen=True, kw_only=True):
    """What a trading floor is built from.

    `ensembles` maps symbols to their models; a symbol without one is watched but never traded.
    `market_bus` announces ticks and forecasts; without one the account's own does.
    """

    ensembles: dict[str, Ensemble]
    clock: Clock
    on_fault: Callable[[Unrecoverable], None]
    market_bus: Bus | None = None


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that turn ticks into orders."""

    pipeline: Pipeline
    account: TradingAccount
    keeper: DecisionKeeper
    lanes: dict[str, Lane]


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a floor writes to, announces on and reports to."""

    tenant_id: TenantId
    bus: Bus
    market_bus: Bus | None = None
    latency: Latency
    journal: Journal
    sink: EventSink
    on_fault: Callable[[Unrecoverable], None]


def floor_on(market: Market, loaded: Loaded, means: Means) -> Floor:
    """The floor of a market's account, with the champion models of the market's home.

    A backtest tries the newest candidate of a symbol that has no champion.
    """
    schema_id = plan_of(loaded.settings).schema_id
    kind = TrialRegistry if market.mode == BACKTEST else Registry
    registry = kind(market.home / "models")
    return build_floor(
        FloorPlan(
            settings=loaded.settings,
            config_hash=loaded.config_hash,
            identity=AccountIdentity(
                tenant_id=means.tenant_id,
                account_id=market.account_id,
                currency=market.currency,
                start_balance=market.start_balance,
            ),
            instruments=market.instruments,
            ensembles=load_ensembles(registry, market.symbols, schema_id),
            clock=market.clock,
            bus=means.bus,
            market_bus=means.market_bus,
            latency=means.latency,
            journal=means.journal,
            sink=means.sink,
            submit=market.terminal.submit,
            on_fault=means.on_fault,
        )
    )


def build_floor(plan: FloorPlan) -> Floor:
    """Wire lanes, account and pipeline; the account starts halted."""
    account = build_account(plan)
    lanes = build_lanes(plan.settings, plan.instruments, plan.ensembles)
    bus = plan.market_bus or plan.bus
    pipeline = Pipeline(lanes, account, bus, plan.clock, plan.latency, plan.on_fault)
    return Floor(pipeline=pipeline, account=account, keeper=account.keeper, lanes=lanes)


def build_account(plan: AccountPlan) -> TradingAccount:
    """Wire an account; it starts halted, with empty books."""
    settings = plan.settings
    rules, owner = terms_of(plan.identity, settings, plan.config_hash)
    keeper = DecisionKeeper(rules, owner)
    services = AccountServices(
        chronicle=Chronicle(plan.journal, plan.sink, plan.bus),
        keeper=keeper,
        submit=plan.submit,
        latency=plan.latency,
        management=settings.management,
    )
    return TradingAccount(plan.identity, plan.instruments, rules, services)


def terms_of(
    identity: AccountIdentity, settings: Settings, config_hash: str
) -> tuple[Rules, Owner]:
    """What an account decides by, and how its records name that."""
    rules = Rules(account_id=identity.account_id, decision=settings.decision, risk=settings.risk)
    owner = Owner(
        identity.tenant_id,
        identity.account_id,
        config_hash,
        parameters_of(rules),
        settings.models.horizon_minutes * 60,
        plan2.__version__,
    )
    return rules, owner


def build_lanes(
    settings: Settings, instruments: dict[str, Instrument], ensembles: dict[str, Ensemble]
) -> dict[str, Lane]:
    """One lane per symbol: quality gate, feature engine, models if there are any, and events."""
    features = plan_of(settings)
    around = live_surroundings(settings, features, instruments)
    lanes = {
        symbol: Lane(
            symbol,
            QualityGate(symbol, settings.market.spike_sigmas),
            FeatureEngine(features, instrument, around),
            ensembles.get(symbol),
        )
        for symbol, instrument in instruments.items()
    }
    for symbol, schedule in schedules_of(data_dir(settings), instruments).items():
        lanes[symbol].schedule = schedule
    return lanes
