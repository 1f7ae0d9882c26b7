"""Where the feature flags are asked: manual orders, claims, programs' keys, exploration."""

from typing import Final

import msgspec

from plan2.connectivity.identity.api_keys import ApiKeys
from plan2.connectivity.identity.principal import Session
from plan2.foundation.config.flags import Flags
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import TenantId

PROGRAMS: Final = "programs"
EXPLORATION: Final = "exploration"


class Features:
    """The flags as the rest of Plan2 asks them."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags

    def may(self, flag: str, session: Session) -> bool:
        """Whether a feature is on for a caller."""
        user = session.user
        return self._flags.is_on(flag, TenantId(user.tenant_id), user.user_id)

    def settings_with(self, tenant_id: TenantId, settings: Settings) -> Settings:
        """A tenant's settings with what its flags take away."""
        if self._flags.is_on(EXPLORATION, tenant_id):
            return settings
        decision = msgspec.structs.replace(settings.decision, explore_after_s=0.0)
        return msgspec.structs.replace(settings, decision=decision)


class FlaggedKeys:
    """Programs' keys, as long as programs are let in at all."""

    def __init__(self, keys: ApiKeys, flags: Flags) -> None:
        self._keys = keys
        self._flags = flags

    def find(self, shown: str, address: str) -> Session | None:
        """Whose key it is; None when it is nobody's, or programs are switched off."""
        session = self._keys.find(shown, address)
        if session is None or not self._is_on(session.user.tenant_id):
            return None
        return session

    def is_live(self, key_id: str) -> bool:
        """Whether a key is still good."""
        return self._keys.is_live(key_id)

    def _is_on(self, tenant_id: str) -> bool:
        return self._flags.is_on(PROGRAMS, TenantId(tenant_id))
