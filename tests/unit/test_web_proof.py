"""The web app checks proofs as the server makes them: its test file is the server's word."""

import json

from web_proof import PROOFS, proofs


async def test_the_web_apps_proofs_are_the_servers() -> None:
    """Otherwise: `python tests/web_proof.py`."""
    assert json.loads(PROOFS.read_text(encoding="utf-8")) == await proofs()
