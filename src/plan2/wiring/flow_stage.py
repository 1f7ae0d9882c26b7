"""The seats of a tenant's account as the registry of flows sees them: who trades, warmed up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from plan2.dataflow.quality import QualityGate
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError, TerminalUnavailable
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.flows.desk import AccountStanding
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.life import FlowState, FlowVersion
from plan2.intelligence.flows.memory import period_ns
from plan2.intelligence.flows.policy import FlowPolicy
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.risk.mode import AccountMode, armed_mode_of
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.flow_seats import FlowSeat
from plan2.intelligence.trading.management import OWN
from plan2.intelligence.warm_state import ticks_of
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import check_families, check_flow, make_policy
from plan2.wiring.markets import Market

WARM_UP_NS: Final = 4 * NS_PER_DAY
"""History that a policy is warmed up with at least; spans a weekend."""
WARM_UP_BARS: Final = 500
HISTORY_WITHIN_S: Final = 120.0
PIECE: Final = 5_000
"""Ticks of history between two looks at everything else."""
RETIRED: Final = "the flow is retired"


class StagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage is built on; `folder` is where compiled flows are kept."""

    account: TradingAccount
    market: Market
    settings: Settings
    folder: Path


class AccountStage:
    """Implements `FlowStage` for one account."""

    def __init__(self, plan: StagePlan) -> None:
        self._plan = plan
        self._account, self._market = plan.account, plan.market
        self._wanted: frozenset[str] | None = None
        self.troubles: dict[str, str] = {}
        """Flows that cannot trade, and why."""

    def standing(self) -> AccountStanding:
        """See `FlowStage.standing`."""
        guard = self._account.guard
        named = guard.is_self_arming or armed_mode_of(guard.switches.armed_mode) == guard.mode
        return AccountStanding(
            account_id=self._account.identity.account_id,
            is_real=guard.mode is AccountMode.REAL,
            is_armed=self._account.state is TradingState.ARMED and named,
        )

    def check(self, flow: Flow) -> None:
        """See `FlowStage.check`."""
        if flow.source.symbol not in self._market.instruments:
            raise InputError(
                f"Flow {flow.name} trades {flow.source.symbol}, which is not on offer here.",
                remedy=f"On offer: {', '.join(sorted(self._market.instruments))}.",
            )
        check_flow(flow)
        models = Registry(self._market.home / "models")
        champion = models.champions().get(flow.source.symbol)
        if champion is not None:
            check_families(flow, {models.show(name).family for name in champion.model_ids})

    def hold(self, name: str) -> None:
        """See `FlowStage.hold`."""
        seat = self._account.flows.find(name)
        if seat is not None:
            seat.is_paused = True

    def expect(self, versions: Sequence[FlowVersion]) -> None:
        """These will take their seats: until then nobody else trades their symbols."""
        self._account.flows.expect(version.symbol for version in versions)

    async def show(self, versions: Sequence[FlowVersion]) -> None:
        """See `FlowStage.show`; positions of flows that are in no seat any more are closed."""
        flows = self._account.flows
        self.expect(versions)
        wanted = {each.name: each for each in versions}
        for seat in flows.all():
            kept = wanted.get(seat.name)
            if kept is None or kept.digest != seat.digest:
                flows.unseat(seat.name)
        self.troubles = {}
        for version in versions:
            seated = flows.find(version.name)
            if seated is not None:
                seated.is_paused = version.state is FlowState.PAUSED
            else:
                await self._seat(version)
        self.expect(())
        self._wanted = frozenset(wanted)
        self.close_orphans()
        if self.troubles:
            raise InputError("; ".join(self.troubles.values()))

    async def _seat(self, version: FlowVersion) -> None:
        """Let it see ticks at once; it acts when its policy has caught up."""
        flow = version.flow()
        try:
            self.check(flow)
            policy = await asyncio.to_thread(self._policy, flow)
        except InputError as error:
            self.troubles[version.name] = f"Flow {version.label} cannot trade: {error.message}"
            logger("flows").error("flow_not_seated", flow=version.name, reason=error.message)
            return
        seat = FlowSeat(flow, version.version, version.digest, policy)
        seat.is_paused = version.state is FlowState.PAUSED
        seat.waiting = []
        self._account.flows.seat(seat)
        seat.begin(await self._warm_up(flow, policy))

    def _policy(self, flow: Flow) -> FlowPolicy:
        plan, account = self._plan, self._account
        instrument = self._market.instruments[flow.source.symbol]
        return make_policy(
            flow,
            instrument,
            account.rules,
            lambda: account.rates.rate(instrument.quote),
            plan_of(plan.settings),
            plan.folder,
        )

    async def _warm_up(self, flow: Flow, policy: FlowPolicy) -> tuple[int, int]:
        """Show a policy what came before; returns time and number of the last tick it saw.

        A broker's history that cannot be had in time keeps nobody from going on: the policy then
        warms up on live ticks.
        """
        now_ns = self._market.clock.now_ns()
        bars_ns = WARM_UP_BARS * period_ns(flow.source.bars)
        start_ns = max(0, now_ns - max(WARM_UP_NS, bars_ns))
        try:
            async with asyncio.timeout(HISTORY_WITHIN_S):
                block = await self._market.terminal.history(flow.source.symbol, start_ns, now_ns)
        except (TerminalUnavailable, TimeoutError) as error:
            logger("flows").warning("no_history", flow=flow.name, reason=str(error))
            return (0, -1)
        return await self._show_past(policy, block)

    async def _show_past(self, policy: FlowPolicy, block: TickBlock) -> tuple[int, int]:
        seen, count = (0, -1), 0
        quality = QualityGate(block.symbol, self._plan.settings.market.spike_sigmas)
        unknown = np.full(len(plan_of(self._plan.settings).names), np.nan)
        for tick in ticks_of(block):
            if quality.check(tick, tick.ts_ns).is_accepted:
                policy.step(tick, None, unknown)
            seen, count = (tick.ts_ns, tick.seq), count + 1
            if count % PIECE == 0:
                await asyncio.sleep(0)
        return seen

    def close_orphans(self) -> None:
        """Close what retired flows have left, or orders of theirs that were on their way bring.

        Call it again and again: what is refused is tried at a newer quote, after the management's
        back-off.

        Raises:
            JournalLost: it cannot be written down; nothing was sent, trading is halted.
        """
        if self._wanted is None:
            return  # who trades is not known yet
        account, now_ns = self._account, self._market.clock.now_ns()
        for position in list(account.positions.open.values()):
            if not position.is_managed or position.flow_id in self._wanted | OWN:
                continue
            tick = account.quotes.get(position.symbol)
            if tick is not None and account.management.may_close(position, now_ns):
                account.management.close(position, RETIRED, tick, now_ns)
