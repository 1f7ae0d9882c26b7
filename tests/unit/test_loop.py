"""The loop: a selector loop everywhere, and its lag measured in virtual time."""

import asyncio

from virtual_time import VirtualTimeLoop, run_virtual

from plan2.foundation.health import Status
from plan2.foundation.loop import BEAT_S, LAG_DEGRADED_MS, LoopLag, run_async


def test_programs_run_on_a_selector_loop() -> None:
    """The asynchronous side of psycopg works on no other kind."""

    async def main() -> bool:
        return isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)

    assert run_async(main())


def measured(blocked_s: float) -> tuple[LoopLag, int]:
    """The monitor after twenty beats, the last one blocked past its time; how often it beat."""
    beats: list[None] = []
    lag = LoopLag(lambda: beats.append(None))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        task = asyncio.create_task(lag.run())
        await asyncio.sleep(19.5 * BEAT_S)
        loop.now_s += 0.5 * BEAT_S + blocked_s  # as a call that does not return would do
        await asyncio.sleep(0.5 * BEAT_S)
        task.cancel()

    run_virtual(main())
    return lag, len(beats)


def test_a_loop_in_time_has_no_lag() -> None:
    """Every beat is punctual and calls back."""
    lag, beats = measured(0.0)

    assert beats == 20
    assert lag.p99_ms() < 0.001
    assert lag.check().status is Status.OK


def test_a_blocked_loop_shows_its_lag_and_degrades() -> None:
    """One beat of twenty was 80 ms late: that is the 99th percentile."""
    lag, beats = measured(0.080)

    assert beats == 20
    assert 79.9 <= lag.p99_ms() <= 80.1
    assert lag.p99_ms() > LAG_DEGRADED_MS
    assert lag.check().status is Status.DEGRADED
    assert "80 ms" in lag.check().detail


def test_before_the_first_beat_there_is_no_lag() -> None:
    """Nothing measured is zero, not an error."""
    assert LoopLag(lambda: None).p99_ms() == 0.0
