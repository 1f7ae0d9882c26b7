"""Telegram's Bot API over python-telegram-bot: sends, asks for updates, and sets the way they come.

The token stands in every address that the library asks for, so nothing of its errors is passed on:
reasons are our own words. Source of the protocol: https://core.telegram.org/bots/api
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import telegram
from telegram import error as telegram_error
from telegram.constants import ParseMode
from telegram.request import HTTPXRequest

from plan2.foundation.log import logger
from plan2.foundation.secret import Secret
from plan2.interface.telegram.messenger import Button, Incoming, NotSent, Press, Sent, Update

POLL_S: Final = 25
"""How long Telegram holds a question for updates that have not come yet."""
DEADLINE_S: Final = 10.0
CONNECTIONS: Final = 16
WANTED: Final = ["message", "callback_query"]
PARSE_FAILURE: Final = "can't parse entities"
UNCHANGED: Final = "message is not modified"
ALERT_MAX: Final = 190

NO_TOKEN: Final = NotSent(
    "There is no token of the bot yet: set it with `plan2 telegram token` or on page Settings.",
    0.0,
    is_outage=True,
)

T = TypeVar("T")


class BotApi:
    """One bot's way to Telegram.

    Args:
        token: asked at each start, so that another one counts from the next on; None while there
            is none. base_url: of the Bot API server, without the token, such as
            `https://api.telegram.org`.
    """

    def __init__(
        self,
        token: Callable[[], Secret | None],
        base_url: str,
        *,
        deadline_s: float = DEADLINE_S,
        poll_s: int = POLL_S,
    ) -> None:
        self._username = ""
        self._poll_s = poll_s
        self._deadline_s = deadline_s
        self._token = token
        self._root = base_url.rstrip("/")
        self._used: Secret | None = None
        self._bot = self._bot_of("0:none")

    def _bot_of(self, token: str) -> telegram.Bot:
        return telegram.Bot(
            token,
            base_url=f"{self._root}/bot",
            base_file_url=f"{self._root}/file/bot",
            request=self._request(CONNECTIONS),
            get_updates_request=self._request(1),
        )

    def _request(self, connections: int) -> HTTPXRequest:
        limit = self._deadline_s
        return HTTPXRequest(
            connection_pool_size=connections,
            read_timeout=limit,
            write_timeout=limit,
            connect_timeout=limit,
            pool_timeout=limit,
            media_write_timeout=2 * limit,
        )

    @property
    def username(self) -> str:
        """The bot's name, "" until Telegram told it."""
        return self._username

    # --- beginning and end ----------------------------------------------------------------

    async def start(self) -> NotSent | None:
        """Connect and learn the bot's name; why that failed, or None."""
        token = self._token()
        if token is None:
            return NO_TOKEN
        if token != self._used:
            self._username, self._used = "", token
            self._bot = self._bot_of(token.reveal())
        found = await self._try(self._bot.initialize)
        if isinstance(found, NotSent):
            return found
        self._username = str(self._bot.username)
        return None

    async def stop(self) -> None:
        """Close the connections; harmless when there are none."""
        await self._try(self._bot.shutdown)

    async def show_menu(
        self, commands: Sequence[tuple[str, str]], language: str = ""
    ) -> NotSent | None:
        """Set what a chat offers while a command is typed, for people of a language or for all."""
        entries = [telegram.BotCommand(name, words) for name, words in commands]
        set_commands = self._bot.set_my_commands
        return _failure(
            await self._try(lambda: set_commands(entries, language_code=language or None))
        )

    async def use_webhook(self, url: str, secret: str) -> NotSent | None:
        """Let updates come to an address of ours, with a secret in their header."""
        return _failure(
            await self._try(
                lambda: self._bot.set_webhook(url, allowed_updates=WANTED, secret_token=secret)
            )
        )

    async def use_polling(self) -> NotSent | None:
        """Let updates wait until they are asked for."""
        return _failure(await self._try(self._bot.delete_webhook))

    async def updates(self, after: int) -> list[tuple[int, Update | None]] | NotSent:
        """What came after an update's id, waiting a while; what we do not understand is None."""
        found = await self._try(
            lambda: self._bot.get_updates(
                offset=after + 1,
                timeout=self._poll_s,
                allowed_updates=WANTED,
                read_timeout=self._deadline_s,
            )
        )
        if isinstance(found, NotSent):
            return found
        return [(update.update_id, _update(update)) for update in found]

    def parse(self, data: dict[str, Any]) -> tuple[int, Update | None] | None:  # Telegram's JSON
        """An update that came to the webhook; None when it is none."""
        try:
            update = telegram.Update.de_json(data, self._bot)
        except (KeyError, TypeError, ValueError):
            return None
        return update.update_id, _update(update)

    # --- sending --------------------------------------------------------------------------

    async def send(
        self,
        chat_id: int,
        html: str,
        *,
        buttons: tuple[Button, ...] = (),
        is_silent: bool = False,
    ) -> Sent:
        """Send one message in Telegram's HTML, without previews of links."""
        sent = await self._try(
            lambda: self._bot.send_message(
                chat_id,
                html,
                parse_mode=ParseMode.HTML,
                disable_notification=is_silent,
                reply_markup=_keyboard(buttons),
                link_preview_options=telegram.LinkPreviewOptions(is_disabled=True),
            )
        )
        return sent if isinstance(sent, NotSent) else sent.message_id

    async def send_picture(self, chat_id: int, png: bytes, caption: str) -> Sent:
        """Send a picture with a plain caption."""
        sent = await self._try(
            lambda: self._bot.send_photo(
                chat_id, png, caption=caption or None, filename="plan2.png"
            )
        )
        return sent if isinstance(sent, NotSent) else sent.message_id

    async def edit(self, chat_id: int, message_id: int, html: str) -> Sent:
        """Replace a message of ours; its buttons go."""
        sent = await self._try(
            lambda: self._bot.edit_message_text(
                html, chat_id=chat_id, message_id=message_id, parse_mode=ParseMode.HTML
            )
        )
        return sent if isinstance(sent, NotSent) else message_id

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Take the clock off a touched button, with a short note."""
        await self._try(
            lambda: self._bot.answer_callback_query(press_id, text=text[:ALERT_MAX] or None)
        )

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message; harmless when it cannot be."""
        await self._try(lambda: self._bot.delete_message(chat_id, message_id))

    async def _try(self, call: Callable[[], Awaitable[T]]) -> T | NotSent:
        if self._used is None:
            return NO_TOKEN
        try:
            return await call()
        except telegram_error.TelegramError as error:
            failed = why(error)
            logger("telegram").info("telegram_refused", reason=failed.reason)
            return failed


