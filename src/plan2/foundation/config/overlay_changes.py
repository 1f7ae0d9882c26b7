"""What may be asked of the overlay, and the ways it refuses."""

import msgspec

from plan2.foundation.config.overlay_keys import OVERRIDABLE, Overridable, SettingScope
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId


class SettingUnknown(InputError):
    """There is no such setting, or it cannot be set there."""

    code = "setting_unknown"


class SettingLocked(InputError):
    """A wider scope has locked the setting."""

    code = "setting_locked"


class SettingInvalid(InputError):
    """The value, or what it makes of the whole, is not allowed."""

    code = "setting_invalid"


class SettingLoosens(InputError):
    """The change would permit more than now, and whoever asks may only tighten."""

    code = "setting_loosens"


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a setting and why; `may_loosen` when that was proven and agreed to."""

    by: str
    reason: str
    may_loosen: bool


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which setting of whom: the tenant is empty for the whole installation."""

    scope: SettingScope
    key: str
    tenant_id: TenantId = TenantId("")
    user_id: str = ""

    @property
    def subject(self) -> str:
        """Whose it is, as events say it."""
        return self.user_id or self.tenant_id


def declared(target: Target) -> Overridable:
    """The declaration of a setting.

    Raises:
        SettingUnknown: there is none, or it cannot be set in this scope.
    """
    found = OVERRIDABLE.get(target.key)
    if found is None:
        raise SettingUnknown(
            f"{target.key!r} is not a setting that can be changed while Plan2 runs.",
            remedy="`plan2 config show --origin` lists those that can; the others are in the file.",
        )
    if target.scope not in found.scopes:
        allowed = " or ".join(scope.value for scope in found.scopes)
        raise SettingUnknown(
            f"{target.key} cannot be set for a {target.scope}; {allowed} is expected."
        )
    return found
