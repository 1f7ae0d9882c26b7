"""Attacks on access tokens that need no state: RFC 8725 and its public collections, built anew.

Every forger gets a good token's header and claims, and all keys, so that each attack differs from
a good token in one thing only. Most are signed with the real key: an attacker would be glad of a
signature over something the checker reads differently.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = dict[str, Any]
MEBIBYTE = 1 << 20


def b64(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The content of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: object) -> str:
    """JSON as we write it."""
    return json.dumps(value, separators=(",", ":"))


@dataclass
class Forger:
    """A good token taken apart, and what attackers could have."""

    good: str
    private: Ed25519PrivateKey

    def __post_init__(self) -> None:
        head, body, self.signature = self.good.split(".")
        self.head: Json = json.loads(unb64(head))
        self.claims: Json = json.loads(unb64(body))
        self.stranger = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.public_raw = self.private.public_key().public_bytes_raw()
        self.public_pem = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, head: str, body: str, key: Ed25519PrivateKey | None = None) -> str:
        """A token of these two texts, signed with the real key unless another is named."""
        part = f"{b64(head.encode())}.{b64(body.encode())}"
        return f"{part}.{b64((key or self.private).sign(part.encode()))}"

    def with_head(self, **changed: object) -> str:
        """A token with other header fields, truly signed; None takes a field away."""
        return self.sign(compact(_changed(self.head, changed)), compact(self.claims))

    def with_claims(self, **changed: object) -> str:
        """A token with other claims, truly signed; None takes a claim away."""
        return self.sign(compact(self.head), compact(_changed(self.claims, changed)))

    def with_texts(self, head: str = "", body: str = "") -> str:
        """A token whose header or claims are this very text, truly signed."""
        return self.sign(head or compact(self.head), body or compact(self.claims))

    def hmac_with(self, secret: bytes, alg: str = "HS256") -> str:
        """A token that takes a public value for an HMAC secret."""
        head = compact(self.head | {"alg": alg})
        part = f"{b64(head.encode())}.{b64(compact(self.claims).encode())}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
        return f"{part}.{b64(hmac.new(secret, part.encode(), digest).digest())}"


def _changed(old: Json, changed: Json) -> Json:
    merged = old | changed
    return {key: value for key, value in merged.items() if value is not None}


def algorithm(f: Forger) -> Iterator[tuple[str, str]]:
    """None, confusion with other families, and other curves."""
    body = f.good.split(".")[1]
    for name in ("none", "None", "NONE", "nOnE", "", " none"):
        forged = b64(compact(f.head | {"alg": name}).encode())
        yield f"alg {name!r} without a signature", f"{forged}.{body}."
        yield f"alg {name!r} with the old signature", f"{forged}.{body}.{f.signature}"
        yield f"alg {name!r}, truly signed", f.with_head(alg=name)
    for alg in ("HS256", "HS384", "HS512"):
        yield f"{alg} keyed with the raw public key", f.hmac_with(f.public_raw, alg)
    yield "HS256 keyed with the PEM", f.hmac_with(f.public_pem)
    yield "HS256 keyed with nothing", f.hmac_with(b"")
    yield "HS256 keyed with the kid", f.hmac_with(f.head["kid"].encode())
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"typ": "at+jwt", "kid": f.head["kid"]}
    for alg in ("RS256", "PS256"):
        yield alg, jwt.encode(f.claims, rsa_key, algorithm=alg, headers=headers)
    curve = ec.generate_private_key(ec.SECP256R1())
    yield "ES256", jwt.encode(f.claims, curve, algorithm="ES256", headers=headers)
    for alg in ("Ed25519", "ed25519", "eddsa", "EDDSA", "EdDSA ", "Ed448", "ES256"):
        yield f"alg {alg!r}, truly signed", f.with_head(alg=alg)
    for odd in (["EdDSA"], {"a": 1}, True, 0):
        yield f"alg is {odd!r}", f.with_head(alg=odd)
    yield "alg is missing", f.with_head(alg=None)


def header_fields(f: Forger) -> Iterator[tuple[str, str]]:
    """Keys of the attacker's, pointers to them, extensions, types and key ids."""
    raw = f.stranger.public_key().public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    extra: Json = {
        "jwk": jwk,
        "jku": "https://evil.example/keys.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["MIIB"],
        "x5t": "AAAA",
        "x5t#S256": "AAAA",
        "zip": "DEF",
        "cty": "JWT",
        "b64": False,
        "crit": ["exp"],
        "enc": "A256GCM",
        "epk": jwk,
        "apu": "x",
        "p2c": 2_000_000_000,
        "iss": "plan2",
        "nonce": "x",
    }
    for name, value in extra.items():
        yield f"{name} in the header", f.with_head(**{name: value})
        forged = compact(f.head | {name: value})
        yield f"{name} and the attacker's key", f.sign(forged, compact(f.claims), f.stranger)
    yield "crit is empty", f.with_head(crit=[])
    yield "crit names b64", f.with_head(crit=["b64"], b64=False)
    for typ in ("JWT", "jwt", "at+JWT", "application/at+jwt", "AT+JWT", "", "id_token", ["at+jwt"]):
        yield f"typ {typ!r}", f.with_head(typ=typ)
    yield "typ is missing", f.with_head(typ=None)
    kids: list[object] = [
        "",
        "0" * 16,
        "../../../../dev/null",
        "/dev/null",
        "' or '1'='1",
        "x; cat /etc/passwd |",
        f.head["kid"].upper() + "F",
        f.head["kid"] + " ",
        f.head["kid"] + "\n",
        f.head["kid"] + "\x00",
        {"a": 1},
        [f.head["kid"]],
        [],
        0,
        True,
        None,
        "a" * 400,
    ]
    for kid in kids:
        yield f"kid {kid!r}", f.with_head(kid=kid)
        forged = compact(_changed(f.head, {"kid": kid}))
        yield f"kid {kid!r}, stranger's key", f.sign(forged, compact(f.claims), f.stranger)


