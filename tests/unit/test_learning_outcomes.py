"""Live outcomes: the same labels as training, bounded memory, restarts, losses that are told."""

import numpy as np
import pytest
from learning_fixtures import forecast, notes_of
from model_fixtures import EURUSD, random_walk, request

from plan2.foundation.values import NS_PER_HOUR, TickBlock
from plan2.intelligence.learning.live_labels import HeldTape, LiveLabeller
from plan2.intelligence.learning.outcomes import SymbolOutcomes
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.labels import LABEL, Status, Tape, costs_of, open_events

ASKED = request()
PLAN, RULES = ASKED.plan(), ASKED.rules()
NOBODY = tuple


@pytest.fixture(scope="module")
def block():
    """A day and a half with a hole of five hours in the middle."""
    ticks = random_walk(1, 1.5)
    ts_ns = ticks.ts_ns.copy()
    ts_ns[len(ts_ns) // 2 :] += 5 * NS_PER_HOUR
    return TickBlock(ticks.symbol, ts_ns, ticks.bid, ticks.ask)


@pytest.fixture(scope="module")
def trained(block):
    """Labels of training."""
    return assemble([block], EURUSD, PLAN, RULES).labels


@pytest.fixture(scope="module")
def notes(block):
    """The same market as it is told live."""
    return notes_of(block, PLAN)


def test_live_labels_are_byte_equal_to_those_of_training(block, trained, notes):
    """Same tape: the same events with the same bytes, interrupted ones too."""
    labeller = LiveLabeller(RULES, costs_of(EURUSD, float(block.bid[0])))
    events = {int(row["t0"]): row for row in trained}
    found = []
    for note in notes:
        row = events.get(note.closing.ts_ns)
        opened = np.zeros(0, LABEL)
        if row is not None:
            tick = note.closing
            tape = Tape(np.array([tick.ts_ns]), np.array([tick.bid]), np.array([tick.ask]))
            opened = open_events(tape, np.array([note.moment.sigma]), RULES)
        found.append(labeller.take(note.tape, opened))
    live = np.sort(np.concatenate(found), order="t0")
    expected = trained[np.isin(trained["t0"], live["t0"])]

    assert len(live) >= len(trained) - len(labeller.pending) > 50
    assert {Status.RESOLVED, Status.INTERRUPTED} <= set(live["status"].tolist())
    assert live.tobytes() == expected.tobytes()


def test_the_same_events_are_sampled_live(trained, notes):
    """CUSUM over live bars marks what training marks, and each gets one outcome."""
    watch = SymbolOutcomes(EURUSD, RULES)
    sampled, outcomes = [], []
    for note in notes:
        one, some = watch.take(note, NOBODY)
        sampled += [] if one is None else [one]
        outcomes += some

    assert [each.ts_ns for each in sampled] == trained["t0"][: len(sampled)].tolist()
    assert len(sampled) >= len(trained) - 1
    assert len(outcomes) + watch.waiting == len(sampled)
    assert watch.unmatched == 0
    by_t0 = {int(row["t0"]): row for row in trained}
    for each in outcomes:
        label = by_t0[each.sampled_ts_ns]
        if label["status"] == Status.RESOLVED:
            assert each.net_r_long == label["net"][0] / label["barrier"]
            assert (each.side, each.ts_ns) == (label["side"], label["t1"])


def test_independent_events_lie_one_horizon_apart(notes):
    """At most one event per horizon feeds tests and detectors."""
    watch = SymbolOutcomes(EURUSD, RULES)
    found = [each for note in notes for each in watch.take(note, NOBODY)[1]]
    times = sorted(each.sampled_ts_ns for each in found if each.is_independent)

    assert len(times) > 3
    assert min(np.diff(times)) >= RULES.horizon_s * 1e9


def test_memory_is_bounded_by_the_horizon(notes):
    """Only ticks of waiting events are held, however long it runs."""
    labeller, most = SymbolOutcomes(EURUSD, RULES), 0
    for note in notes:
        labeller.take(note, NOBODY)
        most = max(most, labeller.ticks_held)

    assert most < 1.5 * RULES.horizon_s / 4 + 100


def test_a_restart_goes_on_waiting_for_what_was_stored(block, notes):
    """The events of the first run get the outcomes that they would have got."""
    half = len(notes) // 4
    whole, first, second = (SymbolOutcomes(EURUSD, RULES) for _ in range(3))
    ask = lambda: (forecast("a", "champion", 0.6),)  # noqa: E731
    expected = {o.sample_id: o for note in notes for o in whole.take(note, ask)[1]}
    waiting = {}
    for note in notes[:half]:
        sampled, outcomes = first.take(note, ask)
        if sampled is not None:
            waiting[sampled.sample_id] = sampled
        for each in outcomes:
            waiting.pop(each.sample_id, None)
    oldest = min(each.ts_ns for each in waiting.values())
    since = block.ts_ns >= oldest
    until = block.ts_ns <= notes[half + 30].closing.ts_ns
    tape = Tape(*(c[since & until] for c in (block.ts_ns, block.bid, block.ask)))
    found = second.rebuild(list(waiting.values()), tape)
    for note in notes[half + 31 :]:
        found += second.take(note, NOBODY)[1]
    rebuilt = {each.sample_id: each for each in found if each.sample_id in waiting}

    assert len(rebuilt) == len(waiting) > 0
    assert all(rebuilt[name] == expected[name] for name in rebuilt)


def test_what_cannot_be_rebuilt_is_lost_and_says_so(notes):
    """Ticks that begin too late, or none at all."""
    watch = SymbolOutcomes(EURUSD, RULES)
    sampled = next(s for note in notes if (s := watch.take(note, NOBODY)[0]) is not None)
    again = SymbolOutcomes(EURUSD, RULES)
    lost = again.rebuild([sampled], Tape(np.empty(0, np.int64), np.empty(0), np.empty(0)))

    assert [(o.status, o.reason) for o in lost] == [("lost", "its ticks could not be had again")]
    assert (again.unmatched, again.waiting) == (1, 0)
    assert [o.status for o in watch.lose_all("learning fell behind")] == ["lost"] * len(
        {sampled.sample_id}
    )


def test_a_flood_of_ticks_gives_up_the_oldest_events():
    """More ticks than may be held: what waits longest comes back still pending."""
    labeller = LiveLabeller(RULES, costs_of(EURUSD, 1.1), ticks_max=100)
    ts_ns = np.arange(200, dtype=np.int64) * 1_000_000
    tape = Tape(ts_ns, np.full(200, 1.1), np.full(200, 1.10001))
    first = Tape(*(column[:1] for column in tape))
    event = open_events(first, np.array([0.01]), RULES)
    given_up = labeller.take(tape, event)

    assert given_up["status"].tolist() == [Status.PENDING]
    assert labeller.ticks_held <= 1


def test_a_held_tape_is_a_plain_list_of_ticks():
    """Appending, forgetting and growing against a list."""
    rng, held, plain, now = np.random.default_rng(3), HeldTape(), [], 0
    for _ in range(60):
        count = int(rng.integers(0, 400))
        ts_ns = now + 1 + np.arange(count, dtype=np.int64)
        now += count
        held.extend(Tape(ts_ns, ts_ns * 0.5, ts_ns * 0.25))
        plain += ts_ns.tolist()
        if rng.random() < 0.3:
            edge = now - int(rng.integers(0, 2_000))
            held.forget_before(edge)
            plain = [each for each in plain if each >= edge]
    view = held.view()

    assert view.ts_ns.tolist() == plain
    assert view.bid.tolist() == [each * 0.5 for each in plain]
