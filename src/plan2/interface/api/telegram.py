"""Routes about Telegram: how it stands, codes that pair a chat, unpairing, and the webhook."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Final, Protocol

import msgspec
from litestar import delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import OpenRequest, SignedRequest
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.totp import qr_code
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.health import Health, Status
from plan2.foundation.secrets.sealing import KeysUnavailable
from plan2.interface.api.paging import ItemId
from plan2.interface.language.say import in_every_language
from plan2.interface.notify.kinds import KINDS
from plan2.interface.notify.notification import Notification, Recipient, Severity
from plan2.interface.screen import to_us
from plan2.interface.telegram.kept_token import BotToken, TokenTried
from plan2.interface.telegram.pairing import Chat, Pairings
from plan2.interface.telegram.token import Source, token_in

PATH: Final = "/api/v1/telegram"
TAGS: Final = ("telegram",)
BODY_MAX_BYTES: Final = 4_096
UPDATE_MAX_BYTES: Final = 262_144
SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
TEST: Final = ("A test message", "Messages from Plan2 reach you here.")
LINK: Final = "https://t.me/{bot}?start={code}"

Everyones = Annotated[
    bool, Parameter(query="all", description="Every pairing of the tenant, for administrators.")
]


class Running(Protocol):
    """The bot at work."""

    @property
    def username(self) -> str:
        """Its name, "" until Telegram told it."""
        ...

    def check(self) -> Health:
        """Whether Telegram can be reached."""
        ...

    def arrived(self, shown: str, data: dict[str, Any]) -> bool:  # Telegram's JSON
        """Take an update of the webhook; False when it does not show the secret."""
        ...


class ChatItem(msgspec.Struct, frozen=True, kw_only=True):
    """A paired chat; `label` is what its person calls themselves there."""

    pairing_id: str
    user_id: str
    user: str
    label: str
    paired_us: int
    is_own: bool


class KindItem(msgspec.Struct, frozen=True):
    """A kind of message, and how it comes unless somebody chose otherwise."""

    kind: str
    title: str
    loudness: str


class TokenItem(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bot's token in use is from, and whether one is kept sealed; never the token."""

    source: Source
    is_kept: bool


class TelegramInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How Telegram stands for the caller.

    `agrees`: they consented to be told outside of the web app (purpose `notifications`).
    `token`: for operators alone.
    """

    is_enabled: bool
    is_well: bool
    detail: str
    bot: str
    agrees: bool
    chats: list[ChatItem]
    kinds: list[KindItem]
    token: TokenItem | None = None


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token as BotFather gave it."""

    token: Annotated[str, Meta(max_length=256)]

    def __repr__(self) -> str:
        """Without the token."""
        return "TokenBody()"


class PairingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose chat is to be paired; "" is the caller. Only the key of this machine names another."""

    user_id: Annotated[str, Meta(max_length=128)] = ""


class PairingCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code for one chat, shown only here; the link and its picture carry it to the bot."""

    code: str
    link: str
    qr_svg: str
    qr_data_uri: str
    expires_us: int


class Told(msgspec.Struct, frozen=True):
    """Whether the message is on its way."""

    is_sent: bool


class TelegramParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes work with.

    Attributes:
        pairings: whose chats are whose. book: people. clock: wall time.
        running: the bot, None where Telegram is off. token: of the bot.
        agrees: whether somebody consented to messages. tell: sends one to a person.
    """

    pairings: Pairings
    book: UserBook
    clock: Clock
    running: Running | None
    token: BotToken
    agrees: Callable[[Recipient], bool]
    tell: Callable[[Recipient, Notification], bool]


class TelegramRoutes:
    """`/api/v1/telegram…`."""

    def __init__(self, parts: TelegramParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """The eight routes."""
        limit = BODY_MAX_BYTES
        return [
            get(PATH, tags=TAGS)(self.show),
            post(f"{PATH}/codes", request_max_body_size=limit, tags=TAGS)(self.code),
            post(f"{PATH}/test", status_code=200, request_max_body_size=limit, tags=TAGS)(
                self.test
            ),
            delete(f"{PATH}/chats/{{pairing_id:str}}", tags=TAGS)(self.unpair),
            put(f"{PATH}/token", request_max_body_size=limit, tags=TAGS)(self.keep_token),
            delete(f"{PATH}/token", status_code=200, tags=TAGS)(self.forget_token),
            post(f"{PATH}/token/check", status_code=200, request_max_body_size=limit, tags=TAGS)(
                self.try_token
            ),
            post(
                f"{PATH}/webhook",
                status_code=200,
                request_max_body_size=UPDATE_MAX_BYTES,
                tags=TAGS,
            )(self.webhook),
        ]

    async def show(self, request: SignedRequest, everyones: Everyones = False) -> TelegramInfo:
        """How the bot is, the caller's chats or the tenant's, and the kinds of messages."""
        session, parts = request.auth, self._parts
        user = session.user
        if everyones and user.role is not Role.TENANT_ADMIN:
            raise RequestRefused(403, "forbidden", "Administrators see everybody's chats.")
        chats = parts.pairings.of_tenant(user.tenant_id)
        health = parts.running.check() if parts.running else Health(Status.STOPPED, "It is off.")
        return TelegramInfo(
            is_enabled=parts.running is not None,
            is_well=health.status is Status.OK,
            detail=health.detail,
            bot=parts.running.username if parts.running else "",
            agrees=parts.agrees(Recipient(user.tenant_id, user.user_id)),
            chats=[
                self._item(chat, user)
                for chat in chats
                if everyones or chat.user_id == user.user_id
            ],
            kinds=[KindItem(name, each.title, each.loudness) for name, each in KINDS.items()],
            token=self._token() if user.is_operator else None,
        )

    async def keep_token(self, request: SignedRequest, data: TokenBody) -> TokenItem:
        """Seal the bot's token; the bot begins with it at once, unless one from outside is used."""
        try:
            await self._parts.token.keep(token_in(data.token), request.auth.actor)
        except InputError as error:
            raise RequestRefused(422, "no_token", error.message, remedy=error.remedy) from None
        except KeysUnavailable as error:
            raise RequestRefused(503, error.code, error.message, remedy=error.remedy) from None
        return self._token()

    async def forget_token(self, request: SignedRequest) -> TokenItem:
        """Take away the token that is kept sealed; without another one the bot falls silent."""
        await self._parts.token.forget(request.auth.actor)
        return self._token()

    async def try_token(self) -> TokenTried:
        """Show the token in use to Telegram now: whose bot it is, or why that cannot be had."""
        return await self._parts.token.tried()

    def _token(self) -> TokenItem:
        token = self._parts.token
        return TokenItem(source=token.source, is_kept=token.is_kept)

    async def code(self, request: SignedRequest, data: PairingBody) -> PairingCode:
        """A code that pairs the first chat that sends it within ten minutes."""
        running = self._parts.running
        if running is None or not running.username:
            raise RequestRefused(
                409,
                "telegram_off",
                "Telegram is switched off here, or its bot cannot be reached.",
                remedy="An operator sets telegram.enabled and the bot's token.",
            )
        found = self._parts.pairings.new_code(self._person(request.auth, data.user_id))
        link = LINK.format(bot=running.username, code=found.code)
        picture = qr_code(link)
        return PairingCode(
            code=found.code,
            link=link,
            qr_svg=picture.svg,
            qr_data_uri=picture.data_uri,
            expires_us=to_us(found.expires_ns),
        )

    async def test(self, request: SignedRequest) -> Told:
        """Send the caller a message, to see that it comes."""
        user = request.auth.user
        notification = Notification(
            tenant_id=user.tenant_id,
            kind="alert",
            severity=Severity.INFO,
            title=TEST[0],
            sentence=TEST[1],
            translated=in_every_language(*TEST),
            at_ns=self._parts.clock.now_ns(),
            user_id=user.user_id,
        )
        return Told(self._parts.tell(Recipient(user.tenant_id, user.user_id), notification))

    async def unpair(self, request: SignedRequest, pairing_id: ItemId) -> None:
        """End a pairing at once; one's own, or for administrators any of the tenant."""
        user = request.auth.user
        found = [
            chat
            for chat in self._parts.pairings.of_tenant(user.tenant_id)
            if chat.pairing_id == pairing_id
            and (chat.user_id == user.user_id or user.role is Role.TENANT_ADMIN)
        ]
        if not found:
            raise RequestRefused(404, "not_found", "There is no such paired chat.")
        await self._parts.pairings.unpair(found[0], request.auth.actor)

    async def webhook(self, request: OpenRequest) -> None:
        """Updates from Telegram, which shows the secret that it was given."""
        running = self._parts.running
        try:
            data = json.loads(await request.body())
        except (ValueError, RecursionError):
            data = None
        shown = request.headers.get(SECRET_HEADER, "")
        is_ours = isinstance(data, dict) and running is not None and running.arrived(shown, data)
        if not is_ours:
            raise RequestRefused(403, "forbidden", "This address is for Telegram alone.")

    def _person(self, session: Session, user_id: str) -> User:
        if not user_id and session.via is not Via.LOCAL:
            return session.user
        person = self._parts.book.find(session.user.tenant_id, user_id)
        if session.via is not Via.LOCAL or person is None or person.is_blocked:
            raise RequestRefused(
                403 if session.via is not Via.LOCAL else 404,
                "not_a_person",
                "A code is for the person who asks for it."
                if session.via is not Via.LOCAL
                else "Name the person whose chat is to be paired.",
            )
        return person.user

    def _item(self, chat: Chat, caller: User) -> ChatItem:
        person = self._parts.book.find(chat.tenant_id, chat.user_id)
        return ChatItem(
            pairing_id=chat.pairing_id,
            user_id=chat.user_id,
            user=person.user.name if person is not None else "",
            label=chat.label,
            paired_us=to_us(chat.paired_ns),
            is_own=chat.user_id == caller.user_id,
        )
