"""Codes of authenticator apps (RFC 6238 over RFC 4226): six digits, 30 seconds, SHA-1.

Only the code of the step that runs now is taken: a window of one step either way would let a code
live 90 seconds. The step of an accepted code is returned, so that whoever asks can see to it that
no step is used twice. SHA-1 is what every app understands; HMAC does not rest on its collisions.
"""

import base64
import hashlib
import io
import re
from typing import Final

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

from plan2.connectivity.identity.masked import Masked
from plan2.foundation.values import NS_PER_SECOND

ISSUER: Final = "Plan2"
STEP_S: Final = 30
DIGITS: Final = 6
SEED_BYTES: Final = 20
"""160 bits, the length that RFC 4226 recommends."""
CODE: Final = re.compile(r"[0-9]{6}")


class QrCode(Masked, frozen=True):
    """A picture of an address, for `<svg>` in a page and for the `src` of an image."""

    svg: str
    data_uri: str


def new_seed(secret: str) -> bytes:
    """A seed from 256 random bits; the bits cannot be told from it (BLAKE2b)."""
    return hashlib.blake2b(
        secret.encode(), digest_size=SEED_BYTES, person=b"plan2-totp-seed"
    ).digest()


def shown_seed(seed: bytes) -> str:
    """The seed in base32, as apps take it when they cannot read the picture."""
    return base64.b32encode(seed).decode()


def matching_step(seed: bytes, code: str, now_ns: int) -> int | None:
    """The step whose code this is, if it is the one that runs now; None otherwise.

    Args:
        seed: the shared secret.
        code: what was typed; blanks between the digits do not matter.
        now_ns: UTC ns.
    """
    typed = "".join(code.split())
    if not CODE.fullmatch(typed):
        return None
    clock = pyotp.TOTP(shown_seed(seed), digits=DIGITS, interval=STEP_S, digest=hashlib.sha1)
    try:
        return clock.verify_and_get_timecode(
            typed, for_time=now_ns // NS_PER_SECOND, valid_window=0
        )
    except OTPVerificationError:
        return None


def otpauth_uri(seed: bytes, name: str, tenant: str) -> str:
    """The address that an app takes up; it shows who it is for at which tenant."""
    clock = pyotp.TOTP(shown_seed(seed), digits=DIGITS, interval=STEP_S, digest=hashlib.sha1)
    return clock.provisioning_uri(name=f"{name}@{tenant}", issuer_name=ISSUER)


def qr_code(uri: str) -> QrCode:
    """The address as a picture, dark on light whatever the page's colours are."""
    picture = segno.make(uri, error="m", micro=False)
    svg = io.BytesIO()
    picture.save(svg, kind="svg", scale=4, xmldecl=False, light="#fff", nl=False)
    return QrCode(svg.getvalue().decode(), picture.svg_data_uri(scale=4, light="#fff"))
