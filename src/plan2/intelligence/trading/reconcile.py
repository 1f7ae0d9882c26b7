"""Reconciliation: at start, after every break and all the time, our books against the broker's.

First deals, then orders, then positions, then the balance. A question that was not answered is
never taken for "nothing there": its pass is put off. Until a whole pass went well the books do not
agree, and no new risk is taken. All times are those of the terminal's clock, so a simulated market
at many times the speed is reconciled as often as its own time says.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import TypeVar

import msgspec

from plan2.dataflow.terminals.port import LinkState, OrderSide
from plan2.foundation.clock import Clock
from plan2.foundation.errors import JournalLost, TerminalUnavailable
from plan2.foundation.events.account import BalanceAdjusted
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import ReconciliationDifference
from plan2.foundation.health import Health, Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.orders import Order
from plan2.intelligence.trading.reconcile_deals import DealsPass
from plan2.intelligence.trading.reconcile_orders import OrdersPass
from plan2.intelligence.trading.reconcile_positions import PositionsPass
from plan2.intelligence.trading.reconcile_rules import (
    STANDING,
    Action,
    Findings,
    Kind,
    Schedule,
    Sightings,
    ns_of,
)
from plan2.intelligence.trading.reconcile_working import WorkingPass
from plan2.intelligence.trading.saga import SagaBook

T = TypeVar("T")

STEP_S = 0.1
"""Real time between two looks at what is due."""
NO_DEAL = "no deal explains it: a deposit, a withdrawal, a credit or a correction"
LATE_RESULT = "the result of a position that was closed without a deal"


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole pass found."""

    events: int
    late_fills: int
    orders_settled: int
    differences: tuple[ReconciliationDifference, ...]

    @property
    def agrees(self) -> bool:
        """Whether our books equal the broker's now."""
        return not any(one.action in STANDING for one in self.differences)


async def rebuild(
    account: TradingAccount, events: AsyncIterator[Event], sagas: SagaBook | None = None
) -> int:
    """Fold the account's stored events, oldest first, and its sagas; returns how many."""
    count = 0
    async for event in events:
        account.apply(event)
        if sagas is not None:
            sagas.apply(event)
        count += 1
    return count


async def reconcile(
    account: TradingAccount, terminal: OrderSide, events: int, clock: Clock
) -> Reconciled:
    """One whole pass, for who needs no continuous one.

    Raises:
        TerminalUnavailable: the broker could not be asked; nothing is assumed.
    """
    return await Reconciler(account, terminal, clock).settle(events)


