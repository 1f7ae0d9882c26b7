"""Return codes: every one is known, classed, and has a sentence; numbers are the package's."""

import enum
import json
from pathlib import Path

import pytest

from plan2.dataflow.terminals.mt5 import codes
from plan2.dataflow.terminals.mt5.calls import FLOAT_FIELDS, INT_FIELDS, MEANINGS, TEXT_FIELDS
from plan2.dataflow.terminals.mt5.retcodes import RETCODES, Outcome, retcode
from plan2.dataflow.terminals.twin import constants

CLASSES = {
    "idempotent_ok": {Outcome.ALREADY_SO},
    "retry_fresh_price": {Outcome.FRESH_PRICE},
    "backoff_retry": {Outcome.BACK_OFF},
    "unknown_outcome_reconcile": {Outcome.UNKNOWN},
    "rejected_terminal": {Outcome.REFUSED},
    "request_bug": {Outcome.REQUEST_BUG},
    "state_drift_resync": {Outcome.RESYNC},
    "halt_symbol_until_session": {Outcome.SESSION},
    "halt_trading": {Outcome.HALT},
    "success": {Outcome.DONE, Outcome.PARTIAL, Outcome.PLACED},
}
PREFIXES = {
    codes.TickFlag: "TICK_FLAG_",
    codes.Action: "TRADE_ACTION_",
    codes.OrderType: "ORDER_TYPE_",
    codes.OrderState: "ORDER_STATE_",
    codes.OrderFilling: "ORDER_FILLING_",
    codes.CalcMode: "SYMBOL_CALC_MODE_",
    codes.Execution: "SYMBOL_TRADE_EXECUTION_",
    codes.OrderTime: "ORDER_TIME_",
    codes.DealEntry: "DEAL_ENTRY_",
    codes.DealReason: "DEAL_REASON_",
    codes.DealType: "DEAL_TYPE_",
    codes.PositionType: "POSITION_TYPE_",
    codes.AccountTradeMode: "ACCOUNT_TRADE_MODE_",
    codes.AccountMarginMode: "ACCOUNT_MARGIN_MODE_",
    codes.SwapMode: "SYMBOL_SWAP_MODE_",
}


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, dict[str, dict[str, object]]]:
    """What was read out of the package."""
    path = shared_data.parent / "specs" / "mt5_constants.json"
    if not path.is_file():
        pytest.skip(f"the package's facts are not at {path}")
    found: dict[str, dict[str, dict[str, object]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_every_code_of_the_facts_has_its_class(
    facts: dict[str, dict[str, dict[str, object]]],
) -> None:
    """Each retcode of the research is in the table, named and classed as it was there."""
    for group, members in facts["retcode_classes_proposed"].items():
        for code, name in members.items():
            row = RETCODES[int(code)]
            assert (f"TRADE_RETCODE_{row.name}", group) == (name, group)
            assert row.outcome in CLASSES[group], code


def test_every_code_of_the_package_is_in_the_table() -> None:
    """No constant of the package is missing, and none has another number."""
    exported = constants.exported()
    theirs = {name: value for name, value in exported.items() if name.startswith("TRADE_RETCODE_")}

    assert len(theirs) > 35
    ours = {f"TRADE_RETCODE_{row.name}": row.code for row in RETCODES.values()}
    assert theirs.items() <= ours.items()
    assert ours.keys() - theirs.keys() == {"TRADE_RETCODE_HEDGE_PROHIBITED"}


def test_every_row_explains_itself() -> None:
    """Reasons are stable words, each code has its own; meanings are sentences."""
    reasons = [row.reason for row in RETCODES.values()]

    assert len(set(reasons)) == len(reasons)
    for row in RETCODES.values():
        assert row.reason.replace("_", "").isalnum()
        assert row.reason.islower()
        assert row.meaning.endswith(".")


def test_a_code_nobody_knows_leaves_the_outcome_open() -> None:
    """An undocumented code is never taken for a refusal."""
    assert retcode(10999).outcome is Outcome.UNKNOWN
    assert "10999" in retcode(10999).meaning


@pytest.mark.parametrize("kind", PREFIXES, ids=lambda kind: kind.__name__)
def test_our_names_have_the_packages_numbers(
    kind: type[enum.IntEnum], facts: dict[str, dict[str, dict[str, object]]]
) -> None:
    """Each number that we write by name is the package's."""
    for member in kind:
        assert facts["constants"][f"{PREFIXES[kind]}{member.name}"] == member.value


def test_numbers_that_only_mql5_exports(facts: dict[str, dict[str, dict[str, object]]]) -> None:
    """The masks of a symbol, and COPY_TICKS_ALL, which imitations get wrong."""
    masks = facts["mql5_only_constants"]
    for filling in codes.FillingBit:
        assert masks[f"SYMBOL_FILLING_{filling.name}"] == filling.value
    for expiration in codes.ExpirationBit:
        assert masks[f"SYMBOL_EXPIRATION_{expiration.name}"] == expiration.value
    assert facts["constants"]["COPY_TICKS_ALL"] == codes.COPY_TICKS_ALL == -1


def test_every_error_of_the_package_has_a_meaning(
    facts: dict[str, dict[str, dict[str, object]]],
) -> None:
    """Each code of last_error is explained, under the package's number."""
    assert set(facts["last_error"]["codes"].values()) == {int(one) for one in MEANINGS}


def test_request_fields_are_the_packages(
    facts: dict[str, dict[str, dict[str, object]]],
) -> None:
    """The exact type of each field of a request."""
    rules = facts["request_rules"]
    assert set(rules["int_fields"]) == INT_FIELDS
    assert set(rules["float_fields"]) == FLOAT_FIELDS
    assert set(TEXT_FIELDS) == set(rules["str_fields"])