def claims(f: Forger) -> Iterator[tuple[str, str]]:
    """Issuer, audience, subjects and ids of the wrong shape or of somebody else."""
    for issuer in ("", "PLAN2", "plan2 ", "https://plan2", ["plan2"], None, "evil", {"plan2": 1}):
        yield f"iss {issuer!r}", f.with_claims(iss=issuer)
    audiences = ("", "plan2", ["plan2-api"], ["plan2-api", "x"], [], None, "plan2-api ", "*")
    for audience in audiences:
        yield f"aud {audience!r}", f.with_claims(aud=audience)
    for name in ("sub", "tid", "sid", "jti"):
        odd: tuple[object, ...] = (None, "", 1, ["a"], "a b", "a\u0000", "ａ" * 8, "x" * 65, "../x")
        for value in odd:
            yield f"{name} {value!r}", f.with_claims(**{name: value})
    yield "another tenant", f.with_claims(tid="other")
    yield "another person", f.with_claims(sub="0" * 32)
    yield "another session", f.with_claims(sid="0" * 32)
    for name in ("role", "admin", "scope", "scopes", "permissions", "is_operator", "act", "cnf"):
        yield f"an extra claim {name}", f.with_claims(**{name: "Tenant_Admin"})


def times(f: Forger) -> Iterator[tuple[str, str]]:
    """Times that are no integers, too long, too early, missing or absurd."""
    start = f.claims["iat"]
    for name in ("iat", "nbf", "exp"):
        good = f.claims[name]
        odd: tuple[object, ...] = (
            None,
            str(good),
            float(good) + 0.5,
            True,
            [good],
            -1,
            1 << 53,
            1 << 63,
            1 << 64,
            10**30,
            "",
            {"v": good},
        )
        for value in odd:
            yield f"{name} {value!r}", f.with_claims(**{name: value})
        for text in (f"{good}.0", f"{good}e0", f"0{good}", f"+{good}", "NaN", "Infinity", "-0"):
            body = compact(f.claims).replace(f'"{name}":{good}', f'"{name}":{text}')
            yield f"{name} is written {text}", f.with_texts(body=body)
        fullwidth = "".join(chr(ord(digit) + 0xFEE0) for digit in str(good))
        yield f"{name} in unicode digits", f.with_claims(**{name: fullwidth})
    yield "ten years", f.with_claims(exp=start + 315_360_000)
    yield "a second too long", f.with_claims(exp=start + 901)
    yield "ends before it starts", f.with_claims(exp=start - 1)
    yield "ends when it starts", f.with_claims(exp=start)
    yield "from tomorrow", f.with_claims(iat=start + 86_400, nbf=start + 86_400, exp=start + 86_500)
    yield "not yet", f.with_claims(nbf=start + 600)
    yield "over", f.with_claims(iat=start - 901, nbf=start - 901, exp=start - 1)
    yield "milliseconds", f.with_claims(iat=start * 1000, nbf=start * 1000, exp=start * 1000 + 900)


