"""Memory that all tenants share: bounded, and nobody is forgotten for the sake of who has more."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.gateway.kept_answers import (
    KEPT_FOR_NS,
    KEPT_MAX_BYTES,
    WHOLE_MAX_BYTES,
    Answer,
    Claim,
    RecentAnswers,
)
from plan2.connectivity.gateway.tickets import TICKETS_MAX, Tickets
from plan2.foundation.fair_memory import FairMemory
from plan2.foundation.values import NS_PER_MINUTE
from unit.gateway_layers import at, session, user

ROOM = 40
STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 12)), max_size=120
)


def used(model: dict[tuple[str, int], int], owner: str) -> int:
    """What an owner's items take."""
    return sum(cost for (who, _), cost in model.items() if who == owner)


@given(STEPS)
def test_it_is_bounded_and_only_who_has_most_gives_way(steps: list[tuple[str, int, int]]) -> None:
    """Within the room after each step; who lost had no less than others have, and lost the oldest.

    Nothing is forgotten as long as there is room.
    """
    memory: FairMemory[tuple[str, int], int] = FairMemory(ROOM)
    model: dict[tuple[str, int], int] = {}
    for owner, name, cost in steps:
        model.pop((owner, name), None)
        before = dict(model)
        memory.put(owner, (owner, name), cost, cost)
        lost = [key for key in model if memory.find(key) is None]
        model = {key: kept for key, kept in model.items() if key not in lost}
        assert bool(lost) == (sum(before.values()) + cost > ROOM)
        for loser in {who for who, _ in lost}:
            assert all(used(before, loser) >= used(model, other) for other in "abc")
            mine = [key for key in before if key[0] == loser]
            gone = [key for key in lost if key[0] == loser]
            assert gone == mine[: len(gone)]
        model[owner, name] = cost
        assert {each: memory.find(each) for each in model} == model
        assert (len(memory), memory.taken) == (len(model), sum(model.values()))
        assert memory.taken <= ROOM


def test_what_is_larger_than_the_room_is_not_kept_and_drives_nobody_out() -> None:
    """It is as if it had never come; what it replaced is gone."""
    memory: FairMemory[str, str] = FairMemory(10)
    memory.put("a", "small", "kept", 4)
    memory.put("b", "large", "gone", 11)
    assert (memory.find("small"), memory.find("large"), memory.taken) == ("kept", None, 4)
    memory.put("a", "small", "grown", 11)
    assert (memory.find("small"), len(memory), memory.taken) == (None, 0, 0)


def test_nothing_is_left_of_owners_who_have_nothing() -> None:
    """A hundred thousand owners, one after another, leave no trace."""
    memory: FairMemory[int, int] = FairMemory(100)
    for number in range(100_000):
        memory.put(f"owner-{number}", number, number)
    assert len(memory) == len(memory._of) == len(memory._taken_by) == 100
    memory.forget(lambda _: True)
    assert (len(memory), memory.taken, memory._of, memory._taken_by) == (0, 0, {}, {})


def claim(tenant: str, number: int) -> Claim:
    """A key of a person."""
    return Claim(tenant_id=tenant, user_id="u", key_hash=number.to_bytes(32), fingerprint=b"same")


def test_a_flood_of_answers_stays_within_its_bytes_and_forgets_no_other_tenants() -> None:
    """Ten times the room, in the longest answers there are; the guest's one answer stays."""
    answers = RecentAnswers(at([0]))
    longest = Answer(status=200, headers=(), body=b"x" * WHOLE_MAX_BYTES)
    guest = claim("guest", 0)
    answers.keep(guest, Answer(status=201, headers=(), body=b"{}"))
    for number in range(10 * KEPT_MAX_BYTES // WHOLE_MAX_BYTES):
        answers.keep(claim("loud", number), longest)
        assert answers._kept.taken <= KEPT_MAX_BYTES
    assert answers.find(guest) is not None
    assert answers.find(claim("loud", number)) is not None
    assert answers.find(claim("loud", 0)) is None


def test_answers_leave_the_memory_soon_after_their_day() -> None:
    """They may hold secrets: an hour of other requests later nothing of them is there."""
    time_ns = [0]
    answers = RecentAnswers(at(time_ns))
    secret = Answer(status=201, headers=(), body=b"p2_live_secret")
    for number in range(50):
        answers.keep(claim(f"t{number}", 0), secret)
    time_ns[0] = KEPT_FOR_NS + NS_PER_MINUTE
    answers.keep(claim("other", 1), Answer(status=200, headers=(), body=b"{}"))
    assert len(answers._kept) == 1


def test_a_flood_of_tickets_ends_no_other_tenants() -> None:
    """Twice as many as there may be: those of the loud make room, the guest's opens."""
    tickets = Tickets(at([0]))
    shown = tickets.issue(session(user(tenant="guest")))
    loud = [tickets.issue(session(user(tenant="loud"))) for _ in range(2 * TICKETS_MAX)]
    assert len(tickets._issued) == TICKETS_MAX
    assert all(earlier != later for earlier, later in pairwise(loud))
    assert tickets.redeem(shown) is not None
    assert tickets.redeem(loud[0]) is None
    assert tickets.redeem(loud[-1]) is not None
