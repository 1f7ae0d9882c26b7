"""How far the machine's clock is from a reference, as the time service's own tools say it.

Offsets are microseconds, positive when our clock is ahead. `sntp` asks a server of the
configuration directly (RFC 4330); without one nothing leaves the machine.
"""

import asyncio
import re
import struct
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_SECOND

NTP_TO_UNIX_S: Final = 2_208_988_800
PACKET_BYTES: Final = 48
CLIENT_REQUEST: Final = 0x23
"""Version 4, mode 3 (client)."""
SERVER_MODE: Final = 4
STRATUM_MAX: Final = 15
NTP_PORT: Final = 123
ANSWER_S: Final = 2.0

UNIT_US: Final = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "min": 6e7}


class Reading(msgspec.Struct, frozen=True):
    """One measurement: our clock's lead over the reference in microseconds, and its source."""

    offset_us: float
    source: str


Parser = Callable[[str], Reading | None]
"""Reads what a tool printed; None when it says that nothing is synchronised."""


def parse_chronyc(text: str) -> Reading | None:
    """`chronyc -c tracking`: one CSV line; field 5 is how slow our clock is, seconds.

    The last field is the leap state. The sign tells the direction only; what is allowed is a size.
    """
    fields = text.strip().split(",")
    if len(fields) < 14 or fields[13] == "Not synchronised" or fields[2] == "0":
        return None
    try:
        return Reading(-float(fields[4]) * 1e6, f"chrony {fields[1] or fields[0]}")
    except ValueError:
        return None


def parse_ntpq(text: str) -> Reading | None:
    """`ntpq -c rv`: name=value pairs; `offset` is the server's lead over us in milliseconds."""
    values = dict(re.findall(r"(\w+)=([^,\s]+)", text))
    if "offset" not in values or "leap_alarm" in text or values.get("leap") == "11":
        return None
    try:
        return Reading(-float(values["offset"]) * 1e3, f"ntpd {values.get('refid', '')}".strip())
    except ValueError:
        return None


def parse_timedatectl(text: str) -> Reading | None:
    """`timedatectl timesync-status`: `Offset: +1.234ms` is the server's lead over us."""
    offset = re.search(r"^\s*Offset:\s*([+-]?[\d.]+)(ns|us|µs|ms|s|min)\s*$", text, re.MULTILINE)
    server = re.search(r"^\s*Server:\s*(\S+)", text, re.MULTILINE)
    if offset is None:
        return None
    lead_us = -float(offset[1]) * UNIT_US[offset[2]]
    return Reading(lead_us, f"timesyncd {server[1] if server else ''}".strip())


def parse_w32tm(text: str) -> Reading | None:
    """`w32tm /query /status /verbose`: `Phase Offset: 0.0001234s` is the server's lead over us."""
    offset = re.search(r"^Phase Offset:\s*([+-]?[\d.]+)s", text, re.MULTILINE)
    source = re.search(r"^Source:\s*(.+?)\s*$", text, re.MULTILINE)
    if offset is None or "Leap Indicator: 3" in text:
        return None
    if source is not None and source[1].startswith(("Local CMOS", "Free-running")):
        return None
    return Reading(-float(offset[1]) * 1e6, f"w32time {source[1] if source else ''}".strip())


TOOLS: Final[tuple[tuple[tuple[str, ...], Parser], ...]] = (
    (("chronyc", "-c", "tracking"), parse_chronyc),
    (("ntpq", "-c", "rv"), parse_ntpq),
    (("timedatectl", "timesync-status"), parse_timedatectl),
    (("w32tm", "/query", "/status", "/verbose"), parse_w32tm),
)
"""Command lines of time services and how their words are read, the most exact first."""


async def run_tool(command: Sequence[str]) -> str:
    """What a tool prints; "" when it is not there, fails, or takes longer than two seconds."""
    return await asyncio.to_thread(_printed, command)


def _printed(command: Sequence[str]) -> str:
    """In a thread: on Windows the loop that the database needs starts no processes."""
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.decode(errors="replace") if ended.returncode == 0 else ""


class _Answers(asyncio.DatagramProtocol):
    """Takes the first datagram that is the answer to ours, with the time of its arrival."""

    def __init__(self, clock: Clock, answer: "asyncio.Future[tuple[bytes, int]]") -> None:
        self._clock = clock
        self._answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's port
        """Keep it with its time."""
        if not self._answer.done():
            self._answer.set_result((data, self._clock.now_ns()))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there."""
        if not self._answer.done():
            self._answer.set_exception(exc)


async def sntp(server: str, clock: Clock, *, port: int = NTP_PORT) -> Reading | None:
    """Ask a time server once; None when it does not answer properly within two seconds."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[bytes, int]] = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answers(clock, answer), remote_addr=(server, port)
        )
    except OSError:
        return None
    try:
        sent_ns = clock.now_ns()
        stamp = _to_ntp(sent_ns)
        transport.sendto(bytes([CLIENT_REQUEST]) + bytes(39) + stamp)
        async with asyncio.timeout(ANSWER_S):
            packet, arrived_ns = await answer
    except (TimeoutError, OSError):
        return None
    finally:
        transport.close()
    return offset_of(packet, stamp, sent_ns, arrived_ns, server)


def offset_of(
    packet: bytes, stamp: bytes, sent_ns: int, arrived_ns: int, server: str
) -> Reading | None:
    """Our lead by an answer: −((T2 − T1) + (T3 − T4)) / 2, RFC 4330 §5; None for a wrong answer."""
    if len(packet) < PACKET_BYTES or packet[24:32] != stamp:
        return None
    leap, mode, stratum = packet[0] >> 6, packet[0] & 7, packet[1]
    if leap == 3 or mode != SERVER_MODE or not 0 < stratum <= STRATUM_MAX:
        return None
    received_ns, answered_ns = _from_ntp(packet[32:40]), _from_ntp(packet[40:48])
    lead_ns = -((received_ns - sent_ns) + (answered_ns - arrived_ns)) / 2
    return Reading(lead_ns / 1e3, f"sntp {server}")


def _to_ntp(ts_ns: int) -> bytes:
    """A time as 32.32 fixed point since 1900."""
    seconds, rest_ns = divmod(ts_ns, NS_PER_SECOND)
    fraction = (rest_ns << 32) // NS_PER_SECOND
    return struct.pack(">II", (seconds + NTP_TO_UNIX_S) & 0xFFFFFFFF, fraction)


def _from_ntp(stamp: bytes) -> int:
    """UTC nanoseconds of such a time; those before 1968 belong to the era that begins in 2036."""
    seconds, fraction = struct.unpack(">II", stamp)
    if seconds < 1 << 31:
        seconds += 1 << 32
    return int((seconds - NTP_TO_UNIX_S) * NS_PER_SECOND + ((fraction * NS_PER_SECOND) >> 32))
