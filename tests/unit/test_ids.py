"""Identifiers: derived ones are reproducible anywhere, random ones never repeat."""

from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.ids import RandomIds, SeededIds, derived_id


def test_derived_ids_are_blake2b_of_the_joined_parts() -> None:
    r"""Against `printf 'run\x1f1\x1fEURUSD' | b2sum -l 128` of GNU coreutils."""
    assert derived_id("run", 1, "EURUSD") == "c1300774f0eee48b962035d78572ed58"


def test_no_part_at_all_is_the_empty_hash() -> None:
    """Against `printf '' | b2sum -l 128`."""
    assert derived_id("") == "cae66941d9efbd404e4d88758ea67670"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x1f")), st.text(min_size=1))
def test_parts_do_not_run_together(left: str, right: str) -> None:
    """Joining two parts differs from giving them apart."""
    assert derived_id(left, right) != derived_id(left + right)


def test_seeded_ids_depend_on_seed_kind_and_number_only() -> None:
    """Two sources with one seed agree, whatever else was asked in between."""
    first, second = SeededIds("s"), SeededIds("s")
    orders = [first.next_id("order") for _ in range(3)]
    mixed = []
    for _ in range(3):
        second.next_id("fill")
        mixed.append(second.next_id("order"))

    assert mixed == orders
    assert len(set(orders)) == 3
    assert SeededIds("t").next_id("order") not in orders


def test_random_ids_are_32_hex_digits_and_differ() -> None:
    """128 random bits: no two of a thousand are equal."""
    source = RandomIds()
    ids = {source.next_id("session") for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)
