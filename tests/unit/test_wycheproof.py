"""R-067, R-099: published vectors of Project Wycheproof through what checks signatures here.

Those of AES-GCM are in `test_sealing.py`.
"""

import json
from collections import Counter
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from plan2.foundation.eventstore.checkpoints import is_signed
from unit.identity_fixtures import IdentityStage

VECTORS = Path(__file__).parent / "vectors"


def cases(name: str, columns: int) -> list[list[str]]:
    """The lines of a file of vectors, by column."""
    lines = (VECTORS / f"wycheproof_{name}.txt").read_text("utf-8").splitlines()
    return [line.split(" ", columns - 1) for line in lines if not line.startswith("#")]


async def test_ed25519_is_checked_as_published() -> None:
    """151 cases by both that check: keys of tokens, and signed checkpoints of the log."""
    stage = IdentityStage()
    await stage.start()
    keys, key_id = stage.keys, stage.keys.current_id
    good = keys._keys[key_id]
    results: Counter[str] = Counter()
    for _, result, public, message, signature in cases("ed25519", 5):
        text, shown = (bytes.fromhex(each.strip("-")) for each in (message, signature))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        keys._keys[key_id] = msgspec.structs.replace(good, public=key)
        expected = result == "valid"
        assert keys.is_signed(key_id, text, shown) is expected, message
        assert is_signed(public, text, shown.hex()) is expected, message
        results[result] += 1
    assert results == {"valid": 88, "invalid": 63}


async def test_no_published_signature_opens_anything() -> None:
    """R-067: 355 invalid ones; 46 valid ones too, for they are other people's. No exception."""
    stage = IdentityStage()
    await stage.start()
    results: Counter[str] = Counter()
    for number, result, signature in cases("jws", 3):
        assert stage.tokens.find(json.loads(signature), "") is None, number
        results[result] += 1
    assert results == {"valid": 46, "invalid": 355}
