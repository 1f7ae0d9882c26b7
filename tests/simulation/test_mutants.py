"""The simulation can fail: broken parts are put in, and each of them must be caught."""

from dataclasses import replace

import pytest

from plan2.dataflow.terminals.port import ApprovedOrder, OrderUpdate, Trace, UpdateKind
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.reconcile import Reconciler
from plan2.intelligence.trading.reconcile_rules import Schedule
from simulation.driver import simulate
from simulation.process import Parts, TrackedJournal
from simulation.world import Terminal

SEEDS = range(60)
"""A mutant must be caught within these."""


class SendsTwice(Terminal):
    """A terminal that retries `order_send`, at a broker that does not look at tokens."""

    def submit(self, order: ApprovedOrder) -> None:
        """Once, and once more."""
        super().submit(order)
        self.world.broker._tokens.discard(order.token)
        self.world.broker.submit(order)


class Resends(TradingAccount):
    """An account that sends an order again when its outcome is unknown."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """Retry at once."""
        order = self._sent.get(update.order_id)
        super().on_order_update(update)
        if update.kind is UpdateKind.UNKNOWN and order is not None:
            self._really_submit(order)

    def __init__(self, identity, instruments, rules, services) -> None:
        self._sent: dict[str, ApprovedOrder] = {}
        self._really_submit = services.submit

        def submit(order: ApprovedOrder) -> None:
            self._sent[order.order_id] = order
            self._really_submit(order)

        services = type(services)(
            chronicle=services.chronicle,
            keeper=services.keeper,
            submit=submit,
            latency=services.latency,
        )
        super().__init__(identity, instruments, rules, services)


class ForgetsAfterCrash(TrackedJournal):
    """A journal that reads nothing back."""

    def open(self):
        """As if nothing had been written."""
        super().open()
        return []


class WritesNothing(TrackedJournal):
    """A journal that says it has written."""

    def append(self, entries, *, adds_risk=False):
        """Nothing reaches the disk."""
        self._sequence += 1
        return self._sequence


class NeverAsks(Reconciler):
    """A reconciliation that settles at the start and never again."""

    async def step(self, now_ns: int) -> None:
        """Do nothing once the books were compared."""
        if not self._is_settled:
            await super().step(now_ns)


class TakesSilenceForAnAnswer(Terminal):
    """A terminal that says an order never arrived while it is still on its way."""

    async def trace(self, token: str) -> Trace:
        """Nothing on record instead of None."""
        return await super().trace(token) or Trace()


class Impatient(Reconciler):
    """A reconciliation that believes the first trace."""

    def __init__(self, account, terminal, clock) -> None:
        schedule = Schedule(
            in_flight_every_s=0.1, in_flight_after_s=0.1, confirmations=1, settling_s=0.0
        )
        super().__init__(account, terminal, clock, schedule)


class ReservesNothing(TradingAccount):
    """An account that counts only what is filled."""

    def __init__(self, *parts) -> None:
        super().__init__(*parts)
        self._board.reserve = self._board.restore = _ignore


class LosesDeals(TradingAccount):
    """An account that does not book some of the deals."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """Swallow every seventh deal for good."""
        if update.deal is not None and int(update.deal.ticket) % 7 == 0:
            return
        super().on_order_update(update)


class ExecutesAgain(PaperBroker):
    """A broker that carries out every third order twice."""

    def submit(self, order: ApprovedOrder) -> None:
        """The second time under the same name."""
        super().submit(order)
        if int(order.order_id[:4], 16) % 3 == 0:
            self._tokens.discard(order.token)
            super().submit(order)


TWICE = "asked for|two orders at the broker|exposure|positions possible"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (Parts(terminal=SendsTwice), TWICE),
        (Parts(account=Resends), "sent a second time"),
        (Parts(journal=ForgetsAfterCrash), "not in the event store|differ|belongs to no order"),
        (Parts(journal=WritesNothing), "sent but not durable"),
        (Parts(reconciler=NeverAsks), "never ended|differ"),
        (
            Parts(terminal=TakesSilenceForAnAnswer, reconciler=Impatient),
            "did arrive|exposure|positions possible",
        ),
        (Parts(account=ReservesNothing), "positions possible|exposure"),
        (Parts(account=LosesDeals), "differ|never ended|not closed|books"),
        (Parts(broker=ExecutesAgain), TWICE),
    ],
    ids=lambda value: "" if isinstance(value, str) else _name(value),
)
def test_a_broken_part_is_caught(parts: Parts, words: str) -> None:
    """Within sixty seeds, and for the right reason."""
    found = next((r.violated for seed in SEEDS if (r := simulate(seed, parts)).violated), "")
    assert any(word in found for word in words.split("|")), found or "nobody noticed"


def test_the_whole_parts_are_not_caught() -> None:
    """The same seeds with nothing broken hold, so that the mutants are what is caught."""
    assert not [seed for seed in SEEDS if simulate(seed, replace(Parts())).violated]


def _ignore(order: object) -> None:
    """Do nothing."""


def _name(parts: Parts) -> str:
    whole = Parts()
    fields = ("account", "journal", "terminal", "broker", "reconciler")
    return next(
        getattr(parts, name).__name__
        for name in fields
        if getattr(parts, name) is not getattr(whole, name)
    )
