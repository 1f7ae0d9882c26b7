"""Who may look at flows, register them, and move them through their life."""

from typing import Final

from plan2.connectivity.identity.rights import GUIDE, GUIDE_PROVEN, READ, Rule

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/flows"): READ,
    ("GET", "/api/v1/flows/{name}"): READ,
    ("GET", "/api/v1/flows/{name}/diff"): READ,
    ("GET", "/api/v1/flows/{name}/comparisons"): READ,
    ("POST", "/api/v1/flows"): GUIDE,
    ("POST", "/api/v1/flows/check"): GUIDE,
    ("POST", "/api/v1/flows/{name}/move"): GUIDE,
    ("POST", "/api/v1/flows/{name}/override"): GUIDE_PROVEN,
}
