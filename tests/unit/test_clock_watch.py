"""The clock's divergence: recorded words of time services, SNTP, states, jumps."""

import asyncio
import struct
from collections.abc import Sequence

import pytest

from plan2.foundation.clock import Clock
from plan2.foundation.clock_watch import ClockState, ClockWatch, state_of
from plan2.foundation.events.order import OrderSent
from plan2.foundation.events.tenancy import ClockMeasured
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import Status
from plan2.foundation.ids import derived_id
from plan2.foundation.time_sources import (
    NTP_TO_UNIX_S,
    Reading,
    offset_of,
    parse_chronyc,
    parse_ntpq,
    parse_timedatectl,
    parse_w32tm,
    run_tool,
    sntp,
)
from plan2.foundation.values import NS_PER_DAY, NS_PER_MS, NS_PER_SECOND, TenantId

NOON_NS = 1_709_640_000 * NS_PER_SECOND

CHRONYC = (
    "C0000201,192.0.2.1,2,1709640000.123456789,0.000120500,-0.000004,0.000021,"
    "-7.123,0.001,0.045,0.012345678,0.000456,64.2,Normal\n"
)
CHRONYC_LOST = "7F7F0101,,0,0.0,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n"
NTPQ = (
    "associd=0 status=0615 leap_none, sync_ntp, 1 event, clock_sync,\n"
    'version="ntpd 4.2.8p15", processor="x86_64", system="Linux", leap=00, stratum=2,\n'
    "precision=-24, rootdelay=1.2, rootdisp=3.4, refid=192.0.2.7,\n"
    "offset=-0.734512, frequency=-12.3, sys_jitter=0.1, clk_jitter=0.2\n"
)
TIMEDATECTL = """       Server: 192.0.2.9 (time.example)
Poll interval: 32s (min: 32s; max 34min 8s)
         Leap: normal
      Version: 4
      Stratum: 2
    Reference: C0000201
       Offset: +1.245ms
        Delay: 22.5ms
"""
W32TM = """Leap Indicator: 0(no warning)
Stratum: 4 (secondary reference - syncd by (S)NTP)
Source: time.example,0x8
Phase Offset: -0.0004321s
ClockRate: 0.0156250s
"""


@pytest.mark.parametrize(
    ("parse", "text", "offset_us", "source"),
    [
        (parse_chronyc, CHRONYC, -120.5, "chrony 192.0.2.1"),
        (parse_ntpq, NTPQ, 734.512, "ntpd 192.0.2.7"),
        (parse_timedatectl, TIMEDATECTL, -1245.0, "timesyncd 192.0.2.9"),
        (parse_w32tm, W32TM, 432.1, "w32time time.example,0x8"),
    ],
)
def test_words_of_time_services(parse: object, text: str, offset_us: float, source: str) -> None:
    """The figure in microseconds, with the sign of our lead, and who said it."""
    found = parse(text)  # type: ignore[operator]  # one of the four parsers
    assert found is not None
    assert (round(found.offset_us, 6), found.source) == (offset_us, source)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_chronyc, CHRONYC_LOST),
        (parse_chronyc, "506 Cannot talk to daemon\n"),
        (parse_ntpq, NTPQ.replace("leap_none", "leap_alarm")),
        (parse_ntpq, "read: Connection refused\n"),
        (parse_timedatectl, "       Server: n/a\n"),
        (parse_w32tm, W32TM.replace("time.example,0x8", "Local CMOS Clock")),
        (parse_w32tm, "The service has not been started.\n"),
    ],
)
def test_unsynchronised_services_say_nothing(parse: object, text: str) -> None:
    """None, not zero."""
    assert parse(text) is None  # type: ignore[operator]  # one of the four parsers


async def test_a_tool_that_is_not_there_says_nothing() -> None:
    """No exception, no text."""
    assert await run_tool(["plan2-has-no-such-tool"]) == ""
    assert await run_tool(["false"]) == ""


class HandClock:
    """A wall clock that may go back."""

    def __init__(self) -> None:
        self.ns = NOON_NS

    def now_ns(self) -> int:
        """The time set by hand."""
        return self.ns


def ntp(ts_ns: int) -> bytes:
    """RFC 5905 §6: seconds since 1900 and a binary fraction."""
    whole, rest = divmod(ts_ns, NS_PER_SECOND)
    return struct.pack(">II", whole + NTP_TO_UNIX_S, round(rest * 2**32 / NS_PER_SECOND))


def answer(stamp: bytes, lag_ns: int, *, mode: int = 4, stratum: int = 2, leap: int = 0) -> bytes:
    """A server's packet: it got ours 10 ms after we sent it, by a clock `lag_ns` ahead of ours."""
    there = NOON_NS + 10 * NS_PER_MS + lag_ns
    head = bytes([leap << 6 | 4 << 3 | mode, stratum]) + bytes(22)
    return head + stamp + ntp(there) + ntp(there + NS_PER_MS)


def test_sntp_arithmetic_by_hand() -> None:
    """Server 3 ms ahead, 10 ms there, 10 ms back: our lead is -3 ms."""
    stamp = ntp(NOON_NS)
    arrived = NOON_NS + 21 * NS_PER_MS
    found = offset_of(answer(stamp, 3 * NS_PER_MS), stamp, NOON_NS, arrived, "s")
    assert found is not None
    assert (round(found.offset_us), found.source) == (-3_000, "sntp s")
    for wrong in (
        answer(bytes(8), 0),
        answer(stamp, 0, mode=3),
        answer(stamp, 0, stratum=0),
        answer(stamp, 0, stratum=16),
        answer(stamp, 0, leap=3),
        answer(stamp, 0)[:47],
    ):
        assert offset_of(wrong, stamp, NOON_NS, arrived, "s") is None


