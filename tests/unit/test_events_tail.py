"""`plan2 events tail` prints an event a line, whatever it carries."""

import msgspec

from plan2.commands import events
from plan2.foundation.eventstore.record import StoredEvent


def stored(**payload: object) -> StoredEvent:
    """An event of the log at 2024-03-05 12:00 UTC."""
    return StoredEvent(
        position=42,
        event_id="e",
        stream_id="decision:d1",
        version=1,
        type="DecisionMade",
        schema_ver=1,
        at_us=1_709_640_000_123_456,
        actor="system",
        correlation_id="c",
        causation_id="",
        payload=msgspec.json.encode(payload),
        source_ts_ns=0,
        sealed=None,
        key_id="",
        prev_hash=b"",
        hash=b"\x01\x02",
    )


def test_a_line_says_what_matters_and_leaves_the_record_out() -> None:
    """Plain members only; a name that would steer the terminal cannot."""
    event = stored(
        ts_ns=1,
        symbol="EURUSD",
        outcome="act",
        share=0.25,
        is_final=False,
        reason="",
        note="two\nlines\x1b[2J",
        record={"heavy": [1, 2, 3]},
    )
    assert events._short(event) == (
        "      42  2024-03-05T12:00:00.123Z  DecisionMade           decision:d1  "
        "symbol=EURUSD outcome=act share=0.25 is_final=no note=two?lines?[2J"
    )


def test_a_line_ends_before_it_wraps() -> None:
    """What is cut says so; the whole event is there on request."""
    event = stored(note="x" * 500, record={"heavy": [1, 2, 3]})
    line = events._short(event)
    assert len(line) == events.WIDTH
    assert line.endswith("…")
    assert '"heavy":[1,2,3]' in events._whole(event)
    told = msgspec.json.decode(events._as_json(event))
    assert told["at"] == "2024-03-05T12:00:00.123456+00:00"
    assert told["data"]["record"] == {"heavy": [1, 2, 3]}
    assert "\n" not in events._as_json(event)
