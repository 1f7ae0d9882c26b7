"""The six endpoints of Vault's Transit that we use, in a thread of the test's own process.

Ciphertexts are real AES-GCM under the version they name, as Transit's are; `fault` plays a Vault
that is sealed, forbids, hangs or talks nonsense.
"""

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.canary-vault-token"


class FakeTransit:
    """What the server knows, and what tests may do to it."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.fault = ""
        self.asked: list[str] = []
        self.heard = b""
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, object]:
        """Status and body of an answer."""
        what = path.removeprefix("/v1/transit/").partition("/")[0]
        self.asked.append(f"{method} {what}")
        if self.fault == "sealed":
            return 503, {"errors": ["Vault is sealed"]}
        if self.fault == "nonsense":
            return 200, {"data": {"latest_version": "soon", "plaintext": 7, "ciphertext": "x:y"}}
        if what == "keys":
            return self._keys(method, path)
        if what == "encrypt":
            return 200, {"data": {"ciphertext": self._encrypt(base64.b64decode(body["plaintext"]))}}
        plain = self._decrypt(body["ciphertext"])
        if plain is None:
            return 400, {"errors": ["cipher: message authentication failed"]}
        if what == "rewrap":
            return 200, {"data": {"ciphertext": self._encrypt(plain)}}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def _keys(self, method: str, path: str) -> tuple[int, object]:
        if method == "GET" and not self.keys:
            return 404, {"errors": []}
        if method != "GET":
            is_new = path.endswith("/rotate") or not self.keys
            self.keys += [secrets.token_bytes(32)] if is_new else []
            return 204, None
        versions = {str(number): 1 for number in range(1, len(self.keys) + 1)}
        return 200, {"data": {"latest_version": len(self.keys), "keys": versions}}

    def _encrypt(self, plain: bytes) -> str:
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(self.keys[-1]).encrypt(nonce, plain, None)
        return f"vault:v{len(self.keys)}:{base64.b64encode(sealed).decode()}"

    def _decrypt(self, text: str) -> bytes | None:
        try:
            _, version, sealed = text.split(":")
            raw = base64.b64decode(sealed)
            key = self.keys[int(version.removeprefix("v")) - 1]
            return AESGCM(key).decrypt(raw[:12], raw[12:], None)
        except (ValueError, IndexError, InvalidTag):
            return None


@contextmanager
def transit() -> Iterator[tuple[FakeTransit, str]]:
    """A running server: what it knows, and its address."""
    fake = FakeTransit()

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            fake.heard += text
            fake.may_answer.wait(30)
            if self.headers.get("X-Vault-Token") != TOKEN or fake.fault == "forbidden":
                status, found = 403, {"errors": ["permission denied"]}
            else:
                status, found = fake.answer(
                    self.command, self.path, json.loads(text) if text else {}
                )
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _reply  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fake, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        fake.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