def texts(f: Forger) -> Iterator[tuple[str, str]]:
    """Other texts for the same values: duplicates, white space, escapes, encodings, order."""
    head, body = compact(f.head), compact(f.claims)
    yield "sub twice", f.with_texts(body='{"sub":"admin",' + body[1:])
    yield "sub twice, last wins", f.with_texts(body=body[:-1] + ',"sub":"admin"}')
    yield "exp twice", f.with_texts(body=body[:-1] + ',"exp":9999999999}')
    yield "alg twice", f.with_texts(head='{"alg":"none",' + head[1:])
    yield "kid twice", f.with_texts(head=head[:-1] + ',"kid":"x"}')
    yield "a space", f.with_texts(body=body.replace(":", ": ", 1))
    yield "a line break at the end", f.with_texts(body=body + "\n")
    yield "escapes", f.with_texts(body=body.replace("plan2-api", "plan2\\u002dapi"))
    yield "an escaped name", f.with_texts(body=body.replace('"sub"', '"\\u0073ub"'))
    yield "another order", f.with_texts(body=compact(dict(reversed(f.claims.items()))))
    yield "header in another order", f.with_texts(head=compact(dict(reversed(f.head.items()))))
    yield "a byte order mark", f.with_texts(body="\ufeff" + body)
    yield "a comment", f.with_texts(body=body[:-1] + "/**/}")
    yield "a trailing comma", f.with_texts(body=body[:-1] + ",}")
    for whole in ("[]", "null", '"x"', "1", "{}", "", "[" * 300, '{"a":' * 60 + "1" + "}" * 60):
        yield f"claims are {whole[:8]!r}", f.with_texts(body=whole or " ")
        yield f"the header is {whole[:8]!r}", f.with_texts(head=whole or " ")
    part = f"{b64(head.encode())}.{b64(body.encode('utf-16'))}"
    yield "UTF-16", f"{part}.{b64(f.private.sign(part.encode()))}"
    part = f"{b64(head.encode())}.{b64(body.encode() + bytes([0xFF]))}"
    yield "no UTF-8", f"{part}.{b64(f.private.sign(part.encode()))}"


def forms(f: Forger) -> Iterator[tuple[str, str]]:
    """Parts, padding, alphabets, sizes, nesting and broken signatures."""
    good = f.good
    head, body, tail = good.split(".")
    yield "empty", ""
    yield "dots", ".."
    yield "one part", head
    yield "two parts", f"{head}.{body}"
    yield "no signature", f"{head}.{body}."
    yield "four parts", f"{good}.{tail}"
    yield "five parts, as if encrypted", f"{good}.{tail}.{tail}"
    yield "a dot before", f".{good}"
    yield "a space before", f" {good}"
    yield "a space after", f"{good} "
    yield "a line break after", f"{good}\n"
    yield "a NUL after", f"{good}\x00"
    yield "Bearer before", f"Bearer {good}"
    yield "two tokens", f"{good},{good}"
    yield "padding", f"{good}=="
    yield "padded claims", f"{head}.{body}=.{tail}"
    yield "standard alphabet", good.replace("-", "+").replace("_", "/") + "+"
    yield "a full-width letter", "ｅ" + good[1:]
    yield "a surrogate", "\ud800" + good[1:]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for step in (1, 2, 3):
        other = last[last.index(tail[-1]) ^ step]
        yield f"signature not canonical, {step}", f"{head}.{body}.{tail[:-1]}{other}"
    flipped = bytearray(unb64(tail))
    flipped[0] ^= 1
    yield "a bit of the signature", f"{head}.{body}.{b64(bytes(flipped))}"
    order = (1 << 252) + 27742317777372353535851937790883648493
    raw = unb64(tail)
    higher = int.from_bytes(raw[32:], "little") + order
    yield (
        "signature plus the group's order",
        (f"{head}.{body}.{b64(raw[:32] + higher.to_bytes(32, 'little'))}"),
    )
    yield "a signature of zeros", f"{head}.{body}.{b64(bytes(64))}"
    yield "the identity as signature", f"{head}.{body}.{b64(bytes([1]) + bytes(63))}"
    yield "a short signature", f"{head}.{body}.{b64(raw[:63])}"
    yield "a long signature", f"{head}.{body}.{b64(raw + bytes(1))}"
    yield "another's signature", f.sign(compact(f.head), compact(f.claims), f.stranger)
    yield (
        "a changed claim, old signature",
        (f"{head}.{b64(compact(f.claims | {'sub': '1' * 32}).encode())}.{tail}"),
    )
    yield "signed without the header", f"{head}.{body}.{b64(f.private.sign(body.encode()))}"
    yield "a token within a token", f.with_texts(body=compact(good))
    yield "a mebibyte of A", "A" * MEBIBYTE
    yield "a mebibyte of claims", f.with_claims(jti="a" * MEBIBYTE)
    yield "a mebibyte of header", f.with_head(kid="a" * MEBIBYTE)
    yield "a mebibyte of dots", "." * MEBIBYTE
    yield "a mebibyte of signature", f"{head}.{body}." + "A" * MEBIBYTE
    yield "flattened JSON", compact({"payload": body, "protected": head, "signature": tail})


def all_attacks(forger: Forger) -> list[tuple[str, str]]:
    """Every attack with its name; names differ."""
    found: list[tuple[str, str]] = []
    for kind in (algorithm, header_fields, claims, times, texts, forms):
        found += [(f"{kind.__name__}: {name}", token) for name, token in kind(forger)]
    return found
