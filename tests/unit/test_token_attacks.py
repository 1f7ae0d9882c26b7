"""R-068 and R-069: no stateless attack on access tokens gets through, and none takes long."""

import ast
import time
from pathlib import Path
from typing import get_args, get_type_hints

import jwt
import pytest
from jwt.algorithms import HMACAlgorithm, get_default_algorithms

import plan2
from plan2.connectivity.identity.token_gate import TOKEN_MAX, Header, TokenRefused, open_token
from unit.identity_fixtures import HERE, IdentityStage
from unit.token_attacks import Forger, all_attacks

LONGEST_S = 0.02


async def forged(stage: IdentityStage) -> Forger:
    """A good token of a person who is signed in."""
    await stage.start()
    await stage.add("anna")
    opened = await stage.enter("anna")
    assert opened is not None
    grant = await stage.refresh.begin(opened[1], HERE)
    assert grant is not None
    private = stage.keys._keys[stage.keys.current_id].private
    return Forger(grant.access_token, private)


async def test_every_attack_is_refused_and_the_good_token_is_not() -> None:
    """None for each forged token, without an exception; the forger's own copy is accepted."""
    stage = IdentityStage()
    forger = await forged(stage)
    attacks = all_attacks(forger)
    assert len({name for name, _ in attacks}) == len(attacks) >= 300
    passed = [name for name, token in attacks if stage.tokens.find(token, "") is not None]
    assert passed == []
    assert stage.tokens.find(forger.with_claims(), "") is not None
    assert stage.tokens.find(forger.good, "") is not None


async def test_no_attack_takes_long() -> None:
    """At most 20 ms each, also for a mebibyte; the best of three, for the machine is shared."""
    stage = IdentityStage()
    forger = await forged(stage)
    slow = []
    for name, token in all_attacks(forger):
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            stage.tokens.find(token, "")
            taken.append(time.perf_counter() - start)
        if min(taken) > LONGEST_S:
            slow.append((name, min(taken)))
    assert slow == []


async def test_the_gate_knows_one_error() -> None:
    """Whatever is wrong with a form: TokenRefused, and the same message."""
    forger = await forged(IdentityStage())
    messages = set()
    for _, token in all_attacks(forger):
        try:
            open_token(token)
        except TokenRefused as refused:
            messages.add(str(refused))
    assert len(messages) == 1


OURS = "EdDSA"
REGISTERED = {
    *("HS1", "HS256", "HS256/64", "HS384", "HS512", "RS1", "RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512", "ES256", "ES256K", "ES384", "ES512", "Ed25519", "Ed448", "ESB256"),
    *("ESB320", "ESB384", "ESB512", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "none", "dir"),
    *("RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512", "A128KW", "A192KW"),
    *("A256KW", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW"),
    *("A192GCMKW", "A256GCMKW", "PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"),
    *("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"),
    *("A128CBC", "A192CBC", "A256CBC", "A128CTR", "A192CTR", "A256CTR"),
}
"""IANA's registry "JSON Web Signature and Encryption Algorithms" as its RFCs fill it, but for ours:
RFC 7518 (the most), 8812 (ES256K), 9864 (Ed25519, Ed448), later ones, the Web Cryptography API
(what ends in 1, RSA-OAEP-384 and -512, CBC, CTR)."""
KNOWN_TO_LIBRARY = set(get_default_algorithms())
"""What the JOSE library at hand verifies, whatever its version has learned meanwhile."""
JOSE_ALGORITHMS = sorted((REGISTERED | KNOWN_TO_LIBRARY) - {OURS})


def test_the_list_of_refused_algorithms_is_the_librarys_own() -> None:
    """All that it can verify is tried, ours among what it knows; a narrower library fails this."""
    assert len(KNOWN_TO_LIBRARY) >= 14
    assert OURS in KNOWN_TO_LIBRARY
    assert set(JOSE_ALGORITHMS) | {OURS} >= KNOWN_TO_LIBRARY | set(jwt.PyJWS().get_algorithms())


def test_one_algorithm_is_allowed_and_no_library_could_widen_that() -> None:
    """The header's schema has one value; no source of the product imports a JOSE library."""
    assert get_args(get_type_hints(Header)["alg"]) == (OURS,)
    imported = {
        name.partition(".")[0]
        for path in Path(plan2.__file__).parent.rglob("*.py")
        if not {"_ui", "node_modules"} & set(path.parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in names_of(node)
    }
    assert "cryptography" in imported  # the walk finds what is there
    assert imported & {"jwt", "jose", "josepy", "joserfc", "authlib", "jwcrypto"} == set()


def names_of(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


class Anything(HMACAlgorithm):
    """An algorithm of tomorrow that takes every signature for good."""

    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        """It is."""
        return True


async def test_an_algorithm_that_the_library_learns_is_refused_by_default() -> None:
    """Taught to the library under a new name, which accepts its token: here it is nothing."""
    stage = IdentityStage()
    forger = await forged(stage)
    library = jwt.PyJWS(algorithms=["NEW1"])
    library.register_algorithm("NEW1", Anything(HMACAlgorithm.SHA512))
    token = forger.with_head(alg="NEW1")
    assert library.decode(token, b"k" * 64, algorithms=["NEW1"]) is not None
    assert stage.tokens.find(token, "") is None


@pytest.mark.parametrize("alg", JOSE_ALGORITHMS)
async def test_no_other_algorithm_reaches_a_library(
    alg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truly signed by our key, in any spelling: refused by its words, no signature is looked at.

    So vectors of other algorithms (Wycheproof's JWS files) would all end here.
    """
    stage = IdentityStage()
    forger = await forged(stage)
    looked: list[str] = []

    def is_signed(key_id: str, _content: bytes, _signature: bytes) -> bool:
        looked.append(key_id)
        return True

    monkeypatch.setattr(stage.keys, "is_signed", is_signed)
    for spelling in (alg, alg.lower(), alg.upper(), f"{alg} ", f"EdDSA {alg}", [alg]):
        assert stage.tokens.find(forger.with_head(alg=spelling), "") is None
    for spelling in ("eddsa", "EDDSA", "EdDSA\0", "", None, 0, True, {"EdDSA": 1}):
        assert stage.tokens.find(forger.with_head(alg=spelling), "") is None
    assert looked == []
    stage.tokens.find(forger.with_claims(jti="fresh"), "")
    assert len(looked) == 1  # a token of ours does get that far


async def test_a_good_token_is_far_from_the_limits() -> None:
    """With the longest ids that exist it still fits."""
    stage = IdentityStage()
    forger = await forged(stage)
    longest = forger.with_claims(sub="u" * 64, tid="t" * 64, sid="s" * 64, jti="j" * 64)
    assert len(longest) < TOKEN_MAX
    assert open_token(longest).claims.tid == "t" * 64


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_every_single_changed_character_is_refused(part: int) -> None:
    """No character of a token is without meaning."""
    stage = IdentityStage()
    forger = await forged(stage)
    parts = forger.good.split(".")
    text = parts[part]
    for index, old in enumerate(text):
        new = "A" if old != "A" else "B"
        changed = [*parts]
        changed[part] = text[:index] + new + text[index + 1 :]
        assert stage.tokens.find(".".join(changed), "") is None, index