async def who_is(token: Secret | None, base_url: str) -> str | NotSent:
    """The name of a token's bot as Telegram tells it now, or why it cannot be had."""
    api = BotApi(lambda: token, base_url)
    try:
        failed = await api.start()
    finally:
        await api.stop()
    return failed or api.username


def why(error: telegram_error.TelegramError) -> NotSent:
    """Why Telegram did not take something, in words that hold neither token nor chat."""
    if isinstance(error, telegram_error.RetryAfter):
        wait_s = _seconds(error)
        return NotSent(f"Telegram asks to wait {wait_s:.0f} s.", wait_s, is_outage=True)
    if isinstance(error, telegram_error.InvalidToken):
        return NotSent(
            "Telegram refused the bot's token; make a new one with BotFather.",
            300.0,
            is_outage=True,
        )
    if isinstance(error, telegram_error.Conflict):
        return NotSent(
            "Another program asks for the updates of this bot, or a webhook is set.",
            15.0,
            is_outage=True,
        )
    if isinstance(error, telegram_error.Forbidden):
        return NotSent("The person blocked the bot or deleted the chat.", None)
    if isinstance(error, telegram_error.BadRequest | telegram_error.ChatMigrated):
        text = str(error).lower()
        if PARSE_FAILURE in text:
            return NotSent("Telegram could not read the message's markup.", None)
        if UNCHANGED in text:
            return NotSent("The message says that already.", None)
        return NotSent("Telegram refused the message.", None)
    if isinstance(error, telegram_error.TimedOut):
        return NotSent("Telegram did not answer in time.", 0.0, is_outage=True)
    return NotSent("Telegram could not be reached.", 0.0, is_outage=True)


def _seconds(error: telegram_error.RetryAfter) -> float:
    found = error.retry_after  # the library is about to change its type; both are read
    return found.total_seconds() if isinstance(found, timedelta) else float(found)


def _failure(found: object) -> NotSent | None:
    return found if isinstance(found, NotSent) else None


def _keyboard(buttons: tuple[Button, ...]) -> telegram.InlineKeyboardMarkup | None:
    """One button a row, so that nobody touches the wrong one."""
    if not buttons:
        return None
    return telegram.InlineKeyboardMarkup(
        [[telegram.InlineKeyboardButton(each.text, callback_data=each.data)] for each in buttons]
    )


def _update(update: telegram.Update) -> Update | None:
    press, message = update.callback_query, update.message
    if press is not None:
        under = press.message
        if under is None or press.data is None or press.from_user.id != under.chat.id:
            return None  # in a group: a private chat has its person's id
        return Press(
            chat_id=under.chat.id,
            message_id=under.message_id,
            press_id=press.id,
            data=press.data,
        )
    if message is None or message.text is None:
        return None
    sender = message.from_user
    is_private = message.chat.type == telegram.constants.ChatType.PRIVATE
    return Incoming(
        chat_id=message.chat.id,
        message_id=message.message_id,
        is_private=is_private and sender is not None and sender.id == message.chat.id,
        label=sender.full_name if sender is not None else "",
        text=message.text,
        at_us=int(message.date.timestamp() * 1_000_000),
    )
