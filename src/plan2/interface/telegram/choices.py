"""How one wants to be told: /loud, /quiet and /digest set one's own settings."""

from typing import Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.notify.kinds import KINDS, Loudness
from plan2.interface.telegram.asking import Ask, Call, Refused, Reply, Wish
from plan2.interface.telegram.text import bold, line

SET: Final[Route] = ("PUT", "/api/v1/settings/user/{key}")
UNPAIR: Final[Route] = ("DELETE", "/api/v1/telegram/chats/{pairing_id}")
DIGESTS: Final = ("off", "hourly", "daily")


async def loud(call: Call) -> Reply:
    """Let a kind of message come with a sound."""
    return await _set(call, Loudness.ON, "come with a sound")


async def quiet(call: Call) -> Reply:
    """Let a kind of message come without a sound, or with the word off not at all."""
    if call.arguments[1:2] == ("off",):
        return await _set(call, Loudness.OFF, "do not come any more")
    return await _set(call, Loudness.SILENT, "come without a sound")


async def digest(call: Call) -> Reply:
    """Gather what only informs into one message an hour or a day."""
    how = call.arguments[0] if call.arguments else ""
    if how not in DIGESTS:
        raise InputError("/digest needs one of the words off, hourly, daily.")
    await _put(call, "notify.digest", how)
    if how == "off":
        return Reply([line("Every message comes by itself.")])
    return Reply([line(f"What only informs comes {how} in one message; the rest at once.")])


async def unpair(call: Call) -> Ask:
    """End the pairing of this chat."""
    wish = Wish(UNPAIR, {"pairing_id": call.session.session_id})
    effect = [
        line(bold("Unpair this chat?")),
        line("It hears nothing more and may do nothing more, until you pair it again."),
    ]
    return Ask(effect, "Unpair", (wish,), "This chat is unpaired.")


async def _set(call: Call, loudness: Loudness, words: str) -> Reply:
    kind = call.arguments[0] if call.arguments else ""
    if kind not in KINDS and kind != "all":
        raise InputError(
            f"There is no kind of message {kind[:40]!r}." if kind else "A kind is missing.",
            remedy=f"One of all, {', '.join(KINDS)}.",
        )
    kinds = KINDS if kind == "all" else (kind,)
    chosen = {**call.preferences.notify.loudness, **dict.fromkeys(kinds, loudness.value)}
    await _put(call, "notify.loudness", chosen)
    title = "All messages" if kind == "all" else KINDS[kind].title
    return Reply([line(f"{title}: they {words}.")])


async def _put(call: Call, key: str, value: object) -> None:
    body = {"value": value, "reason": "over Telegram"}
    answer = await call.carry_out(Wish(SET, {"key": key}, body), call.correlation_id)
    if not answer.is_ok:
        raise Refused(answer)
