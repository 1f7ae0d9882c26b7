"""What clients ask for: each kind of client frame has one handler, and limits hold for all.

A request that cannot be granted is answered with an error frame; one that breaks the protocol ends
the connection. Rights are looked up anew at every subscription.
"""

from collections.abc import Callable
from typing import Final

from plan2.connectivity.identity.right_table import CHANNELS, may_subscribe
from plan2.foundation.errors import InputError
from plan2.interface.streaming.client import Client
from plan2.interface.streaming.hub import StreamHub
from plan2.interface.streaming.log_channel import LogChannel
from plan2.interface.streaming.protocol import (
    CONTROL,
    FRAME_MAX_BYTES,
    SPACING_S,
    VERSION,
    Acks,
    ClientFrame,
    ClientHello,
    Close,
    Kind,
    ProtocolError,
    Rate,
    RateClass,
    Subscribe,
)

SUBSCRIPTIONS_MAX: Final = 200
FRAMES_PER_S: Final = 50.0
ACKS_PER_S: Final = 200.0
BURST_S: Final = 2.0


class Allowance:
    """A token bucket: `per_s` on average, two seconds' worth at once."""

    def __init__(self, per_s: float, now_s: float) -> None:
        self._per_s = per_s
        self._left = per_s * BURST_S
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Use one; False when none is left."""
        earned = (now_s - self._at_s) * self._per_s
        self._left = min(self._per_s * BURST_S, self._left + earned)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class Requests:
    """Handles the frames of one client."""

    def __init__(self, hub: StreamHub, client: Client) -> None:
        self._hub = hub
        self._client = client
        self._frames = Allowance(FRAMES_PER_S, hub.now_s())
        self._acks = Allowance(ACKS_PER_S, hub.now_s())
        self._handlers: dict[int, Callable[[ClientFrame], None]] = {
            Kind.CLIENT_HELLO: self._hello,
            Kind.SUBSCRIBE: self._subscribe,
            Kind.UNSUBSCRIBE: self._unsubscribe,
            Kind.ACK: self._ack,
            Kind.PING: self._ping,
            Kind.RATE: self._rate,
        }

    def greet(self) -> None:
        """The server's hello."""
        session = self._client.session
        allowed = [name for name in CHANNELS if may_subscribe(session.user.role, name)]
        body = {
            "protocol": VERSION,
            "epoch": self._hub.info.epoch,
            "user": session.user.name,
            "tenant": session.user.tenant_id,
            "permissions": allowed,
            "ui_hash": self._hub.info.ui_hash,
            "limits": {"frame_bytes": FRAME_MAX_BYTES, "subscriptions": SUBSCRIPTIONS_MAX},
            "rates": {str(rate): int(spacing * 1000) for rate, spacing in SPACING_S.items()},
        }
        self._client.send_control(Kind.HELLO, 0, self._hub.server_us(), body)

    def take_in(self, message: bytes) -> None:
        """Take in one message; whatever is wrong with it is told to the client or ends it."""
        try:
            frame = self._client.codec.decode(message)
            handler = self._handlers.get(frame.kind)
            if handler is None:
                raise ProtocolError(f"clients do not send kind {frame.kind}")
            allowance = self._acks if frame.kind == Kind.ACK else self._frames
            if not allowance.take(self._hub.now_s()):
                self._client.close(Close.RATE)
                return
            handler(frame)
        except ProtocolError as error:
            self._bye(error.message)
            self._client.close(Close.PROTOCOL)

    def _hello(self, frame: ClientFrame) -> None:
        hello = self._client.codec.body(frame, ClientHello)
        if hello.protocol != VERSION:
            self._bye(f"protocol {hello.protocol} is not spoken here; {VERSION} is")
            self._client.close(Close.VERSION)
            return
        granted = self._hub.grant(RateClass(hello.rate))
        self._client.change_rate(granted)
        self._hub.recount()
        if granted != hello.rate:
            self._reply(frame, {"rate": str(granted)})

    def _subscribe(self, frame: ClientFrame) -> None:
        wish = self._client.codec.body(frame, Subscribe)
        if not may_subscribe(self._client.session.user.role, wish.channel) and (
            wish.channel in CHANNELS
        ):
            self._refuse(frame, "forbidden", f"Your role may not follow {wish.channel}.")
            return
        try:
            channel = self._hub.channels.find(wish.channel, wish.params)
        except InputError as error:
            self._refuse(frame, "unknown_channel", error.message)
            return
        if len(self._client) >= SUBSCRIPTIONS_MAX:
            self._refuse(frame, "too_many_subscriptions", f"{SUBSCRIPTIONS_MAX} are allowed.")
            return
        if isinstance(channel, LogChannel):
            self._follow_log(frame, channel, wish)
            return
        self._client.follow_state(channel)
        self._hub.recount()
        self._reply(frame, {"ch": channel.number, "channel": channel.name})

    def _follow_log(self, frame: ClientFrame, log: LogChannel, wish: Subscribe) -> None:
        """From the number asked for; from now on without one; from the oldest kept with 0."""
        following = log.last + 1 if wish.start is None else wish.start
        following = log.first if following == 0 else following
        self._client.follow_log(log, following)
        body = {"ch": log.number, "channel": log.name, "seq": following - 1}
        self._reply(frame, body)

    def _unsubscribe(self, frame: ClientFrame) -> None:
        self._client.unfollow(frame.channel)
        self._reply(frame, {"ch": frame.channel})

    def _ack(self, frame: ClientFrame) -> None:
        now_s = self._hub.now_s()
        for number, seq in self._client.codec.body(frame, Acks):
            self._client.acknowledge(number, seq, now_s)

    def _ping(self, frame: ClientFrame) -> None:
        self._reply(frame, {"t_us": frame.t_us})

    def _rate(self, frame: ClientFrame) -> None:
        wish = self._client.codec.body(frame, Rate)
        granted = self._hub.grant(RateClass(wish.rate))
        if granted is not self._client.rate:
            self._client.change_rate(granted)
            self._hub.recount()
        self._reply(frame, {"rate": str(granted)})

    def _reply(self, frame: ClientFrame, body: object) -> None:
        self._client.send_control(Kind.REPLY, frame.seq, self._hub.server_us(), body)

    def _refuse(self, frame: ClientFrame, code: str, detail: str) -> None:
        body = {"code": code, "detail": detail}
        self._client.send_control(Kind.ERROR, frame.seq, self._hub.server_us(), body)

    def _bye(self, reason: str) -> None:
        body = {"reason": reason}
        self._client.send_control(Kind.BYE, CONTROL, self._hub.server_us(), body)
