"""TLS in our own process: TLS 1.3 only, unless the configuration allows 1.2 for old programs.

A certificate and its key are PEM files; the key must not be readable by others. Both are read once
at the start, so a renewed certificate takes a restart.
"""

import ssl
import stat
import sys
from pathlib import Path
from typing import Final, Literal

import msgspec

from plan2.foundation.errors import ConfigError

MINIMUM: Final[dict[str, ssl.TLSVersion]] = {
    "1.3": ssl.TLSVersion.TLSv1_3,
    "1.2": ssl.TLSVersion.TLSv1_2,
}
CIPHERS_1_2: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else anyway."""
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where certificate (with its chain) and key lie, and the oldest version that is spoken."""

    certificate: Path
    key: Path
    minimum: Literal["1.3", "1.2"] = "1.3"

    def leaf(self) -> str:
        """Our own certificate as PEM: the first of the file."""
        text = self.certificate.read_text(encoding="ascii")
        end = "-----END CERTIFICATE-----"
        return text[: text.index(end) + len(end)] + "\n"


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """What the server speaks.

    Raises:
        ConfigError: a file is missing, the two do not belong together, or others may read the key.
    """
    _check_key(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = MINIMUM[files.minimum]
    context.set_ciphers(CIPHERS_1_2)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"server.tls_cert {files.certificate} and server.tls_key {files.key} "
            f"cannot be used: {error}.",
            remedy="Name a PEM certificate with its chain, and its PEM key without passphrase.",
        ) from error
    return context


def _no_passphrase() -> str:
    """Nobody is there to be asked; an encrypted key then fails to load."""
    raise ValueError("the key is locked with a passphrase")


def _check_key(key: Path) -> None:
    try:
        mode = key.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"server.tls_key {key} cannot be read: {error.strerror}.",
            remedy="Set server.tls_cert and server.tls_key to PEM files, or neither.",
        ) from error
    if sys.platform != "win32" and mode & OTHERS:
        raise ConfigError(
            f"server.tls_key {key} may be read by others (mode {stat.S_IMODE(mode):04o}).",
            remedy=f"chmod 600 {key}",
        )
