"""Whatever is wished for in whatever order: states and aliases always belong together."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.errors import InputError
from plan2.intelligence.models.lifecycle import TRANSITIONS, Alias, Candidate, State
from plan2.intelligence.models.moves import Book, Plan, plan_move, plan_rollback

SYMBOLS = ("EURUSD", "GBPUSD", "XAUUSD")
NAMES = ("a", "b", "c", "d")
WISHES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(list(State))),
        st.tuples(st.just("rollback"), st.sampled_from(SYMBOLS)),
    ),
    max_size=40,
)
SHARES = st.lists(
    st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True), min_size=4, max_size=4
)


def candidate(name: str, symbols: list[str]) -> Candidate:
    """A draft."""
    return Candidate(
        candidate_id=name,
        symbols=tuple(symbols),
        model_ids=(name,),
        schema_id="s",
        state=State.DRAFT,
        created_ns=0,
        since_ns=0,
        verdict="",
        flags=(),
        metrics={},
    )


def after(book: Book, plan: Plan) -> Book:
    """The book once a plan is carried out; every change must be one that the life cycle knows."""
    candidates, holders = dict(book.candidates), dict(book.holders)
    for change in plan.changes:
        known = candidates[change.candidate_id]
        assert known.state is change.before
        assert change.to in TRANSITIONS[change.before]
        candidates[change.candidate_id] = msgspec.structs.replace(known, state=change.to)
    return Book(candidates, {seat: name for seat, name in (holders | plan.seats).items() if name})


def check(book: Book) -> None:
    """A champion serves somewhere, a watched one everywhere, and nobody else holds these names."""
    for name, each in book.candidates.items():
        assert (each.state is State.CHAMPION) == bool(book.seats_of(name, Alias.CHAMPION))
        watched = set(book.seats_of(name, Alias.CHALLENGER))
        expected = set(each.symbols) if each.state in {State.SHADOW, State.CANARY} else set()
        assert watched == expected
        is_last_good = bool(book.seats_of(name, Alias.LAST_GOOD))
        assert not is_last_good or each.state in {State.RETIRED, State.CHAMPION}
    for symbol in SYMBOLS:
        champion = book.holders.get((symbol, Alias.CHAMPION))
        last_good = book.holders.get((symbol, Alias.LAST_GOOD))
        assert champion is None or champion != last_good


@given(shares=SHARES, wishes=WISHES)
def test_states_and_aliases_belong_together(shares, wishes):
    """After every wish that was not refused; a refused one changes nothing."""
    known = {name: candidate(name, own) for name, own in zip(NAMES, shares, strict=True)}
    book = Book(known, {})
    for who, what in wishes:
        try:
            if who == "rollback":
                plan = plan_rollback(book, what)
            else:
                plan = plan_move(book, book.candidates[who], what)
        except InputError:
            continue
        book = after(book, plan)
        check(book)
