"""Logs of the stream in memory: packed, whole in both subprotocols, not larger for being read."""

import tracemalloc

import msgspec

from plan2.interface.streaming.log_channel import LogChannel
from plan2.interface.streaming.protocol import Kind, codecs

MSGPACK, JSON = codecs().values()
GATES = 18


def fact(number: int) -> dict[str, object]:
    """A decision as large as real ones are."""
    gates = [{"name": f"gate {k}", "passed": True, "value": number + k / 7} for k in range(GATES)]
    return {"decision_id": f"{number:032x}", "sentence": f"No trade: {number} < 1", "gates": gates}


def log_of(facts: list[dict[str, object]]) -> LogChannel:
    """A log with these."""
    log = LogChannel(3, "decisions")
    for number, one in enumerate(facts, 1):
        log.append(1_000 + number, one)
    return log


def test_a_fact_is_the_same_in_both_subprotocols_however_late_it_is_read() -> None:
    """Newest first, oldest last, and again: frames that no longer lie ready are made anew."""
    facts = [fact(number) for number in range(1, 301)]
    log = log_of(facts)
    for seq in (300, 1, 150, 300, 1):
        whole = [Kind.EVENT, 3, seq, 1_000 + seq, facts[seq - 1]]
        assert msgspec.msgpack.decode(log.frame(MSGPACK, seq)) == whole
        assert msgspec.json.decode(log.frame(JSON, seq)) == whole


def test_a_hundred_tenants_full_logs_fit_into_memory() -> None:
    """Each fact takes its packed bytes and not much beside, read by everybody or by nobody."""
    facts = [fact(number) for number in range(1, 2_001)]
    packed = sum(len(msgspec.msgpack.encode(one)) for one in facts)
    tracemalloc.start()
    log = log_of(facts)
    for seq in range(1, 2_001):
        log.frame(MSGPACK, seq)
        log.frame(JSON, seq)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1.6 * packed
