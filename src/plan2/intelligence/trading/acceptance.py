"""A person accepts the broker's view: what the broker does not have is closed in our books too.

A position of ours that vanished without a deal stays in the books and keeps trading halted, because
no program can know what became of it. Only a named person ends that, while trading is halted, and
who did so and why is written down together with the closing, before the books change. Its profit is
not guessed: what the broker booked for it shows as a difference of the balance.
"""

from plan2.dataflow.terminals.port import LinkState
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import PositionClosed, ReconciliationDifference
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import UNEXPLAINED, Position
from plan2.intelligence.trading.reconcile_rules import Kind
from plan2.intelligence.trading.switching import PERSON

"""Why a position is closed in our books that the broker no longer has."""


def accept_broker_view(
    account: TradingAccount, actor: str, reason: str, ts_ns: int
) -> tuple[str, ...]:
    """Close in our books the positions that the broker does not have; their names.

    Raises:
        InputError: the actor is no person, gives no reason, trading is not halted, the broker
            cannot be asked now, or nothing is missing. Nothing was changed.
        JournalLost: it could not be written down; the books are as they were.
    """
    name = account.identity.account_id
    _check_actor(name, actor, reason)
    if account.state is not TradingState.HALTED:
        raise InputError(
            f"{name}: the broker's view is accepted only while trading is halted; "
            f"it is {account.state.word}.",
            remedy="Halt the account first.",
        )
    if account.link is not LinkState.UP:
        raise InputError(
            f"{name}: the broker cannot be asked at present (link {account.link.value}).",
            remedy="Wait until the link is up and the books were compared again.",
        )
    # A late deal may have explained one meanwhile.
    ours = account.positions.open
    gone = [ours[key] for key in account.broker.missing if key in ours]
    if not gone:
        raise InputError(
            f"{name}: the broker has every position of our books; there is nothing to accept.",
            remedy="A difference counts once it has lasted; look at the books' health.",
        )
    events: list[Event] = []
    for position in gone:
        events.append(_accepted(account, position, actor, reason, ts_ns))
        events.append(dropped(account, position, ts_ns))
    account.book(events)
    account.broker.see_missing((), ts_ns)
    return tuple(position.position_id for position in gone)


def dropped(account: TradingAccount, ours: Position, ts_ns: int) -> PositionClosed:
    """A position that the broker no longer has, closed at its opening price: nothing is guessed."""
    return PositionClosed(
        ts_ns=ts_ns,
        position_id=ours.position_id,
        account_id=account.identity.account_id,
        tenant_id=account.identity.tenant_id,
        symbol=ours.symbol,
        direction=ours.side.name.lower(),
        quantity=ours.opened_quantity,
        open_price=ours.open_price,
        close_price=ours.open_price,
        profit=str(ours.profit),
        commission=str(ours.commission),
        swap=str(ours.swap),
        reason=UNEXPLAINED,
        decision_id=ours.decision_id,
    )


def _check_actor(account_id: str, actor: str, reason: str) -> None:
    if not actor.startswith(PERSON):
        raise InputError(
            f"{account_id}: {actor} cannot accept the broker's view.",
            remedy="A person has to look, and to say so.",
        )
    if not reason.strip():
        raise InputError(
            f"{account_id}: no reason was given.", remedy="Say in a line why the broker is right."
        )


def _accepted(
    account: TradingAccount, ours: Position, actor: str, reason: str, ts_ns: int
) -> ReconciliationDifference:
    held = f"{ours.side.name} {ours.quantity:g} {ours.symbol}"
    return ReconciliationDifference(
        ts_ns=ts_ns,
        account_id=account.identity.account_id,
        kind=Kind.MISSING_POSITION,
        ours=f"{ours.position_id}: {held}",
        theirs=f"{ours.position_id}: none",
        action=f"the broker's view accepted by {actor}: {reason}",
    )
