"""Codes of authenticator apps against the vectors of RFC 4226 and RFC 6238, and backup codes."""

import base64
import hashlib
import math
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.identity.backup_codes import CODE_BYTES, code_hash, new_codes
from plan2.connectivity.identity.sessions import new_secret
from plan2.connectivity.identity.totp import (
    STEP_S,
    matching_step,
    new_seed,
    otpauth_uri,
    qr_code,
    shown_seed,
)
from plan2.foundation.values import NS_PER_SECOND

SEED_20 = b"12345678901234567890"
HOTP = (
    *("755224", "287082", "359152", "969429", "338314"),
    *("254676", "287922", "162583", "399871", "520489"),
)
"""RFC 4226, appendix D: counters 0 to 9."""
TOTP = {
    59: ("94287082", "46119246", "90693936"),
    1111111109: ("07081804", "68084774", "25091201"),
    1111111111: ("14050471", "67062674", "99943326"),
    1234567890: ("89005924", "91819424", "93441116"),
    2000000000: ("69279037", "90698825", "38618901"),
    20000000000: ("65353130", "77737706", "47863826"),
}
"""RFC 6238, appendix B: time in seconds → eight digits for SHA-1, SHA-256, SHA-512."""
DIGESTS = ((hashlib.sha1, 20), (hashlib.sha256, 32), (hashlib.sha512, 64))


@pytest.mark.parametrize(("counter", "code"), list(enumerate(HOTP)))
def test_counter_codes_are_those_of_the_rfc(counter: int, code: str) -> None:
    """Ten of RFC 4226: taken in the step of that number, first and last nanosecond included."""
    start_ns = counter * STEP_S * NS_PER_SECOND
    assert matching_step(SEED_20, code, start_ns) == counter
    assert matching_step(SEED_20, code, start_ns + STEP_S * NS_PER_SECOND - 1) == counter


@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("at_s", list(TOTP))
def test_time_codes_are_those_of_the_rfc(at_s: int, column: int) -> None:
    """Eighteen of RFC 6238; the library makes eight digits, ours are the last six of SHA-1's."""
    digest, length = DIGESTS[column]
    seed = (SEED_20 * 4)[:length]
    clock = pyotp.TOTP(base64.b32encode(seed).decode(), digits=8, digest=digest)
    assert clock.at(at_s) == TOTP[at_s][column]
    ours = matching_step(seed, TOTP[at_s][column][2:], at_s * NS_PER_SECOND)
    assert ours == (at_s // 30 if digest is hashlib.sha1 else None)


def test_a_code_lives_only_in_its_step() -> None:
    """Neither the step before nor the one after: 30 seconds, not 90."""
    code, middle_s = HOTP[5], 5 * STEP_S + 15
    assert matching_step(SEED_20, code, (middle_s - STEP_S) * NS_PER_SECOND) is None
    assert matching_step(SEED_20, code, middle_s * NS_PER_SECOND) == 5
    assert matching_step(SEED_20, code, (middle_s + STEP_S) * NS_PER_SECOND) is None


@pytest.mark.parametrize("typed", ["", "25467", "2546760", "٢٥٤٦٧٦", "２５４６７６", "25467x"])
def test_only_six_plain_digits_are_a_code(typed: str) -> None:
    """Other digits that look alike are none; blanks between the digits do not matter."""
    at_ns = 5 * STEP_S * NS_PER_SECOND
    assert matching_step(SEED_20, typed, at_ns) is None
    assert matching_step(SEED_20, " 254 676", at_ns) == 5


def test_the_address_holds_what_an_app_needs() -> None:
    """Issuer, account and the seed in base32, as the Key URI format has them."""
    seed = new_seed(new_secret())
    parts = urlsplit(otpauth_uri(seed, "ann", "main"))
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Plan2:ann%40main")
    assert asked["issuer"] == ["Plan2"]
    assert base64.b32decode(asked["secret"][0]) == seed
    assert (len(seed), shown_seed(seed)) == (20, asked["secret"][0])
    picture = qr_code("otpauth://totp/x")
    assert picture.svg.startswith("<svg")
    assert picture.data_uri.startswith("data:image/svg+xml")


def test_backup_codes_are_ten_and_long_enough() -> None:
    """120 bits each, above the 112 from which a plain hash will do; all of them differ."""
    codes = [code for _ in range(20) for code in new_codes(new_secret)]
    letters = {letter for code in codes for letter in code if letter != "-"}
    assert len(new_codes(new_secret)) == 10
    assert len(set(codes)) == 200
    assert len(letters) == 32
    assert math.log2(32) * sum(letter != "-" for letter in codes[0]) == CODE_BYTES * 8 == 120


def test_a_backup_code_may_be_typed_in_any_form() -> None:
    """Case, hyphens, blanks, and letters that are misread from paper do not matter."""
    code = "0123-4567-89AB-CDEF-GHJK-MNPQ"
    expected = hashlib.sha256(b"0123456789ABCDEFGHJKMNPQ").digest()
    assert code_hash(code) == expected
    assert code_hash("oi23 4567 89ab cdef ghjk mnpq") == expected
    assert code_hash("0l23456789abcdefghjkmnpq") == expected


@given(st.text(max_size=40))
def test_nothing_else_is_a_backup_code(typed: str) -> None:
    """Whatever is typed: a hash of 24 letters of the alphabet, or None."""
    found = code_hash(typed)
    assert found is None or len(found) == 32
    assert code_hash(typed[:20]) is None
