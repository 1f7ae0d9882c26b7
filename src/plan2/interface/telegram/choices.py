"""How one wants to be told: /loud, /quiet, /digest and /language set one's own settings."""

from typing import Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.language.say import TRANSLATED, Say
from plan2.interface.notify.kinds import KINDS, Loudness
from plan2.interface.telegram.asking import Ask, Call, Refused, Reply, Wish
from plan2.interface.telegram.text import bold, line

SET: Final[Route] = ("PUT", "/api/v1/settings/user/{key}")
UNPAIR: Final[Route] = ("DELETE", "/api/v1/telegram/chats/{pairing_id}")
TOGETHER: Final = {
    "hourly": "What only informs comes hourly in one message; the rest at once.",
    "daily": "What only informs comes daily in one message; the rest at once.",
}
DIGESTS: Final = ("off", *TOGETHER)


async def loud(call: Call) -> Reply:
    """Let a kind of message come with a sound."""
    return await _set(call, Loudness.ON, "{what}: they come with a sound.")


async def quiet(call: Call) -> Reply:
    """Let a kind of message come without a sound, or with the word off not at all."""
    if call.arguments[1:2] == ("off",):
        return await _set(call, Loudness.OFF, "{what}: they do not come any more.")
    return await _set(call, Loudness.SILENT, "{what}: they come without a sound.")


async def digest(call: Call) -> Reply:
    """Gather what only informs into one message an hour or a day."""
    how = call.arguments[0] if call.arguments else ""
    if how not in DIGESTS:
        raise InputError(call.say("/digest needs one of the words off, hourly, daily."))
    await _put(call, "notify.digest", how)
    if how == "off":
        return Reply([line(call.say("Every message comes by itself."))])
    return Reply([line(call.say(TOGETHER[how]))])


async def language(call: Call) -> Reply:
    """Choose the language of messages and of the web page."""
    chosen = call.arguments[0].lower() if call.arguments else ""
    if chosen not in TRANSLATED:
        names = ", ".join(TRANSLATED)
        raise InputError(call.say("/language needs one of the words {names}.", names=names))
    await _put(call, "ui.language", chosen)
    return Reply([line(Say(chosen)("From now on Plan2 speaks English with you."))])


async def unpair(call: Call) -> Ask:
    """End the pairing of this chat."""
    say = call.say
    wish = Wish(UNPAIR, {"pairing_id": call.session.session_id})
    effect = [
        line(bold(say("Unpair this chat?"))),
        line(say("It hears nothing more and may do nothing more, until you pair it again.")),
    ]
    return Ask(effect, say("Unpair"), (wish,), say("This chat is unpaired."))


async def _set(call: Call, loudness: Loudness, words: str) -> Reply:
    say, kind = call.say, call.arguments[0] if call.arguments else ""
    if kind not in KINDS and kind != "all":
        raise InputError(
            say("There is no kind of message {kind}.", kind=repr(kind[:40]))
            if kind
            else say("A kind is missing."),
            remedy=say("One of all, {names}.", names=", ".join(KINDS)),
        )
    kinds = KINDS if kind == "all" else (kind,)
    chosen = {**call.preferences.notify.loudness, **dict.fromkeys(kinds, loudness.value)}
    await _put(call, "notify.loudness", chosen)
    title = say("All messages" if kind == "all" else KINDS[kind].title)
    return Reply([line(say(words, what=title))])


async def _put(call: Call, key: str, value: object) -> None:
    body = {"value": value, "reason": "over Telegram"}
    answer = await call.carry_out(Wish(SET, {"key": key}, body), call.correlation_id)
    if not answer.is_ok:
        raise Refused(answer)
