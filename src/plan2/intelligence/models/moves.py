"""What a change of one candidate's state means for the others and for the aliases; pure.

A candidate is CHAMPION exactly while it holds that alias at some symbol, and SHADOW or CANARY
exactly while it is the challenger of all its symbols. Whoever is displaced becomes `last_good`.
"""

from collections.abc import Iterable, Mapping

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.models.lifecycle import (
    TRANSITIONS,
    Alias,
    Candidate,
    IllegalTransition,
    State,
)

Seat = tuple[str, Alias]
"""A symbol and an alias."""
Holders = Mapping[Seat, str]
"""Who holds which alias at which symbol: candidate ids."""

WATCHED = frozenset({State.SHADOW, State.CANARY})


class Change(msgspec.Struct, frozen=True):
    """One candidate goes from a state to another one."""

    candidate_id: str
    before: State
    to: State


class Plan(msgspec.Struct, frozen=True):
    """All that changes together; `seats` maps to the new holder, "" = nobody."""

    changes: tuple[Change, ...]
    seats: dict[Seat, str]


class Book(msgspec.Struct, frozen=True):
    """All candidates by id, and who holds which alias.

    `since`: when each alias changed hands last, UTC ns. `closed`: those that somebody emptied and
    the program does not fill again by itself.
    """

    candidates: Mapping[str, Candidate]
    holders: Holders
    since: Mapping[Seat, int] = {}
    closed: frozenset[Seat] = frozenset()

    def seats_of(self, candidate_id: str, alias: Alias) -> tuple[str, ...]:
        """The symbols where a candidate holds an alias."""
        return tuple(
            symbol
            for (symbol, held), holder in self.holders.items()
            if held is alias and holder == candidate_id
        )


def check_step(candidate: Candidate, to: State) -> None:
    """Refuse a step that the life cycle does not know.

    Raises:
        IllegalTransition: the state does not lead there.
    """
    leads_to = TRANSITIONS[candidate.state]
    if to not in leads_to:
        known = ", ".join(sorted(leads_to)) or "nowhere: it is the end"
        raise IllegalTransition(
            f"Candidate {candidate.candidate_id} is {candidate.state} and cannot become {to}.",
            remedy=f"From {candidate.state} it goes to: {known}.",
        )


def plan_move(
    book: Book, candidate: Candidate, to: State, symbols: Iterable[str] | None = None
) -> Plan:
    """What a move brings about; `symbols`: where a new champion serves, None = all of its own.

    Raises:
        IllegalTransition: the state does not lead there.
        InputError: another candidate is being watched at one of its symbols.
    """
    check_step(candidate, to)
    change = Change(candidate.candidate_id, candidate.state, to)
    if to is State.CHAMPION:
        return _crown(book, candidate, tuple(symbols or candidate.symbols))
    if to in WATCHED:
        return Plan((change,), _challenge(book, candidate))
    if to in {State.RETIRED, State.SUSPENDED, State.REJECTED}:
        return Plan((change,), _leave(book, candidate.candidate_id))
    return Plan((change,), {})


def plan_rollback(book: Book, symbol: str) -> Plan:
    """Give a symbol back to its last good champion; whoever serves it now loses the symbol.

    Raises:
        InputError: there is none.
    """
    last = book.holders.get((symbol, Alias.LAST_GOOD), "")
    if not last:
        raise InputError(
            f"{symbol} has no last good champion to return to.",
            remedy="`plan2 models suspend` stops the present one; then promote another candidate.",
        )
    return _crown(book, book.candidates[last], (symbol,))


def _crown(book: Book, candidate: Candidate, symbols: tuple[str, ...]) -> Plan:
    name = candidate.candidate_id
    seats: dict[Seat, str] = {}
    displaced: dict[str, set[str]] = {}
    for symbol in symbols:
        before = book.holders.get((symbol, Alias.CHAMPION), "")
        seats[symbol, Alias.CHAMPION] = name
        if book.holders.get((symbol, Alias.LAST_GOOD)) == name:
            seats[symbol, Alias.LAST_GOOD] = ""
        elif before and before != name:
            seats[symbol, Alias.LAST_GOOD] = before
        if before and before != name:
            displaced.setdefault(before, set()).add(symbol)
    for symbol in book.seats_of(name, Alias.CHALLENGER):
        seats[symbol, Alias.CHALLENGER] = ""
    changes = [
        Change(other, State.CHAMPION, State.RETIRED)
        for other, lost in displaced.items()
        if not set(book.seats_of(other, Alias.CHAMPION)) - lost
    ]
    if candidate.state is not State.CHAMPION:
        check_step(candidate, State.CHAMPION)
        changes.append(Change(name, candidate.state, State.CHAMPION))
    return Plan(tuple(changes), seats)


def _challenge(book: Book, candidate: Candidate) -> dict[Seat, str]:
    seats = {(symbol, Alias.CHALLENGER): candidate.candidate_id for symbol in candidate.symbols}
    for symbol, alias in seats:
        other = book.holders.get((symbol, alias), candidate.candidate_id)
        if other != candidate.candidate_id:
            raise InputError(
                f"Candidate {other} is being watched at {symbol}; one at a time.",
                remedy=f"Retire it first: plan2 models retire {other} --reason …",
            )
    return seats


def _leave(book: Book, candidate_id: str) -> dict[Seat, str]:
    return {seat: "" for seat, holder in book.holders.items() if holder == candidate_id}
