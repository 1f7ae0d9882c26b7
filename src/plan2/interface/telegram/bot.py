"""The bot: takes what comes from chats, knows whose it is, and answers.

A chat that nobody paired hears one polite sentence and learns nothing. For a paired one every
message is looked at with its person's rights of this moment. What changes something waits for a
button; what the routes want proven again, for a code of the authenticator. Each command and each
button leaves an `ActionTaken` in the log of the person's tenant, also when it was refused.
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from plan2.connectivity.gateway.inside import Inside
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.ratelimit.gcra import Meter, Meters, Rate, rate_of
from plan2.foundation.clock import Clock
from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.interface.language.say import Say
from plan2.interface.notify.notification import Recipient
from plan2.interface.notify.preferences import Preferences
from plan2.interface.screen import to_us
from plan2.interface.telegram.acting import Acting, Asked
from plan2.interface.telegram.asking import Ask, Call, Command, Reply
from plan2.interface.telegram.commands import COMMANDS, help_lines
from plan2.interface.telegram.messenger import Incoming, Messenger, NotSent, Press
from plan2.interface.telegram.pairing import Chat, Pairings
from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.text import Line, bold, line, messages

LATE_US: Final = 120_000_000
"""A message older than this, such as one from a time when Plan2 was not up, does nothing."""
CODE: Final = re.compile(r"\d[\d ]{4,8}\d|[A-Za-z0-9-]{16,40}")
"""Six digits, or a backup code."""
PAIRING: Final = re.compile(r"/start(?:@\w+)?\s+(\S.{0,63})", re.DOTALL)
COMMAND: Final = re.compile(r"/(\w{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
STRANGERS_MAX: Final = 2_000
METERS_MAX: Final = 10_000
"""Chats and people that spoke lately; a chat that is paired anew has another one."""
NOBODY: Final = "Hello. This bot speaks with people of its own installation only."
CODE_BAD: Final = "This code is not good: it was used, is older than ten minutes, or is mistyped."
LATE: Final = "This message came late and was not carried out. Send it again if you still want it."
TOO_MUCH: Final = "That is too much at once. Wait a minute."
AGREE_FIRST: Final = "Messages do not come yet: agree to them under Settings, Telegram."
PER_STRANGER: Final = rate_of("stranger", 3, 600, 3)
PER_CHAT: Final = rate_of("chat", 30, 60, 20)
PER_WARNING: Final = rate_of("warning", 1, 60, 1)
PER_CODE: Final = rate_of("code", 5, 900, 5)
ALWAYS: Final = re.compile(r"/(?:kill|halt|stop|pause|reduceonly)\b")
"""What is heard however much somebody writes."""

Draw = Callable[[Picture], Awaitable[bytes | None]]
"""Makes a picture beside the process; None when it could not be made."""


class BotParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot works with.

    Attributes:
        pairings: whose a chat is. inside: the routes. preferences: how somebody wants to be told.
        check_code: uses up a code of a person's authenticator. draw: makes pictures.
        agrees: whether somebody consented to messages. secret: 128 random bits, for buttons.
    """

    pairings: Pairings
    inside: Inside
    preferences: Callable[[Recipient], Preferences]
    agrees: Callable[[Recipient], bool]
    check_code: Callable[[User, str], Awaitable[bool]]
    draw: Draw
    clock: Clock
    ids: IdSource
    record: Record
    secret: Callable[[], str]


