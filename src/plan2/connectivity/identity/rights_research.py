"""Who may look at research, start and stop it."""

from typing import Final

from plan2.connectivity.identity.rights import START, WATCH, Rule

RESEARCH: Final = "/api/v1/research"

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", RESEARCH): WATCH,
    ("POST", RESEARCH): START,
    ("GET", RESEARCH + "/{research_id}"): WATCH,
    ("POST", RESEARCH + "/{research_id}/cancel"): START,
}
