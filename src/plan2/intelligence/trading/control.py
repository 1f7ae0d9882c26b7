"""Trading's switches as people and the kill file use them: durable when a call returns.

One object for every account of the process, so that "global" means all of them.
"""

from collections.abc import Callable, Mapping

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError, JournalLost
from plan2.foundation.events.account import KillBegun
from plan2.intelligence.risk.state import TradingState, rank_of
from plan2.intelligence.risk.switch import TARGETED, Scope, Switch, Where
from plan2.intelligence.trading.acceptance import accept_broker_view
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.switching import Change
from plan2.intelligence.trading.wishes import FLOW


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """What a command is about; without an account it means every account.

    `target` names the symbol or the flow of those scopes.
    """

    scope: Scope = Scope.ACCOUNT
    target: str = ""
    account_id: str = ""

    @property
    def where(self) -> Where:
        """The switch it names on each account."""
        return Where(self.scope, self.target)


class AccountSwitches(msgspec.Struct, frozen=True, kw_only=True):
    """How one account stands: its modes, its switches, why it cannot be resumed, its kills."""

    account_id: str
    state: TradingState
    mode: str
    armed_mode: str
    needs_mode: bool
    holds: str
    switches: tuple[Switch, ...]
    kills: tuple[KillBegun, ...]


class Control:
    """Switches accounts in the name of an actor, who gives a reason.

    Args:
        accounts: every account of the process by its id.
        clock: market time.
        locked: why nothing may be resumed at present, such as a kill file; empty when it may.
    """

    def __init__(
        self,
        accounts: Mapping[str, TradingAccount],
        clock: Clock,
        locked: Callable[[], str] = lambda: "",
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._locked = locked

    async def set_state(
        self, state: str, actor: str, reason: str, selector: Selector | None = None, mode: str = ""
    ) -> None:
        """Arm, pause, let only exits through, or halt.

        Args:
            state: armed, paused, reduce_only or halted.
            actor: `user:…` or a part of Plan2.
            reason: why, in one line.
            selector: which switch of which account; the account's own of all when left out.
            mode: the mode of the account, which arming one with somebody's money has to name.

        Raises:
            InputError: an unknown state, account, symbol or flow, or the actor may not do it.
            JournalLost: it could not be written down; a stricter state holds in memory.
        """
        chosen = selector or Selector()
        wanted = _state_of(state)
        accounts = self._chosen(chosen)
        if wanted is TradingState.ARMED:
            self._check_resuming(accounts)
        else:
            accounts = _not_stricter(accounts, wanted, chosen.where)
        change = Change(
            state=wanted,
            ts_ns=self._clock.now_ns(),
            actor=actor,
            reason=reason,
            where=chosen.where,
            mode=mode,
        )
        _on_each(accounts, lambda account: account.switch(change))

    async def kill(
        self,
        actor: str,
        reason: str,
        selector: Selector | None = None,
        *,
        closes_foreign: bool = False,
    ) -> None:
        """Halt, withdraw working orders and close positions; returns once the orders are out.

        Positions and orders that no order of ours made are touched only when asked for.

        Raises:
            InputError: an unknown account, symbol or flow.
            JournalLost: nothing can be written down; trading is halted, and no order left.
        """
        chosen = selector or Selector()
        now_ns = self._clock.now_ns()
        change = Change(
            state=TradingState.HALTED,
            ts_ns=now_ns,
            actor=actor,
            reason=f"kill: {reason}",
            where=chosen.where,
        )
        _on_each(
            self._chosen(chosen),
            lambda account: account.kills.begin(change, closes_foreign=closes_foreign),
        )

    async def accept_broker_view(self, account_id: str, actor: str, reason: str) -> tuple[str, ...]:
        """Close in our books what the broker does not have; the positions, by our names.

        Raises:
            InputError: an unknown account, nothing is missing, trading is not halted, or it is not
                a person who asks. Nothing was changed.
            JournalLost: it could not be written down; the books are as they were.
        """
        (account,) = self._chosen(Selector(account_id=account_id or next(iter(self._accounts))))
        return accept_broker_view(account, actor, reason, self._clock.now_ns())

    def overview(self) -> tuple[AccountSwitches, ...]:
        """How every account stands."""
        return tuple(
            AccountSwitches(
                account_id=account_id,
                state=account.state,
                mode=account.guard.mode.word,
                armed_mode=account.guard.switches.armed_mode,
                needs_mode=not account.guard.is_self_arming,
                holds=self._locked() or account.losses.holds(),
                switches=account.guard.switches.all(),
                kills=tuple(run.begun for run in account.kills.live.values()),
            )
            for account_id, account in self._accounts.items()
        )

    def _check_resuming(self, accounts: list[TradingAccount]) -> None:
        held = (account.losses.holds() for account in accounts)
        why = self._locked() or next((reason for reason in held if reason), "")
        if why:
            raise InputError(
                f"Trading cannot be resumed: {why}.",
                remedy="Wait, or remove the cause; then resume.",
            )

    def _chosen(self, selector: Selector) -> list[TradingAccount]:
        if selector.scope in TARGETED and not selector.target:
            raise InputError(f"Which {selector.scope}? The command names none.")
        if selector.scope not in TARGETED and selector.target:
            raise InputError(f"The scope {selector.scope} has no name such as {selector.target!r}.")
        is_wide = selector.scope in {Scope.GLOBAL, Scope.TENANT}
        if not selector.account_id or is_wide:
            chosen = list(self._accounts.values())
        elif selector.account_id in self._accounts:
            chosen = [self._accounts[selector.account_id]]
        else:
            known = ", ".join(self._accounts)
            raise InputError(f"There is no account {selector.account_id!r}; there are {known}.")
        if selector.scope is Scope.SYMBOL:
            _check_symbol(selector.target, chosen)
        if selector.scope is Scope.FLOW:
            _check_flow(selector.target, chosen)
        return chosen


def _state_of(word: str) -> TradingState:
    try:
        return TradingState[word.upper()]
    except KeyError:
        words = ", ".join(item.word for item in TradingState)
        raise InputError(f"There is no trading state {word!r}; there are {words}.") from None


def _not_stricter(
    accounts: list[TradingAccount], wanted: TradingState, where: Where
) -> list[TradingAccount]:
    """The accounts that the state would not make looser: only resuming does that.

    Raises:
        InputError: there is none.
    """
    standing = [account.guard.switches.at(where) for account in accounts]
    fit = [
        account
        for account, state in zip(accounts, standing, strict=True)
        if rank_of(state) <= rank_of(wanted)
    ]
    if not fit:
        raise InputError(
            f"{where.words} is {standing[0].word} already, which is stricter than {wanted.word}.",
            remedy="Resume it first if that is what you want.",
        )
    return fit


def _check_symbol(symbol: str, accounts: list[TradingAccount]) -> None:
    known = {name for account in accounts for name in account.symbols}
    if symbol not in known:
        raise InputError(f"There is no symbol {symbol!r}; there are {', '.join(sorted(known))}.")


def _check_flow(flow_id: str, accounts: list[TradingAccount]) -> None:
    known = {FLOW} | {name for account in accounts for name in account.guard.flows}
    if flow_id not in known:
        raise InputError(f"There is no flow {flow_id!r}; there are {', '.join(sorted(known))}.")


def _on_each(accounts: list[TradingAccount], act: Callable[[TradingAccount], None]) -> None:
    """Act on every account, also when one cannot write it down; then tell of the first failure."""
    failure: JournalLost | None = None
    for account in accounts:
        try:
            act(account)
        except JournalLost as error:
            failure = failure or error
    if failure is not None:
        raise failure
