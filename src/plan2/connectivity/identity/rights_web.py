"""Who may look at what only the web app and its verbs ask for."""

from typing import Final

import msgspec

from plan2.connectivity.identity.rights import READ, RateClass, Rule

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/risk/scenarios"): msgspec.structs.replace(READ, rate=RateClass.ANALYTICS),
}
