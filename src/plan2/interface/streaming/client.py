"""One connected client: what it follows, what it has acknowledged, and what it is sent next.

No input or output here: the connection pulls `next_message` when its socket can take one. Nothing
waits without bound: control frames are few, state frames stop when the client falls behind (it
gets a fresh snapshot later), and logs are read from the shared ring at the client's own pace.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

from plan2.connectivity.identity.principal import Session
from plan2.interface.streaming.log_channel import LogChannel
from plan2.interface.streaming.protocol import Close, Codec, Kind, RateClass
from plan2.interface.streaming.state_channel import SharedStream, StateChannel

UNACKED_MAX: Final = 250
UNACKED_AGE_S: Final = 2.0
UNACKED_END_S: Final = 20.0
PENDING_MAX_BYTES: Final = 262_144
CONTROL_MAX: Final = 256


class Clocks(Protocol):
    """What time it is, asked only when a frame needs it."""

    def now_s(self) -> float:
        """Monotonic seconds."""
        ...

    def market_us(self) -> int:
        """Market time, microseconds."""
        ...


class Subscription:
    """What every subscription has: a channel number, and sent frames without acknowledgement."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.unacked: deque[tuple[int, float]] = deque()

    def acknowledge(self, seq: int) -> int:
        """Forget frames up to `seq`; how many there were."""
        count = 0
        while self.unacked and self.unacked[0][0] <= seq:
            self.unacked.popleft()
            count += 1
        return count


class StateSubscription(Subscription):
    """Follows a state channel at the client's rate; `base` is the number of its last snapshot."""

    def __init__(self, channel: StateChannel, stream: SharedStream) -> None:
        super().__init__(channel.number)
        self.channel = channel
        self.stream = stream
        self.base = -1


class LogSubscription(Subscription):
    """Follows a log; `following` is the number it gets next."""

    def __init__(self, log: LogChannel, following: int) -> None:
        super().__init__(log.number)
        self.log = log
        self.following = following


