"""Runs the bot: asks for updates or takes them from the webhook, keeps the order of each chat.

What came is never asked for again, so a message that the bot stumbles over does not come back. A
Telegram that is away is waited for with growing pauses; nothing else in Plan2 notices.
"""

import asyncio
import hmac
from collections import OrderedDict
from typing import Any, Final
from weakref import WeakValueDictionary

import numpy as np

from plan2.foundation.bus import Mailbox, Overflow
from plan2.foundation.health import Health, Status
from plan2.interface.language.say import ENGLISH, TRANSLATED, Say
from plan2.interface.telegram.bot import Bot
from plan2.interface.telegram.commands import DECLARED
from plan2.interface.telegram.messenger import Api, NotSent, Update

PAUSE_FIRST_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
AT_ONCE_MAX: Final = 16
QUEUE_MAX: Final = 1_000
SEEN_MAX: Final = 1_000
BATCH_MAX: Final = 50


class TelegramService:
    """One bot at work.

    Args:
        api: the way to Telegram. bot: what answers. rng: jitter of the pauses.
        webhook_url: where updates come; "" asks for them.
        secret: what Telegram shows with each update that comes to the webhook.
    """

    def __init__(
        self, api: Api, bot: Bot, rng: np.random.Generator, webhook_url: str, secret: str
    ) -> None:
        self._api = api
        self._bot = bot
        self._rng = rng
        self._webhook_url = webhook_url
        self._secret = secret
        self._after = -1
        self._trouble = "It is starting."
        self._arrived: Mailbox[Update] = Mailbox(QUEUE_MAX, Overflow.DROP_OLDEST)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._renewed = asyncio.Event()

    @property
    def username(self) -> str:
        """The bot's name, "" until Telegram told it."""
        return self._api.username

    def check(self) -> Health:
        """Whether Telegram can be reached, and why not."""
        if self._trouble:
            return Health(Status.DEGRADED, self._trouble)
        how = "webhook" if self._webhook_url else "asking for updates"
        return Health(Status.OK, f"@{self.username}, {how}")

    def renew(self) -> None:
        """Begin anew with the token as it is now; what was being answered is broken off."""
        self._renewed.set()

    async def run(self) -> None:
        """Answer until cancelled; with another token begin anew."""
        while True:
            self._renewed = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._serve())
                await self._renewed.wait()
                serving.cancel()
            self._after, self._trouble = -1, "It is starting."

    async def _serve(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)  # a run that broke off gives none back
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                while True:
                    for update in await self._next():
                        await self._at_once.acquire()
                        group.create_task(self._answer(update))
        finally:
            await self._api.stop()

    def arrived(self, shown: str, data: dict[str, Any]) -> bool:  # Telegram's JSON
        """Take an update that came to the webhook; False when it does not show the secret."""
        if not self._webhook_url or not hmac.compare_digest(shown.encode(), self._secret.encode()):
            return False
        parsed = self._api.parse(data)
        if parsed is not None and parsed[0] not in self._seen:
            self._seen[parsed[0]] = None
            while len(self._seen) > SEEN_MAX:
                self._seen.popitem(last=False)
            if parsed[1] is not None:
                self._arrived.put(parsed[1])
        return True

    async def _begin(self) -> None:
        """Connect, show the menu and choose the way of updates, however long that takes."""
        tries = 0
        while (failed := await self._try_to_begin()) is not None:
            tries += 1
            await self._wait(failed, tries)
        self._trouble = ""

    async def _try_to_begin(self) -> NotSent | None:
        return (
            await self._api.start()
            or await self._show_menus()
            or (
                await self._api.use_webhook(self._webhook_url, self._secret)
                if self._webhook_url
                else await self._api.use_polling()
            )
        )

    async def _show_menus(self) -> NotSent | None:
        """English for everybody, and each other language for those whose Telegram speaks it."""
        for language in TRANSLATED:
            menu = [(each.name, Say(language)(each.summary)) for each in DECLARED]
            code = "" if language == ENGLISH.language else language
            if (failed := await self._api.show_menu(menu, code)) is not None:
                return failed
        return None

    async def _next(self) -> list[Update]:
        """The next updates, in order."""
        if self._webhook_url:
            return await self._arrived.take(BATCH_MAX)
        tries = 0
        while isinstance(found := await self._api.updates(self._after), NotSent):
            tries += 1
            await self._wait(found, tries)
        self._trouble = ""
        for update_id, _ in found:
            self._after = max(self._after, update_id)
        return [update for _, update in found if update is not None]

    async def _wait(self, failed: NotSent, tries: int) -> None:
        self._trouble = failed.reason
        doubled = PAUSE_FIRST_S * 2.0 ** min(tries - 1, 10)
        pause_s = min(doubled, PAUSE_MAX_S) * float(self._rng.uniform(0.5, 1.0))
        await asyncio.sleep(max(pause_s, failed.retry_after_s or 0.0))

    async def _answer(self, update: Update) -> None:
        try:
            lock = self._chats.setdefault(update.chat_id, asyncio.Lock())
            async with lock:
                await self._bot.take(update)
        finally:
            self._at_once.release()
