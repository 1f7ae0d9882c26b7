"""Acts that wait for a button or a code: asked, answered once, carried out.

What waits is bound to its chat and to exactly what was shown, is good once and for a minute, and
lives in memory only: after a restart nothing waits, and an old button says so.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.gateway.inside import Answer
from plan2.foundation.clock import Clock
from plan2.foundation.errors import Plan2Error
from plan2.foundation.values import NS_PER_MINUTE
from plan2.interface.language.say import Say
from plan2.interface.telegram.asking import Ask, Call, Wish
from plan2.interface.telegram.messenger import Button
from plan2.interface.telegram.pairing import Chat
from plan2.interface.telegram.text import Line, bold, line

LIFE_NS: Final = NS_PER_MINUTE
WAITING_MAX: Final = 1_000
YES: Final = "y:"
NO: Final = "n:"
STEP_UP: Final = "step_up_needed"
TARGET_MAX: Final = 256


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An act as its person was asked about it.

    Attributes:
        command, correlation_id: what it came from. ask: its effect, as it was shown, and wishes.
        no: the other button's word.
        key: what the buttons carry, unguessable; it makes every wish happen once.
        pairing_id: whose it is. expires_ns: UTC. needs_code: it waits for a code, not a button.
        is_agreed: what the button said.
    """

    command: str
    correlation_id: str
    ask: Ask
    key: str
    pairing_id: str
    expires_ns: int
    no: str = "No"
    needs_code: bool = False
    is_agreed: bool = False

    @property
    def buttons(self) -> tuple[Button, ...]:
        """What is offered."""
        return Button(self.ask.button, YES + self.key), Button(self.no, NO + self.key)

    @property
    def target(self) -> str:
        """The values of the paths, such as a position's id."""
        values = (value for wish in self.ask.wishes for value in wish.values.values())
        return " ".join(values)[:TARGET_MAX]


class Outcome(msgspec.Struct, frozen=True):
    """What came of an act: the words for the chat; status and code for the log."""

    lines: list[Line]
    status: int
    code: str


class Acting:
    """Everything that waits, of all chats; the newest of a chat replaces the one before.

    Args:
        clock: wall time. secret: 128 random bits as text, for the buttons.
    """

    def __init__(self, clock: Clock, secret: Callable[[], str]) -> None:
        self._clock = clock
        self._secret = secret
        self._waiting: dict[int, Asked] = {}

    def ask(self, command: str, ask: Ask, chat: Chat, call: Call) -> Asked:
        """Wait for a button from now on."""
        asked = Asked(
            command=command,
            correlation_id=call.correlation_id,
            ask=ask,
            no=call.say("No"),
            key=self._secret(),
            pairing_id=chat.pairing_id,
            expires_ns=self._clock.now_ns() + LIFE_NS,
        )
        self._keep(chat, asked)
        return asked

    def pressed(self, chat: Chat, data: str) -> Asked | None:
        """What a button stands for, once; None when it is over, used, or another chat's."""
        found = self._live(chat)
        if found is None or found.needs_code or data not in {YES + found.key, NO + found.key}:
            return None
        del self._waiting[chat.chat_id]
        return msgspec.structs.replace(found, is_agreed=data.startswith(YES))

    def waits_for_code(self, chat: Chat) -> bool:
        """Whether an act of this chat waits for a code."""
        found = self._live(chat)
        return found is not None and found.needs_code

    def coded(self, chat: Chat) -> Asked | None:
        """What waits for a code, once; None when it is over."""
        found = self._live(chat)
        if found is None or not found.needs_code:
            return None
        return self._waiting.pop(chat.chat_id)

    def forget(self, chat: Chat) -> None:
        """Nothing waits in this chat any more."""
        self._waiting.pop(chat.chat_id, None)

    async def carry_out(self, asked: Asked, call: Call, chat: Chat) -> Outcome:
        """Send the wishes, one after another; where a fresh proof is missing, wait for a code."""
        failed: list[Line] = []
        status, code = 200, ""
        for at, wish in enumerate(asked.ask.wishes):
            try:
                answer = await call.carry_out(wish, f"{asked.key}-{at}")
            except Plan2Error as error:
                answer = Answer(503, {"code": error.code, "detail": str(error)})
            if answer.code == STEP_UP and at == 0:
                return self._wait_for_code(asked, chat, call.say)
            if not answer.is_ok:
                status, code = answer.status, answer.code
                failed.append(_failure(wish, answer, call.say))
        if not failed:
            return Outcome([line(bold(asked.ask.done))], 200, "")
        done = len(asked.ask.wishes) - len(failed)
        count = len(asked.ask.wishes)
        part = call.say("{done} of {count} were done.", done=done, count=count)
        head = [line(bold(part))] if done else []
        return Outcome([*head, *failed], status, code)

    def _wait_for_code(self, asked: Asked, chat: Chat, say: Say) -> Outcome:
        expires_ns = self._clock.now_ns() + LIFE_NS
        self._keep(chat, msgspec.structs.replace(asked, needs_code=True, expires_ns=expires_ns))
        words = say(
            "Prove that it is you: send the code of your authenticator within a minute. "
            "Without one, do it in the web app."
        )
        return Outcome([line(words)], 403, STEP_UP)

    def _live(self, chat: Chat) -> Asked | None:
        found = self._waiting.get(chat.chat_id)
        if found is None or found.pairing_id != chat.pairing_id:
            return None
        return found if found.expires_ns > self._clock.now_ns() else None

    def _keep(self, chat: Chat, asked: Asked) -> None:
        now_ns = self._clock.now_ns()
        live = {at: each for at, each in self._waiting.items() if each.expires_ns > now_ns}
        live.pop(chat.chat_id, None)
        while len(live) >= WAITING_MAX:
            del live[next(iter(live))]
        self._waiting = {**live, chat.chat_id: asked}


def _failure(wish: Wish, answer: Answer, say: Say) -> Line:
    what = " ".join(wish.values.values())
    why = answer.refusal or say("status {status}", status=answer.status)
    return line(bold(say("Not done: ")), f"{what} ".lstrip(), why)
