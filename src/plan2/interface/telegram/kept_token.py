"""The bot's token as people set it while Plan2 runs: sealed in the installation's own tables.

It is sealed with the main tenant's key and bound to its place, lies beside the settings, and comes
out for the bot alone: no route, event or log line has it.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.config.overlay_keys import GLOBAL
from plan2.foundation.config.overlay_merge import Entry
from plan2.foundation.config.overlay_store import OverlayStore
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import SettingChanged
from plan2.foundation.log import logger
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.sealing import KeysUnavailable, Place, SealBroken, Sealer
from plan2.foundation.values import TenantId
from plan2.interface.telegram.token import Source, token_from_outside

KEY: Final = "telegram.token"
ROW: Final = f"secret.{KEY}"
"""Keys of settings have one dot: nothing that may be set is called so."""
STREAM: Final = "settings"
SEALED: Final = '"sealed"'
"""What the log says in place of a token."""


class TokenPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the token is kept with.

    Attributes:
        store, main: the settings, and the tenant whose tables keep what all share.
        record: takes `SettingChanged`. clock: the machine's.
        settings, environment: where a token from outside would be; `is_asked`: whether to look,
            which is where the bot runs.
    """

    store: OverlayStore
    main: TenantId
    sealer: Sealer
    record: Record
    clock: Clock
    settings: Telegram
    environment: Mapping[str, str]
    is_asked: bool


class TokenTried(msgspec.Struct, frozen=True, kw_only=True):
    """What Telegram said to the token in use; never the token.

    Attributes:
        source: where the token is from, "" without one. base_url: whom it was shown to.
        bot: the bot's name, "" when `reason` says why it cannot be had.
        is_enabled: whether the bot runs in this Plan2.
    """

    source: Source
    bot: str
    reason: str
    is_enabled: bool
    base_url: str


class BotToken:
    """The token in use: from the file, else the variable, else what is kept sealed.

    Raises:
        ConfigError: a token from outside looks like none, or its file is open to others.
    """

    def __init__(self, plan: TokenPlan) -> None:
        self._plan = plan
        self._outside: Secret | None = None
        self._source: Source = ""
        if plan.is_asked:
            self._outside, self._source = token_from_outside(plan.settings, plan.environment)
        self._kept: Secret | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after the token in use was replaced or taken away."""
        self._listeners.append(listener)

    def current(self) -> Secret | None:
        """The token in use, None while there is none; from memory."""
        return self._outside or self._kept

    @property
    def source(self) -> Source:
        """Where the token in use is from."""
        return self._source or ("kept" if self._kept else "")

    @property
    def is_kept(self) -> bool:
        """Whether one is kept sealed, in use or not."""
        return self._kept is not None

    async def load(self) -> None:
        """Read and open what is kept; one that does not open counts as none and is logged."""
        rows = await self._plan.store.read(self._plan.main)
        entry = rows.get((GLOBAL, "", ROW))
        if entry is None or entry.value is None:
            return
        try:
            sealed = base64.b64decode(msgspec.json.decode(entry.value, type=str), validate=True)
            opened = await self._plan.sealer.open(self._place(), sealed)
        except (SealBroken, KeysUnavailable, binascii.Error, msgspec.DecodeError) as error:
            logger("telegram").warning("token_not_opened", reason=type(error).__name__)
            return
        self._kept = Secret(opened.decode())

    async def tried(self) -> TokenTried:
        """What Telegram says to the token in use, now; loads the bot's library."""
        from plan2.interface.telegram.bot_api import who_is

        plan = self._plan
        said = await who_is(self.current(), plan.settings.base_url)
        return TokenTried(
            source=self.source,
            bot=said if isinstance(said, str) else "",
            reason="" if isinstance(said, str) else said.reason,
            is_enabled=plan.is_asked,
            base_url=plan.settings.base_url,
        )

    async def keep(self, token: Secret, by: str) -> None:
        """Seal a token and use it from now on, unless one from outside goes before it.

        Raises:
            KeysUnavailable, StoreBusy: it is not kept.
        """
        sealed = await self._plan.sealer.seal(self._place(), token.reveal().encode())
        entry = Entry(
            value=msgspec.json.encode(base64.b64encode(sealed).decode()).decode(),
            changed_ns=self._plan.clock.now_ns(),
            changed_by=by,
        )
        await self._put(entry, token, by)

    async def forget(self, by: str) -> None:
        """Take away what is kept; harmless when there is nothing.

        Raises:
            StoreBusy: it is still kept.
        """
        if self._kept is not None:
            await self._put(None, None, by)

    async def _put(self, entry: Entry | None, token: Secret | None, by: str) -> None:
        plan, before = self._plan, self._kept
        await plan.store.put(plan.main, (GLOBAL, "", ROW), entry)
        self._kept = token
        changed = SettingChanged(
            ts_ns=plan.clock.now_ns(),
            scope=GLOBAL.value,
            subject="",
            key=KEY,
            old_value=SEALED if before else "",
            new_value=SEALED if token else "",
            is_locked=False,
            reason="",
            by=by,
        )
        plan.record(plan.main, STREAM, changed, actor=by)
        if not self._source:
            for listener in self._listeners:
                listener()

    def _place(self) -> Place:
        return Place(tenant_id=self._plan.main, table="setting", column="value", row=ROW)
