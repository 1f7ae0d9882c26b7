"""The twin has what the package has: every constant, record, dtype and function, and no other."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twin_fixtures import ground

from plan2.dataflow.terminals.twin import columns, constants, errors, structs, texts

PYTHON = {"b": "bool", "i": "int", "f": "float", "s": "str", "r": "TradeRequest"}


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    """What was read out of package 5.0.6231."""
    path = shared_data.parent / "specs" / "mt5_constants.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the shared data")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_every_constant_has_its_value(facts: dict[str, Any]) -> None:
    """223 names, none missing, none added."""
    assert constants.exported() == facts["constants"]


def test_the_module_shows_the_constants(facts: dict[str, Any]) -> None:
    """As attributes, and nothing else that looks like a constant."""
    shown = {name: value for name, value in vars(ground().mt5).items() if name.isupper()}

    assert shown == facts["constants"]


def test_every_record_has_its_fields_in_order(facts: dict[str, Any]) -> None:
    """Names, order and Python types of all eleven."""
    mt5 = ground().mt5

    assert {kind.__name__ for kind in structs.EXPORTED} == set(facts["structs"])
    for name, fields in facts["structs"].items():
        kind = getattr(mt5, name)
        layout = [(field, PYTHON[letter]) for field, letter in kind._layout]
        assert layout == [(field["name"], field["py"]) for field in fields], name


@pytest.mark.parametrize(("ours", "name"), [(columns.TICKS, "TICKS"), (columns.RATES, "RATES")])
def test_arrays_are_packed_as_in_the_package(
    facts: dict[str, Any], ours: np.dtype[Any], name: str
) -> None:
    """Names, order, byte layout, 60 bytes a row without padding."""
    wanted = np.dtype([tuple(field) for field in facts["dtypes"][name]])

    assert ours == wanted
    assert ours.itemsize == facts["dtypes"]["itemsize"]
    assert not ours.isalignedstruct


def test_every_function_is_there_and_no_other(facts: dict[str, Any]) -> None:
    """35 callables, the three shortcuts included."""
    mt5 = ground().mt5
    functions = {
        name
        for name, value in vars(mt5).items()
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
    }

    assert functions == set(facts["functions"])


def test_error_codes_and_texts(facts: dict[str, Any]) -> None:
    """The texts that do not depend on the call, word for word."""
    wanted = facts["last_error"]["texts"]

    assert {constants.RES_S_OK, *errors.TEXTS} == {int(code) for code in wanted}
    assert (1, wanted["1"]) == errors.SUCCESS
    for code, text in errors.TEXTS.items():
        assert wanted[str(code)].startswith(text), code


def test_the_broker_s_texts(facts: dict[str, Any]) -> None:
    """Those that were seen on real terminals."""
    seen = facts["observed_texts"]
    assert seen.pop("order_check 0") == texts.CHECKED
    for name, text in seen.items():
        assert texts.RETCODE_TEXTS[int(name.rpartition(" ")[2])] == text
