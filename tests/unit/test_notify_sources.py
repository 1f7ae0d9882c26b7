"""What events say to people, and how they come from a tenant's bus and log to the notifier."""

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest

from plan2.foundation.bus import Bus
from plan2.foundation.events.account import KillFinished, RiskLimitNeared, TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.jobs import JobEnded
from plan2.foundation.events.order import OrderDenied, PositionClosed
from plan2.foundation.events.system import ServiceHealthChanged, UserAuthenticated
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from plan2.interface.notify.kinds import KINDS
from plan2.interface.notify.notification import Notification, Severity
from plan2.interface.notify.sentences import ANNOUNCED, Context, notification_of
from plan2.interface.notify.sources import Sources
from unit.identity_fixtures import NOON_NS
from unit.interface_fixtures import IdentityStage

CLOSED = PositionClosed(
    ts_ns=NOON_NS,
    position_id="paper-1:42",
    account_id="paper-1",
    tenant_id="main",
    symbol="EURUSD",
    direction="buy",
    quantity=0.1,
    open_price=1.1,
    close_price=1.102,
    profit="20.00",
    commission="-0.70",
    swap="-0.05",
    reason="take_profit",
    decision_id="d1",
)
HALTED = TradingStateChanged(
    ts_ns=NOON_NS,
    account_id="paper-1",
    tenant_id="main",
    old_state="armed",
    new_state="halted",
    actor="user:u-1",
    reason="news",
)


def said(event: Event) -> Notification:
    """What is told of an event in the tenant `main`, whose account is in EUR."""
    who = {"user:u-1": "Siti"}
    found = notification_of(event, Context("main", "EUR", lambda actor: who.get(actor, actor)))
    assert found is not None
    return found


def test_a_closed_position_tells_its_net_result_with_the_currency() -> None:
    """20.00 − 0.70 − 0.05 = 19.25."""
    told = said(CLOSED)
    assert told.title == "EURUSD buy closed, +19.25 EUR"
    assert told.sentence == "0.1 lots from 1.1 to 1.102: +19.25 EUR net. Reason: take_profit."
    assert (told.kind, told.severity, told.tenant_id) == ("close", Severity.INFO, "main")


def test_a_halt_is_critical_and_names_who_did_it() -> None:
    """By name, not by pseudonym."""
    told = said(HALTED)
    assert (told.kind, told.severity) == ("halt", Severity.CRITICAL)
    assert told.sentence == "Account paper-1, by Siti. news"


@pytest.mark.parametrize(
    ("event", "kind", "severity", "part"),
    [
        (
            OrderDenied(
                ts_ns=1, decision_id="d", tenant_id="main", account_id="a", symbol="EURUSD",
                rule_id="positions_max", current_value=5, threshold=4,
            ),
            "denied", Severity.INFO, "positions_max: 5, allowed 4.",
        ),
        (
            RiskLimitNeared(
                ts_ns=1, rule_id="daily_loss", account_id="a", tenant_id="main",
                current_value=0.024, threshold=0.03, share=0.8,
            ),
            "limit_neared", Severity.WARNING, "0.024 of 0.03 (80 % of the limit)",
        ),
        (
            KillFinished(
                ts_ns=1, account_id="a", tenant_id="main", scope="account", target="", actor="x",
                reason="", orders_cancelled=1, positions_closed=2, failed=("9",), unknown=(),
                is_flat=False,
            ),
            "kill", Severity.CRITICAL, "Still open: 9.",
        ),
        (
            JobEnded(
                ts_ns=1, job_id="j", kind="train", state="failed", seconds=125, code="c",
                message="No ticks.", by="user:u-1",
            ),
            "job", Severity.WARNING, "It failed after 2 min. No ticks.",
        ),
    ],
    ids=["denied", "neared", "kill", "job"],
)  # fmt: skip
def test_sentences_hold_the_figures(event: Event, kind: str, severity: Severity, part: str) -> None:
    """Rule, value and limit; what would not go; why work failed."""
    told = said(event)
    assert (told.kind, told.severity) == (kind, severity)
    assert part in told.sentence


class FakeAppender:
    """Only what listeners need of an appender."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []

    def on_stored(self, listener: Any) -> None:
        """Keep it."""
        self.listeners.append(listener)


async def stored(event: Event) -> StoredEvent:
    """An event as the store announces it."""
    store = InMemoryEventStore(IdentityStage().clock)
    new = NewEvent(stream_id="x:1", event=event, event_id=SeededIds("e").next_id("event"))
    return (await store.append(TenantId("main"), [new]))[0]


def health(status: str) -> ServiceHealthChanged:
    """A part changes its state."""
    return ServiceHealthChanged(
        ts_ns=NOON_NS, service_name="archive", status=status, detail="", metrics={}
    )


async def test_bus_and_log_of_a_tenant_become_notifications() -> None:
    """Trading comes from the bus, people and work from the log; parts once they were unwell."""
    told: list[Notification] = []
    sources, bus, appender = Sources(told.append, lambda _, actor: actor), Bus(), FakeAppender()
    sources.listen("main", "USD", bus, appender)  # type: ignore[arg-type]
    bus.seal()
    for event in (CLOSED, health("starting"), health("ok"), health("down"), health("ok")):
        bus.publish(event)
    [listener] = appender.listeners
    signed_in = UserAuthenticated(ts_ns=1, user_id="u-1", session_id="s", ip_address="")
    listener(await stored(signed_in))
    listener(await stored(CLOSED))
    assert told == []
    running = asyncio.create_task(sources.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [(each.kind, each.user_id) for each in told] == [
        ("close", ""),
        ("health", ""),
        ("health", ""),
        ("sign_in", "u-1"),
    ]
    assert [each.title for each in told[1:3]] == ["archive is down", "archive is well"]


def test_every_announced_event_can_be_told_whatever_its_texts_hold() -> None:
    """A sentence is made of any values: one that fails would cost the person the message."""
    rng = np.random.default_rng(5)
    for event_type in ANNOUNCED:
        values = {
            field.name: _value(field.type, rng) for field in msgspec.structs.fields(event_type)
        }
        made = event_type(**values)
        told = notification_of(made, Context("main", "USD", lambda actor: actor))
        assert told is None or (told.kind in KINDS and told.title)


def _value(kind: Any, rng: np.random.Generator) -> Any:
    if kind is str:
        return ["", "<b>", "12.5", "not a number", "{}"][int(rng.integers(5))]
    if kind is bool:
        return bool(rng.integers(2))
    if kind is int:
        return int(rng.integers(1_000))
    if kind is float:
        return [0.0, -1.5, float("nan"), float("inf")][int(rng.integers(4))]
    return {} if "dict" in str(kind) else ()
