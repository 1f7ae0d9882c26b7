"""Who may look at backtests, start and remove them."""

from typing import Final

from plan2.connectivity.identity.rights import START, WATCH, Rule

BACKTESTS: Final = "/api/v1/backtests"

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", BACKTESTS): WATCH,
    ("POST", BACKTESTS): START,
    ("POST", BACKTESTS + "/check"): WATCH,
    ("GET", BACKTESTS + "/compare"): WATCH,
    ("GET", BACKTESTS + "/{run_id}"): WATCH,
    ("DELETE", BACKTESTS + "/{run_id}"): START,
    ("GET", BACKTESTS + "/{run_id}/live"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/trades"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/orders"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/equity"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/bars"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/report"): WATCH,
    ("GET", BACKTESTS + "/{run_id}/export"): WATCH,
}
