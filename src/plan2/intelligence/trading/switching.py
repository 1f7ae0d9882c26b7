"""Throwing an account's switches: durable before it returns, with who and why.

Anybody and anything may make trading stricter. Only a named person takes a halt back, and only by
naming the mode of an account that holds somebody's money; accounts without it arm themselves once.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import fact
from plan2.intelligence.risk.guard import AccountGuard
from plan2.intelligence.risk.state import TradingState, rank_of
from plan2.intelligence.risk.switch import ACCOUNT, Scope, Switch, Where
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.summary import account_stream

PERSON: Final = "user:"
"""How the name of an actor begins who is a person."""
RISK: Final = "risk"
"""The actor of what the limits do by themselves."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to throw a switch.

    `actor` is `user:…` for a person, else what part of Plan2 wants it; `mode` is the account's mode
    as a person who arms it names it. Market time.
    """

    state: TradingState
    ts_ns: int
    actor: str
    reason: str
    where: Where = ACCOUNT
    mode: str = ""


class Switching:
    """Throws the switches of one account; `apply` folds an event into all of its books."""

    def __init__(
        self,
        names: tuple[str, str],
        guard: AccountGuard,
        chronicle: Chronicle,
        apply: Callable[[Event], None],
    ) -> None:
        self._account_id, self._tenant_id = names
        self._guard = guard
        self._chronicle = chronicle
        self._apply = apply

    def throw(self, change: Change, following: Sequence[Event] = ()) -> None:
        """Throw a switch, and write down what follows from it in the same durable record.

        Nothing happens to a switch that stands there already.

        Raises:
            InputError: the actor may not do this; the message says what is missing.
            JournalLost: it cannot be written down; a stricter state holds in memory all the same.
        """
        self._check(change)
        switches = self._guard.switches
        old = switches.at(change.where)
        names_mode = bool(change.mode) and change.mode != switches.armed_mode
        events = list(following)
        if change.state is not old or names_mode:
            events.insert(0, self._changed(old, change))
        held = events[:1] if rank_of(change.state) > rank_of(old) else []
        for event in held:
            self._apply(event)
        self._write(events)
        for event in events[len(held) :]:
            self._apply(event)

    def force_halt(self, ts_ns: int, reason: str) -> None:
        """Halt in memory alone: for when nothing can be written down any more."""
        self._guard.switches.force(
            Switch(
                where=ACCOUNT, state=TradingState.HALTED, actor="system", reason=reason, ts_ns=ts_ns
            )
        )

    def stop_spent_flows(self, ts_ns: int) -> None:
        """Stop every flow that used up its automatic entries; only a person resumes it."""
        for flow_id in sorted(self._guard.spent_flows):
            self.throw(
                Change(
                    state=TradingState.HALTED,
                    ts_ns=ts_ns,
                    actor=RISK,
                    reason="all automatic entries of the window are used up (risk.executions_max)",
                    where=Where(Scope.FLOW, flow_id),
                )
            )
        self._guard.spent_flows.clear()

    def _check(self, change: Change) -> None:
        guard, where = self._guard, change.where
        was_halted = guard.switches.at(where) is TradingState.HALTED
        is_first = guard.is_self_arming and where == ACCOUNT and guard.switches.is_new
        is_resumed = was_halted and change.state is not TradingState.HALTED
        if is_resumed and not change.actor.startswith(PERSON) and not is_first:
            raise InputError(
                f"{self._account_id}: {change.actor} cannot take back a halt of {where.words}.",
                remedy="A person has to resume it.",
            )
        is_armed = change.state is TradingState.ARMED and where == ACCOUNT
        mode = guard.mode.word
        if is_armed and not guard.is_self_arming and change.mode != mode:
            named = f"{change.mode!r} was named" if change.mode else "no mode was named"
            raise InputError(
                f"Account {self._account_id} is a {mode} account, and {named}.",
                remedy="Resume it with its own mode: `plan2 resume --account "
                f"{self._account_id} --mode {mode} --reason …`.",
            )

    def _changed(self, old: TradingState, change: Change) -> TradingStateChanged:
        return TradingStateChanged(
            ts_ns=change.ts_ns,
            account_id=self._account_id,
            tenant_id=self._tenant_id,
            old_state=old.word,
            new_state=change.state.word,
            actor=change.actor,
            reason=change.reason,
            scope=change.where.scope.value,
            target=change.where.target,
            mode=change.mode,
        )

    def _write(self, events: list[Event]) -> None:
        """The same change at the same time for the same reason is the same fact."""
        stream = account_stream(self._account_id)
        if events:
            self._chronicle.record_durable([fact(stream, event, repr(event)) for event in events])
