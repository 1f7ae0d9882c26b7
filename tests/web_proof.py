"""What the web app's check of proofs is tested with: thirteen events, as a server tells them.

`python tests/web_proof.py` writes `test/proofs.json` of the web folder; then `npm run format`.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plan2.foundation.eventstore.checkpoints import Checkpoint, Signer
from plan2.foundation.eventstore.log_tree import LogTree
from plan2.foundation.eventstore.merkle import leaf_hash
from plan2.foundation.eventstore.proving import InclusionProof

PROOFS = Path(__file__).parents[1] / "src" / "plan2" / "interface" / "web" / "test" / "proofs.json"
SIZE = 13
HASHES = [hashlib.sha256(f"event {number}".encode()).digest() for number in range(SIZE)]


async def _read(start: int, end: int) -> Sequence[bytes]:
    return HASHES[start:end]


async def proofs() -> dict[str, Any]:
    """The public key, and every event with its proof against one signed head."""
    tree, signer = LogTree(_read), Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    head = signer.signed(
        Checkpoint(
            tenant="main",
            size=SIZE,
            head_hash=HASHES[-1].hex(),
            root_hash=(await tree.root(SIZE)).hex(),
            at_us=1_763_800_000_123_456,
            previous="",
        )
    )
    events = [
        {
            "position": index + 1,
            "hash": chain_hash.hex(),
            "proof": msgspec.to_builtins(
                InclusionProof(
                    size=head.size,
                    root_hash=head.root_hash,
                    leaf_hash=leaf_hash(chain_hash).hex(),
                    path=[step.hex() for step in await tree.inclusion(index, SIZE)],
                    signed_us=head.at_us,
                    signature=head.signature,
                    tenant=head.tenant,
                    head_hash=head.head_hash,
                    previous=head.previous,
                )
            ),
        }
        for index, chain_hash in enumerate(HASHES)
    ]
    return {"public_key": signer.public_key, "events": events}


if __name__ == "__main__":
    PROOFS.write_text(json.dumps(asyncio.run(proofs())), encoding="utf-8")