class Reconciler:
    """Keeps the books of one account equal to its broker's.

    Args:
        since_ns: deals before it are from the account's life before Plan2.
    """

    def __init__(
        self,
        account: TradingAccount,
        terminal: OrderSide,
        clock: Clock,
        schedule: Schedule | None = None,
        since_ns: int = 0,
    ) -> None:
        self._account = account
        self._terminal = terminal
        self._clock = clock
        self._schedule = schedule or Schedule()
        self._findings = Findings(account)
        common = (account, terminal, self._findings)
        self._deals = DealsPass(*common, self._schedule, since_ns)
        self._orders = OrdersPass(*common, self._deals, self._schedule)
        self._working = WorkingPass(*common, self._orders, self._schedule)
        self._positions = PositionsPass(*common, self._deals, self._schedule)
        self._balances = Sightings()
        self._orders_due_ns = 0
        self._positions_due_ns = 0
        self._retry_ns = 0
        self._stepped_ns = 0
        self._failures = 0
        self._is_settled = False
        self._links_lost = account.links_lost
        account.books_agree = False

    @property
    def books_agree(self) -> bool:
        """Whether new risk may be taken as far as the books are concerned."""
        is_whole = self._is_settled and not self._was_link_lost
        return is_whole and not self._findings.has_standing and not self._is_unheard

    def ask_now(self, order_id: str) -> None:
        """Do not wait any longer before asking what became of an order."""
        self._orders.ask_now(order_id)

    def health(self) -> Health:
        """Whether the books agree, and what stands against it."""
        standing = self._findings.describe()
        if standing:
            return Health(Status.DEGRADED, f"The books differ from the broker's: {standing}.")
        if self._is_unheard:
            text = f"The broker did not answer {self._failures} questions in a row."
            return Health(Status.DEGRADED, text)
        if not self._is_settled:
            return Health(Status.DEGRADED, "The books have not been compared yet.")
        return Health()

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            await self.step(self._clock.now_ns())
            await asyncio.sleep(STEP_S)

    async def settle(self, events: int = 0) -> Reconciled:
        """Compare everything now; `events` is how many the books were folded from.

        Raises:
            TerminalUnavailable: the broker could not be asked; nothing is assumed.
        """
        now_ns = self._clock.now_ns()
        self._is_settled = False
        self._links_lost = self._account.links_lost
        self._findings.found.clear()
        late = _known(await self._deals.run(now_ns), "deals")
        settled = await self._orders.settle(self._orders.unsettled(), now_ns)
        is_clear = _known(await self._working.run(now_ns), "working orders")
        if not _known(await self._positions.run(now_ns, is_start=True), "positions"):
            late += _known(await self._deals.run(now_ns), "deals")
            is_clear &= _known(await self._positions.run(now_ns, is_start=True), "positions")
        is_clear &= _known(await self._compare_balance(now_ns), "its account")
        self._plan_all(now_ns, is_clear)
        self._is_settled = True
        self._failures = 0
        self._tell()
        return Reconciled(
            events=events,
            late_fills=late,
            orders_settled=settled,
            differences=tuple(self._findings.found),
        )

    async def step(self, now_ns: int) -> None:
        """Do what is due at a time of the terminal's clock; what could not be asked is put off.

        Raises:
            JournalLost: what was found out cannot be written down; the books do not agree.
        """
        self._positions.look(now_ns)
        due_orders = self._orders.due(now_ns)
        if now_ns < self._stepped_ns - NS_PER_SECOND:
            self._is_settled, self._retry_ns = False, 0  # the clock was put back: all dues are off
        self._stepped_ns = now_ns
        is_broken = self._account.link is not LinkState.UP
        if is_broken or self._was_link_lost:
            self._is_settled = False  # the link was lost, perhaps only for a moment
        if not is_broken and now_ns >= self._retry_ns:
            try:
                if self._is_settled:
                    await self._compare(due_orders, now_ns)
                else:
                    await self.settle()
            except TerminalUnavailable:
                self._failures += 1
                self._retry_ns = now_ns + ns_of(self._schedule.recheck_s)
            except JournalLost:
                self._is_settled = False  # what was found out is not in the books
                self._tell()
                raise
        self._findings.found.clear()
        self._tell()

    # --- inside ---------------------------------------------------------------------------

    async def _compare(self, due_orders: list[Order], now_ns: int) -> None:
        if due_orders:
            await self._orders.settle(due_orders, now_ns)
        is_for_orders = now_ns >= self._orders_due_ns
        is_for_positions = now_ns >= self._positions_due_ns
        if not is_for_orders and not is_for_positions:
            return
        schedule = self._schedule
        _known(await self._deals.run(now_ns), "deals")
        if is_for_orders:
            is_clear = _known(await self._working.run(now_ns), "working orders")
            pause_s = schedule.orders_every_s if is_clear else schedule.recheck_s
            self._orders_due_ns = now_ns + ns_of(pause_s)
        if is_for_positions:
            is_clear = _known(await self._positions.run(now_ns), "positions")
            is_clear &= _known(await self._compare_balance(now_ns), "its account")
            pause_s = schedule.positions_every_s if is_clear else schedule.recheck_s
            self._positions_due_ns = now_ns + ns_of(pause_s)
        self._failures = 0

    def _plan_all(self, now_ns: int, is_clear: bool) -> None:
        schedule = self._schedule
        if is_clear:
            self._orders_due_ns = now_ns + ns_of(schedule.orders_every_s)
            self._positions_due_ns = now_ns + ns_of(schedule.positions_every_s)
        else:
            self._orders_due_ns = self._positions_due_ns = now_ns + ns_of(schedule.recheck_s)

    async def _compare_balance(self, now_ns: int) -> bool | None:
        """Whether the balances are equal; a difference that lasts is taken over and said."""
        theirs = await self._terminal.account()
        if theirs is None:
            return None
        self._account.guard.know_mode(theirs.mode)
        self._account.orders.is_hedging = theirs.is_hedging
        ours = self._account.portfolio.balance
        amount = theirs.balance - ours
        if amount == 0:
            self._account.positions.lacks_result = False  # it was zero
        if amount == 0 or self._orders.unsettled() or self._findings.has_standing:
            self._balances.keep(())
            return amount == 0
        is_young = self._balances.age_ns(amount, now_ns) < ns_of(self._schedule.settling_s)
        if is_young:
            self._balances.keep((amount,))
            return False
        sides = (str(ours), str(theirs.balance))
        self._findings.say(Kind.BALANCE, theirs.login, sides, Action.BOOKED, now_ns)
        self._adjust(amount, theirs.balance, now_ns)
        return True

    def _adjust(self, amount: Decimal, balance: Decimal, now_ns: int) -> None:
        """Book money without a deal: paid in or out, unless a closed position lacks its result."""
        account = self._account
        lacks_result = account.positions.lacks_result
        adjusted = BalanceAdjusted(
            ts_ns=now_ns,
            account_id=account.identity.account_id,
            tenant_id=account.identity.tenant_id,
            amount=str(amount),
            balance=str(balance),
            reason=LATE_RESULT if lacks_result else NO_DEAL,
            equity=str(account.portfolio.equity),
            is_result=lacks_result,
        )
        account.book([adjusted])

    def _tell(self) -> None:
        self._account.books_agree = self.books_agree

    @property
    def _was_link_lost(self) -> bool:
        """Whether it happened since the last whole pass began, also in the middle of that one."""
        return self._account.links_lost != self._links_lost

    @property
    def _is_unheard(self) -> bool:
        return self._failures >= self._schedule.failures_said


def _known(answer: T | None, subject: str) -> T:
    """An answer that was given.

    Raises:
        TerminalUnavailable: it was not.
    """
    if answer is None:
        raise TerminalUnavailable(
            f"The terminal could not be asked about {subject}.",
            remedy="No new risk is taken until it answers; nothing is assumed meanwhile.",
        )
    return answer