class Bot:
    """Answers one update after another; whoever calls keeps the order within a chat."""

    def __init__(self, parts: BotParts, messenger: Messenger) -> None:
        self._parts = parts
        self._messenger = messenger
        self._acting = Acting(parts.clock, parts.secret)
        self._strangers: OrderedDict[int, Meter] = OrderedDict()
        self._meters = Meters(parts.clock.now_ns, METERS_MAX)

    async def take(self, update: Incoming | Press) -> None:
        """Answer a message or a button."""
        chat = self._parts.pairings.chat(update.chat_id)
        session = self._parts.pairings.session(chat) if chat is not None else None
        if isinstance(update, Press):
            await self._pressed(update, chat, session)
        elif chat is None or session is None or not update.is_private:
            await self._stranger(update)
        elif self._is_late(update):
            await self._say(chat, [line(self._words(session)(LATE))])
        elif ALWAYS.match(update.text) or self._may(PER_CHAT, chat.pairing_id):
            await self._spoken(update, chat, session)
        elif self._may(PER_WARNING, chat.pairing_id):
            await self._say(chat, [line(self._words(session)(TOO_MUCH))])

    # --- who is not known -----------------------------------------------------------------

    async def _stranger(self, update: Incoming) -> None:
        """One polite sentence, now and then; or a pairing, when the code is good."""
        if not self._may_try(update.chat_id):
            return
        paired = PAIRING.fullmatch(update.text.strip()) if update.is_private else None
        if paired is None:
            await self._messenger.send(update.chat_id, NOBODY)
            return
        await self._pair(update, paired[1])

    async def _pair(self, update: Incoming, code: str) -> None:
        chat = await self._parts.pairings.redeem(code, update.chat_id, update.label)
        session = self._parts.pairings.session(chat) if chat is not None else None
        if chat is None or session is None:
            await self._messenger.send(update.chat_id, CODE_BAD)
            return
        self._account(session, "telegram pair", 200, "", self._parts.ids.next_id("request"))
        user, say = session.user, self._words(session)
        lines = [line(say("This chat is paired with "), bold(user.name), f", {user.role}.")]
        if not self._parts.agrees(Recipient(user.tenant_id, user.user_id)):
            lines.append(line(say(AGREE_FIRST)))
        await self._say(chat, [*lines, line(), *help_lines(session, say)])

    def _may_try(self, chat_id: int) -> bool:
        now_ns = self._parts.clock.now_ns()
        meter = self._strangers.pop(chat_id, None) or Meter(PER_STRANGER, now_ns)
        self._strangers[chat_id] = meter
        while len(self._strangers) > STRANGERS_MAX:
            self._strangers.popitem(last=False)
        return _spend(meter, now_ns)

    # --- who is known ---------------------------------------------------------------------

    def _is_late(self, update: Incoming) -> bool:
        return to_us(self._parts.clock.now_ns()) - update.at_us > LATE_US

    def _may(self, rate: Rate, *name: str) -> bool:
        meter = self._meters.meter((rate.name, *name), rate)
        return _spend(meter, self._parts.clock.now_ns())

    async def _spoken(self, update: Incoming, chat: Chat, session: Session) -> None:
        text = update.text.strip()
        if CODE.fullmatch(text) and self._acting.waits_for_code(chat):
            await self._messenger.delete(chat.chat_id, update.message_id)
            await self._coded(chat, session, text)
            return
        say = self._words(session)
        if PAIRING.fullmatch(text) and await self._pairs_again(update, text, say):
            return
        found = COMMAND.fullmatch(text)
        command = COMMANDS.get(found[1].lower()) if found else None
        if found is None or command is None:
            words = say("I do not understand that. /help lists the commands.")
            await self._say(chat, [line(words)])
            return
        self._acting.forget(chat)
        await self._command(command, tuple((found[2] or "").split()), chat, session)

    async def _pairs_again(self, update: Incoming, text: str, say: Say) -> bool:
        """A paired chat shows a code: it may be for another person, or pressed twice."""
        found = PAIRING.fullmatch(text)
        if found is None or not self._may_try(update.chat_id):
            return False
        chat = await self._parts.pairings.redeem(found[1], update.chat_id, update.label)
        if chat is not None:
            words = say("This chat is paired anew. /help lists the commands.")
            await self._say(chat, [line(words)])
        return chat is not None

    async def _command(
        self, command: Command, arguments: tuple[str, ...], chat: Chat, session: Session
    ) -> None:
        call = self._call(session, arguments)
        status, code = 200, ""
        try:
            if not command.is_open_to(session):
                status, code = 403, "forbidden"
                words = "Your role {role} may not use /{name}."
                words = call.say(words, role=session.user.role, name=command.name)
                await self._say(chat, [line(words)])
                return
            answered = await command.handler(call)
            if isinstance(answered, Ask):
                await self._ask(command, answered, call, chat)
            else:
                await self._reply(answered, chat, call.say)
        except Plan2Error as error:
            status, code = 422, error.code
            await self._say(chat, [line(str(error))])
        finally:
            self._account(session, f"telegram /{command.name}", status, code, call.correlation_id,
                          " ".join(arguments))  # fmt: skip

    async def _reply(self, reply: Reply, chat: Chat, say: Say) -> None:
        if reply.picture is None:
            await self._say(chat, reply.lines)
            return
        png = await self._parts.draw(reply.picture)
        if png is None:
            await self._say(chat, [*reply.lines, line(say("The picture could not be made."))])
            return
        await self._say(chat, reply.lines)
        await self._messenger.send_picture(chat.chat_id, png, "")

    # --- acting ---------------------------------------------------------------------------

    async def _ask(self, command: Command, ask: Ask, call: Call, chat: Chat) -> None:
        asked = self._acting.ask(command.name, ask, chat, call)
        end = line(call.say("This question ends in a minute."))
        *before, last = messages([*ask.effect, end])
        for html in before:
            await self._messenger.send(chat.chat_id, html)
        sent = await self._messenger.send(chat.chat_id, last, buttons=asked.buttons)
        if isinstance(sent, NotSent):
            self._acting.forget(chat)

    async def _pressed(self, press: Press, chat: Chat | None, session: Session | None) -> None:
        if chat is None or session is None:
            await self._messenger.answer_press(press.press_id, NOBODY)
            return
        asked = self._acting.pressed(chat, press.data)
        if asked is None:
            words = self._words(session)("This is over. Ask again.")
            await self._messenger.answer_press(press.press_id, words)
            return
        await self._messenger.answer_press(press.press_id)
        if asked.is_agreed:
            lines = await self._carry_out(asked, chat, session)
        else:
            lines = [line(bold(self._words(session)("Not done.")))]
            self._tell_button(session, asked, 200, "not_agreed")
        html = messages([*asked.ask.effect, line(), *lines])[-1]
        await self._messenger.edit(chat.chat_id, press.message_id, html)

    async def _coded(self, chat: Chat, session: Session, typed: str) -> None:
        """A code came that an act waits for: prove, then carry out."""
        asked, say = self._acting.coded(chat), self._words(session)
        if asked is None:
            return
        who = session.user.tenant_id, session.user.user_id
        if not self._may(PER_CODE, *who):
            self._tell_button(session, asked, 429, "locked_out")
            words = say("Too many codes were wrong. Wait a while, then ask again.")
            await self._say(chat, [line(words)])
            return
        if not await self._parts.check_code(session.user, typed):
            self._tell_button(session, asked, 403, "code_wrong")
            words = say("This is not the code of this half minute. Ask again.")
            await self._say(chat, [line(words)])
            return
        self._meters.forget((PER_CODE.name, *who))
        self._parts.pairings.note_proof(chat)
        proven = self._parts.pairings.session(chat)
        if proven is not None:
            await self._say(chat, await self._carry_out(asked, chat, proven))

    async def _carry_out(self, asked: Asked, chat: Chat, session: Session) -> list[Line]:
        """Send what was agreed to, and write down what came of it."""
        call = self._call(session, (), asked.correlation_id)
        outcome = await self._acting.carry_out(asked, call, chat)
        self._tell_button(session, asked, outcome.status, outcome.code)
        return outcome.lines

    def _tell_button(self, session: Session, asked: Asked, status: int, code: str) -> None:
        action = f"telegram /{asked.command} button"
        self._account(session, action, status, code, asked.correlation_id, asked.target)

    # --- within ---------------------------------------------------------------------------

    def _words(self, session: Session) -> Say:
        """Sentences in the language of whoever is in this chat."""
        user = session.user
        return self._parts.preferences(Recipient(user.tenant_id, user.user_id)).say

    async def _say(self, chat: Chat, lines: list[Line]) -> None:
        for html in messages(lines):
            if isinstance(await self._messenger.send(chat.chat_id, html), NotSent):
                return

    def _call(self, session: Session, arguments: tuple[str, ...], correlation_id: str = "") -> Call:
        parts, user = self._parts, session.user
        return Call(
            inside=parts.inside,
            session=session,
            arguments=arguments,
            now_us=to_us(parts.clock.now_ns()),
            correlation_id=correlation_id or parts.ids.next_id("request"),
            preferences=parts.preferences(Recipient(user.tenant_id, user.user_id)),
        )

    def _account(
        self, session: Session, action: str, status: int, code: str, correlation_id: str,
        target: str = "",
    ) -> None:  # fmt: skip
        """Write down who said what, as REST does; the routes write what they did themselves."""
        user = session.user
        self._parts.record(
            user.tenant_id,
            f"user:{user.user_id}",
            ActionTaken(
                ts_ns=self._parts.clock.now_ns(),
                user_id=user.user_id,
                role=user.role,
                via=session.via,
                session_id=session.session_id,
                ip_address="",
                request_id=self._parts.ids.next_id("request"),
                action=action,
                target=target[:256],
                status=status,
                code=code,
                before="",
                after="",
            ),
            actor=session.actor,
            correlation_id=correlation_id,
        )


def _spend(meter: Meter, now_ns: int) -> bool:
    """Take one from a meter; False when nothing is left."""
    if meter.wait_ns(now_ns) > 0:
        return False
    meter.full_ns = max(meter.full_ns, now_ns) + meter.rate.interval_ns
    return True