class Client:
    """A connection's side of the stream.

    Attributes:
        ready: set when there may be something to send. close_code: set once it must end.
        lagging: state frames are held back until the client has caught up.
        quarter: in which quarter of each second the hub looks after it.
    """

    def __init__(
        self, session: Session, codec: Codec, rate: RateClass, *, quarter: int = 0
    ) -> None:
        self.session = session
        self.codec = codec
        self.rate = rate
        self.quarter = quarter
        self.ready = asyncio.Event()
        self.closing = asyncio.Event()
        self.close_code: Close | None = None
        self.lagging = False
        self.states: dict[int, StateSubscription] = {}
        self.logs: dict[int, LogSubscription] = {}
        self._unshown: dict[int, StateSubscription] = {}
        self._control: deque[bytes] = deque()
        self._pending: deque[tuple[StateSubscription, int, bytes, float]] = deque()
        self._pending_bytes = 0
        self._unacked = 0

    def __len__(self) -> int:
        return len(self.states) + len(self.logs)

    # --- what it follows ------------------------------------------------------------------

    def follow_state(self, channel: StateChannel) -> None:
        """Follow a state channel from a snapshot on; anew if it is followed already."""
        self.unfollow(channel.number)
        stream = channel.streams[self.rate]
        subscription = StateSubscription(channel, stream)
        stream.follow(subscription)
        self.states[channel.number] = subscription
        self._unshown[channel.number] = subscription
        self.ready.set()

    def follow_log(self, log: LogChannel, following: int) -> None:
        """Follow a log from a number on; anew if it is followed already."""
        self.unfollow(log.number)
        self.logs[log.number] = LogSubscription(log, following)
        self.ready.set()

    def unfollow(self, number: int) -> bool:
        """Stop following; False when the channel was not followed."""
        state = self.states.pop(number, None)
        if state is not None:
            state.stream.unfollow(state)
            self._unshown.pop(number, None)
            self._drop_pending(state)
        found = state or self.logs.pop(number, None)
        if found is not None:
            self._unacked -= len(found.unacked)
        return found is not None

    def change_rate(self, rate: RateClass) -> None:
        """Move every state subscription to another class; each starts with a snapshot."""
        self.rate = rate
        for subscription in list(self.states.values()):
            self.follow_state(subscription.channel)

    def leave(self) -> None:
        """Stop following everything."""
        for number in [*self.states, *self.logs]:
            self.unfollow(number)

    # --- what it is sent ------------------------------------------------------------------

    def send_control(self, kind: Kind, seq: int, t_us: int, body: object, number: int = 0) -> None:
        """Queue a reply, an error or a heartbeat; too many unread ones end the connection."""
        if len(self._control) >= CONTROL_MAX:
            self.close(Close.SLOW)
            return
        self._control.append(self.codec.encode(kind, number, seq, t_us, body))
        self.ready.set()

    def heartbeat(self, frame: bytes) -> None:
        """Queue a heartbeat unless something else is waiting that tells the same: we are alive."""
        if not self._control:
            self._control.append(frame)
            self.ready.set()

    def offer(self, subscription: StateSubscription, seq: int, frame: bytes, now_s: float) -> None:
        """Queue a delta unless a snapshot will cover it; fall behind when too much is unread."""
        if self.lagging or subscription.number in self._unshown or seq <= subscription.base:
            return
        waiting = self._unacked + len(self._pending)
        if waiting >= UNACKED_MAX or self._pending_bytes + len(frame) > PENDING_MAX_BYTES:
            self.fall_behind()
            return
        self._pending.append((subscription, seq, frame, now_s))
        self._pending_bytes += len(frame)
        self.ready.set()

    def next_message(self, clocks: Clocks) -> bytes | None:
        """What goes out next: control, then logs, then snapshots, then deltas; None if nothing."""
        if self._control:
            return self._control.popleft()
        if self.logs and self._unacked < UNACKED_MAX:
            for log in self.logs.values():
                if log.following <= log.log.last:
                    return self._log_frame(log, clocks)
        if self.lagging:
            return None
        if self._unshown:
            return self._snapshot(self._unshown.pop(next(iter(self._unshown))), clocks)
        if not self._pending:
            return None
        subscription, seq, frame, offered_s = self._pending.popleft()
        self._pending_bytes -= len(frame)
        self._sent(subscription, seq, offered_s)
        return frame

    # --- whether it keeps up --------------------------------------------------------------

    def acknowledge(self, number: int, seq: int, now_s: float) -> None:
        """The client has everything of a channel up to `seq`."""
        subscription = self.states.get(number) or self.logs.get(number)
        if subscription is not None:
            self._unacked -= subscription.acknowledge(seq)
        self._catch_up(now_s)
        self.ready.set()  # the window of the logs may be open again

    def fall_behind(self) -> None:
        """Hold state frames back; when the client has caught up, it starts from snapshots."""
        self.lagging = True
        self._pending.clear()
        self._pending_bytes = 0
        self._unshown.update(self.states)

    def check(self, now_s: float) -> None:
        """Look at the clock: fall behind after 2 s, end after 20 s without acknowledgement."""
        age_s = self._age_s(now_s)
        if age_s > UNACKED_END_S:
            self.close(Close.SLOW)
        elif age_s > UNACKED_AGE_S:
            self.fall_behind()
        self._catch_up(now_s)

    def close(self, code: Close) -> None:
        """End the connection; the first reason counts."""
        if self.close_code is None:
            self.close_code = code
        self.closing.set()

    def _catch_up(self, now_s: float) -> None:
        if self.lagging and self._unacked < UNACKED_MAX and self._age_s(now_s) <= UNACKED_AGE_S:
            self.lagging = False
            self.ready.set()

    # --- inside ---------------------------------------------------------------------------

    def _log_frame(self, subscription: LogSubscription, clocks: Clocks) -> bytes:
        log, seq = subscription.log, subscription.following
        if not log.can_replay(seq):
            self.unfollow(log.number)
            return self.codec.encode(Kind.RESYNC, log.number, log.last, clocks.market_us(), None)
        subscription.following += 1
        self._sent(subscription, seq, clocks.now_s())
        return log.frame(self.codec, seq)

    def _snapshot(self, subscription: StateSubscription, clocks: Clocks) -> bytes:
        subscription.base = subscription.stream.seq
        self._sent(subscription, subscription.base, clocks.now_s())
        return subscription.stream.snapshot(self.codec, clocks.market_us())

    def _sent(self, subscription: Subscription, seq: int, now_s: float) -> None:
        subscription.unacked.append((seq, now_s))
        self._unacked += 1

    def _age_s(self, now_s: float) -> float:
        """How long the oldest frame waits, for the socket or for its acknowledgement."""
        oldest = min(self._waiting_since(), default=now_s)
        return now_s - oldest

    def _waiting_since(self) -> Iterator[float]:
        if self._pending:
            yield self._pending[0][3]
        for subscription in (*self.states.values(), *self.logs.values()):
            if subscription.unacked:
                yield subscription.unacked[0][1]

    def _drop_pending(self, subscription: StateSubscription) -> None:
        kept = [entry for entry in self._pending if entry[0] is not subscription]
        self._pending = deque(kept)
        self._pending_bytes = sum(len(entry[2]) for entry in kept)
