"""The list of erased people: what is on it stays, whatever broke off."""

from pathlib import Path

import pytest

from plan2.connectivity.identity.erasure_ledger import FILE_NAME, Erasure, ErasureLedger
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

MAIN = TenantId("main")


def erasure(subject: str) -> Erasure:
    """Somebody of the main tenant."""
    return Erasure(tenant=MAIN, subject=subject, erased_us=1)


def test_a_torn_line_is_not_read_and_spoils_no_other(tmp_path: Path) -> None:
    """A crash cut the second line off: who is erased afterwards is found at the next start."""
    ledger = ErasureLedger(tmp_path)
    ledger.add(erasure("a"))
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'{"tenant":"ma')
    assert [each.subject for each in ledger.of(MAIN)] == ["a"]
    ledger.add(erasure("b"))
    assert [each.subject for each in ErasureLedger(tmp_path).of(MAIN)] == ["a", "b"]


def test_a_broken_line_in_the_middle_is_told(tmp_path: Path) -> None:
    """Somebody might be forgotten: better no start than that."""
    ledger = ErasureLedger(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"nonsense\n")
    ledger.add(erasure("a"))
    with pytest.raises(InputError, match="damaged"):
        ledger.of(MAIN)


def test_the_second_copy_makes_up_for_a_lost_first_one(tmp_path: Path) -> None:
    """Either copy is enough; a person who is in both is one; other tenants are others."""
    first, second = tmp_path / "a", tmp_path / "b"
    ledger = ErasureLedger(first, second)
    ledger.add(erasure("a"))
    (first / FILE_NAME).unlink()
    ledger.add(erasure("b"))
    assert sorted(each.subject for each in ledger.of(MAIN)) == ["a", "b"]
    assert ledger.of(TenantId("other")) == []
