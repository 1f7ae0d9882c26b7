"""What an earlier version left in its order journal is read as that version meant it.

The files were written by `plan2 serve` of migration 0010, before flows lived: an entry of its
journal, and the events that it stored of it itself.
"""

from pathlib import Path

import msgspec

from plan2.intelligence.trading.journal import Entry
from plan2.intelligence.trading.placing import TAKEN, facts_of

FOLDER = Path(__file__).parent / "golden_journal"


def test_a_decision_of_an_earlier_version_is_read() -> None:
    """Same order under the same id, same decision, same sentence."""
    stored = msgspec.json.decode((FOLDER / "stored.json").read_bytes())
    payload = (FOLDER / "decision_taken.msgpack").read_bytes()
    decision, order = facts_of(Entry(stored["OrderPlaced"]["order_id"], "", TAKEN, 1, "", payload))
    assert order.event_id == stored["event_id"]
    placed = msgspec.to_builtins(order.event)
    assert {name: placed[name] for name in stored["OrderPlaced"]} == stored["OrderPlaced"]
    made = msgspec.to_builtins(decision.event)
    assert made.pop("record")["sentence"] == stored["sentence"]
    assert made == stored["DecisionMade"]