class TimeServer(asyncio.DatagramProtocol):
    """An SNTP server on this machine whose clock is 5 ms ahead."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Answer at once."""
        now = NOON_NS + 5 * NS_PER_MS
        packet = bytes([0x24, 1]) + bytes(22) + data[40:48] + ntp(now) + ntp(now)
        self.transport.sendto(packet, addr)  # type: ignore[attr-defined]  # a datagram transport


async def test_sntp_over_a_socket() -> None:
    """One question, one answer; nobody there is None."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(TimeServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    found = await sntp("127.0.0.1", HandClock(), port=port)
    transport.close()
    assert found is not None
    assert round(found.offset_us) == -5_000
    assert await sntp("127.0.0.1", HandClock(), port=port) is None


class Bench:
    """A watch with everything around it set by hand."""

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self.wall = HandClock()
        self.steady_ns = 0
        self.offset_us: float | None = 10.0
        self.told: list[ClockMeasured] = []
        self.asked: list[str] = []
        self.watch = ClockWatch(
            self.wall, lambda: self.steady_ns, self.told.append, self.run, self.ask, servers=servers
        )

    async def run(self, command: Sequence[str]) -> str:
        """Only chrony is installed."""
        if command[0] != "chronyc" or self.offset_us is None:
            return ""
        return CHRONYC.replace("0.000120500", f"{-self.offset_us / 1e6:.9f}")

    async def ask(self, server: str, clock: Clock) -> Reading | None:
        """Nobody answers."""
        self.asked.append(server)
        return None

    async def after(self, seconds: float, jump_s: float = 0.0) -> ClockState:
        """Time passes, the wall clock jumps, and it is measured."""
        self.steady_ns += int(seconds * NS_PER_SECOND)
        self.wall.ns += int((seconds + jump_s) * NS_PER_SECOND)
        return (await self.watch.measure()).state


async def test_half_the_limit_warns_and_all_of_it_is_not_compliant() -> None:
    """500 µs and 1,000 µs are still allowed; each change of state is told once, then daily."""
    bench = Bench()
    assert bench.watch.check().status is Status.DEGRADED  # nothing was measured yet
    states = []
    for offset in (10.0, 500.0, -501.0, 1000.0, 1000.5, -1000.5, None, 20.0):
        bench.offset_us = offset
        states.append((str(await bench.after(30)), bench.watch.current().is_compliant))
    assert states == [
        ("synchronised", True), ("synchronised", True), ("drifting", True), ("drifting", True),
        ("off", False), ("off", False), ("unknown", False), ("synchronised", True),
    ]  # fmt: skip
    assert [event.state for event in bench.told] == [
        "synchronised", "drifting", "off", "unknown", "synchronised",
    ]  # fmt: skip
    assert bench.watch.check().status is Status.OK
    await bench.after(NS_PER_DAY / NS_PER_SECOND)
    assert len(bench.told) == 6
    assert bench.told[-1].offset_us == pytest.approx(20.0)


@pytest.mark.parametrize("jump_s", [2.0, -2.0])
async def test_a_jump_is_seen_without_any_reference(jump_s: float) -> None:
    """Monotonic time shows it; it stays off until something compares the clock again."""
    bench = Bench()
    bench.offset_us = None
    assert await bench.after(30) is ClockState.UNKNOWN
    assert await bench.after(30, jump_s) is ClockState.OFF
    assert bench.watch.report.offset_us == pytest.approx(jump_s * 1e6)
    assert not bench.watch.report.is_compliant
    assert await bench.after(30) is ClockState.OFF
    bench.offset_us = 5.0
    assert await bench.after(30) is ClockState.SYNCHRONISED


@pytest.mark.parametrize("jump_s", [2, -2])
async def test_a_jump_does_not_reorder_events(jump_s: int) -> None:
    """Recorded times grow with the position, whatever the clock does in between."""
    clock = HandClock()
    store = InMemoryEventStore(clock)
    for number in range(4):
        event = OrderSent(ts_ns=number, order_id=str(number), account_id="a", symbol="EURUSD")
        new = NewEvent(stream_id="s", event=event, event_id=derived_id("jump", number))
        await store.append(TenantId("t"), [new])
        clock.ns += jump_s * NS_PER_SECOND if number == 1 else NS_PER_MS
    stored = await store.read_all(TenantId("t"))
    assert [event.data["order_id"] for event in stored] == ["0", "1", "2", "3"]
    times = [event.at_us for event in stored]
    assert times == sorted(set(times))


async def test_an_old_measurement_claims_nothing() -> None:
    """After two minutes without a measurement the state is unknown."""
    bench = Bench()
    await bench.after(30)
    assert bench.watch.current().is_compliant
    bench.wall.ns += 121 * NS_PER_SECOND
    assert bench.watch.current().state is ClockState.UNKNOWN
    assert bench.watch.check().status is Status.DEGRADED


async def test_servers_are_asked_only_when_they_are_named() -> None:
    """By default nothing leaves the machine."""
    quiet, named = Bench(), Bench(servers=["time.example"])
    await quiet.after(30)
    await named.after(30)
    assert (quiet.asked, named.asked) == ([], ["time.example"])
    assert named.watch.report.source.startswith("chrony")


def test_the_limits_are_those_of_the_regulation() -> None:
    """1 ms for members that do not trade at high frequency; half of it warns."""
    assert [state_of(value) for value in (499.9, 500.1, 1000.1)] == [
        ClockState.SYNCHRONISED, ClockState.DRIFTING, ClockState.OFF,
    ]  # fmt: skip
