"""What is known about the host at the other end, and what that means for the link."""

from typing import Final

import msgspec

from plan2.dataflow.terminals.port import LinkChange, LinkState
from plan2.dataflow.terminals.remote.clock_offset import ClockOffset
from plan2.dataflow.terminals.remote.protocol import (
    AccountName,
    Busy,
    Heartbeat,
    Hello,
    HostStats,
    Link,
)
from plan2.foundation.values import NS_PER_MS

WAITING: Final = "waiting for"
"""How the reasons of a link begin that is about to come up."""
PULSES_MAX: Final = 64
BUSY_MAX_S: Final = 300.0
"""However long a host says that it will be silent, it is not believed beyond this."""


class RemoteStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A remote terminal as people see it; names are empty until the host has told them.

    `offset_ms`: host's clock minus ours. Counts are the host's, since it started.
    """

    state: LinkState
    reason: str
    host: str
    agent: str
    login: str
    server: str
    mode: str
    latency_ms: float
    offset_ms: float
    dropped_ticks: int
    lost_updates: int
    waiting_updates: int
    silent_s: float
    busy: str


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a host may be silent, seconds: before the link is DOWN, and before it is given up.

    Beyond `give_up_s` only an announced call may last, for as long as it was announced.
    """

    silent_s: float = 1.5
    give_up_s: float = 15.0


class RemoteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of a host.

    Attributes:
        account: the only one that is served; empty fields are taken from the first host that
            comes and hold from then on.
        limits: of silence. heartbeat_s: pause between two pulses.
        answer_s, history_answer_s: patience for a question, and for a slice of history.
        order_answer_s: patience for the first word on an order; then its outcome is unknown.
        order_life_s: a host does not send an order that reaches it later than this.
        history_slice_hours, history_max_days: history is asked in slices, and not farther back.
    """

    account: AccountName = AccountName()
    limits: Limits = Limits()
    heartbeat_s: float = 0.5
    answer_s: float = 10.0
    history_answer_s: float = 180.0
    order_answer_s: float = 15.0
    order_life_s: float = 5.0
    history_slice_hours: int = 6
    history_max_days: int = 366


class HostPeer:
    """The host of a terminal; survives links, and notices when another run of it comes."""

    def __init__(self, limits: Limits, heartbeat_s: float) -> None:
        self.account = AccountName()
        self.session_id = ""
        self.seq = 0
        self.offset = ClockOffset()
        self.stats = HostStats()
        self._limits = limits
        self._heartbeat_s = heartbeat_s
        self._name = ""
        self._agent = ""
        self._engine: LinkChange | None = None
        self._busy = Busy("", 0.0)
        self._heard_s = 0.0
        self._beat_s = 0.0
        self._pulses: dict[int, int] = {}
        self._number = 0

    def meet(self, hello: Hello, now_s: float) -> None:
        """A host has said hello on a new link; `seq` is what was taken in of this run of it."""
        if hello.session_id != self.session_id:
            self.session_id, self.seq = hello.session_id, 0
        self.offset = ClockOffset()
        self._name, self._agent = hello.host, hello.agent
        self._engine = None
        self._busy = Busy("", 0.0)
        self._pulses.clear()
        self._heard_s = self._beat_s = now_s

    def hear(self, now_s: float) -> None:
        """Something came from it."""
        self._heard_s = now_s

    def take_link(self, link: Link) -> None:
        """How its engine reaches the broker."""
        self._engine = link.change

    def take_busy(self, busy: Busy) -> None:
        """It will be silent for a while, or is back."""
        self._busy = busy

    def next_pulse(self, now_ns: int) -> int:
        """The number of a pulse that is sent now."""
        self._number += 1
        self._pulses[self._number] = now_ns
        if len(self._pulses) > PULSES_MAX:
            del self._pulses[next(iter(self._pulses))]
        return self._number

    def take_heartbeat(self, heartbeat: Heartbeat, now_ns: int) -> None:
        """The answer to a pulse."""
        self.stats = heartbeat.stats
        sent_ns = self._pulses.pop(heartbeat.number, None)
        if sent_ns is not None:
            self.offset.add(sent_ns, now_ns, heartbeat.ts_ns)

    def beat(self, now_s: float) -> None:
        """A heartbeat's time has passed; when our own loop was late, that was not its silence."""
        late_s = now_s - self._beat_s - self._heartbeat_s
        if late_s > self._heartbeat_s:
            self._heard_s = min(now_s, self._heard_s + late_s)
        self._beat_s = now_s

    def silence_s(self, now_s: float) -> float:
        """How long nothing was heard."""
        return now_s - self._heard_s

    def is_given_up(self, now_s: float) -> bool:
        """Whether it was silent for so long that the link is of no use."""
        announced_s = min(self._busy.limit_s, BUSY_MAX_S)
        return self.silence_s(now_s) > max(announced_s, self._limits.give_up_s)

    def judge(self, now_s: float) -> tuple[LinkState, str]:
        """What the engine says if the host can be heard, and the clock is known; else DOWN."""
        if self.silence_s(now_s) > self._limits.silent_s:
            doing = f" while {self._busy.what}" if self._busy.what else ""
            return LinkState.DOWN, f"the host {self._name} is silent{doing}"
        if self._engine is None or not self.offset.is_known:
            return LinkState.DOWN, f"{WAITING} the host {self._name}"
        return self._engine.state, self._engine.reason

    def status(self, state: LinkState, reason: str, silent_s: float) -> RemoteStatus:
        """All of it for people."""
        return RemoteStatus(
            state=state,
            reason=reason,
            host=self._name,
            agent=self._agent,
            login=self.account.login,
            server=self.account.server,
            mode=self.account.mode,
            latency_ms=self.offset.latency_ms,
            offset_ms=self.offset.offset_ns / NS_PER_MS,
            dropped_ticks=self.stats.dropped_ticks,
            lost_updates=self.stats.lost_updates,
            waiting_updates=self.stats.waiting_updates,
            silent_s=silent_s,
            busy=self._busy.what,
        )
