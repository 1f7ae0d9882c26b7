"""Who may ask language models: whoever reads may have things worded, traders may tag news."""

from typing import Final

import msgspec

from plan2.connectivity.identity.rights import READERS, START, WATCH, Rule

WORD: Final = msgspec.structs.replace(START, roles=READERS)
"""Asking costs money of the tenant's budget, but changes nothing."""

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/assistants"): WATCH,
    ("POST", "/api/v1/decisions/{decision_id}/explain"): WORD,
    ("POST", "/api/v1/assistants/report"): WORD,
    ("POST", "/api/v1/assistants/news"): START,
}
