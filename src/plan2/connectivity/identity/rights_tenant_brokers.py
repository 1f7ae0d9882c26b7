"""Who may do what about a tenant's own broker account: its administrators, freshly proven."""

from typing import Final

from plan2.connectivity.identity.rights import ADMINISTER_PROVEN, OPERATE, OVERSEE, WATCH, Rule

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/broker-account"): WATCH,
    ("PUT", "/api/v1/broker-account"): ADMINISTER_PROVEN,
    ("DELETE", "/api/v1/broker-account"): ADMINISTER_PROVEN,
    ("POST", "/api/v1/broker-account/keys"): ADMINISTER_PROVEN,
    ("DELETE", "/api/v1/broker-account/keys/{key_id}"): ADMINISTER_PROVEN,
    ("GET", "/api/v1/tenants/{tenant_id}/broker"): OVERSEE,
    ("PUT", "/api/v1/tenants/{tenant_id}/broker"): OPERATE,
    ("DELETE", "/api/v1/tenants/{tenant_id}/broker"): OPERATE,
}
