"""What a person asks for about a tenant, and the three ways to be refused."""

import msgspec

from plan2.foundation.errors import InputError


class TenantUnknown(InputError):
    """There is no such tenant."""

    code = "tenant_unknown"


class TenantExists(InputError):
    """The id is taken, or was."""

    code = "tenant_exists"


class TenantConflict(InputError):
    """The tenant's state, or work under way, does not allow it."""

    code = "tenant_conflict"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for: about which tenant, why, and who they are (`user:…`)."""

    tenant_id: str
    by: str
    reason: str = ""
