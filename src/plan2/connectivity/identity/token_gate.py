"""What an access token must look like before any cryptography sees it.

A token is a JWT that this installation wrote itself, so the gate is as narrow as it can be: three
parts of canonical base64url, and header and claims that are, byte for byte, what we would write for
the values they hold. That leaves no room for another algorithm or type, for further header fields,
duplicate names, padding, white space, other number formats or other encodings. Every refusal is the
same error (RFC 8725 §3.1–3.11).
"""

import base64
import binascii
import re
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from plan2.foundation.errors import Plan2Error

T = TypeVar("T")
LIFE_MAX_S: Final = 900
TOKEN_MAX: Final = 1_024
"""A token of ours has some 520 characters."""
TIME_MAX_S: Final = 1 << 40
FORM: Final = re.compile(r"[A-Za-z0-9_-]{40,160}\.[A-Za-z0-9_-]{150,600}\.[A-Za-z0-9_-]{86}")

KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Seconds = Annotated[int, Meta(ge=0, le=TIME_MAX_S)]


class TokenRefused(Plan2Error):
    """This is no access token that is good here; why is nobody's business."""

    code = "token_refused"


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole header of a token of ours."""

    alg: Literal["EdDSA"]
    typ: Literal["at+jwt"]
    kid: KeyId


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All claims of a token (RFC 9068); times in seconds since 1970. Roles are not among them."""

    iss: Literal["plan2"]
    aud: Literal["plan2-api"]
    sub: Id
    tid: Id
    sid: Id
    jti: Id
    iat: Seconds
    nbf: Seconds
    exp: Seconds


HEADERS: Final = msgspec.json.Decoder(Header)
CLAIMS: Final = msgspec.json.Decoder(Claims)


class Opened(msgspec.Struct, frozen=True):
    """A token that has the right form; its signature was not looked at yet."""

    key_id: str
    claims: Claims
    signed: bytes
    signature: bytes


def open_token(token: str) -> Opened:
    """Take a token apart.

    Raises:
        TokenRefused: it is none that we could have written.
    """
    if len(token) > TOKEN_MAX or not FORM.fullmatch(token):
        raise TokenRefused("This is no access token.")
    head, body, tail = token.split(".")
    header = _part(head, HEADERS)
    claims = _part(body, CLAIMS)
    if claims.nbf != claims.iat or not claims.iat < claims.exp <= claims.iat + LIFE_MAX_S:
        raise TokenRefused("This is no access token.")
    return Opened(header.kid, claims, f"{head}.{body}".encode(), _bytes(tail))


def unsigned(key_id: str, claims: Claims) -> bytes:
    """The part of a token that is signed."""
    header = Header("EdDSA", "at+jwt", key_id)
    return _text(msgspec.json.encode(header)) + b"." + _text(msgspec.json.encode(claims))


def signed(part: bytes, signature: bytes) -> str:
    """The whole token."""
    return (part + b"." + _text(signature)).decode()


def _part(text: str, decoder: msgspec.json.Decoder[T]) -> T:
    """What a part says, if it says it in our very words.

    Raises:
        TokenRefused: it does not.
    """
    content = _bytes(text)
    try:
        found = decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TokenRefused("This is no access token.") from None
    if msgspec.json.encode(found) != content:
        raise TokenRefused("This is no access token.")
    return found


def _text(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _bytes(text: str) -> bytes:
    """The content of canonical base64url without padding.

    Raises:
        TokenRefused: another text stands for the same bytes.
    """
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise TokenRefused("This is no access token.") from None
    if _text(content) != text.encode():
        raise TokenRefused("This is no access token.")
    return content
