"""TLS in our own process: 1.3 only, 1.2 by option, the local command line, and unusable files."""

import asyncio
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Litestar, get

from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.server import run_server
from plan2.connectivity.gateway.tls import TlsFiles, server_context
from plan2.connectivity.identity.local_access import LocalAccess, read_access
from plan2.foundation.errors import ConfigError
from plan2.foundation.ids import SeededIds

Serve = Callable[[TlsFiles], AbstractAsyncContextManager[str]]
TURNED_AWAY = (ssl.SSLError, ConnectionResetError)
"""asyncio's server drops the connection behind its alert; either may be seen first."""
START = datetime(2020, 1, 1, tzinfo=UTC)


def make_files(folder: Path, name: str = "server") -> TlsFiles:
    """A certificate for localhost and 127.0.0.1 that nobody but its holder has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plan2.example")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = TlsFiles(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@asynccontextmanager
async def serving(files: TlsFiles) -> AsyncIterator[str]:
    """A server with one route inside the perimeter; gives its address."""

    @get("/health/live")
    async def live() -> str:
        return "ok"

    app = Perimeter(Litestar([live]), GatewaySettings(is_tls=True), SeededIds("tls"))
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_server(app, "127.0.0.1", 0, url.set_result, server_context(files))
    )
    try:
        yield await url
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def trusting(files: TlsFiles, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A caller that speaks one version only, and checks name and certificate."""
    context = ssl.create_default_context(cafile=str(files.certificate))
    context.minimum_version = context.maximum_version = version
    return context


async def shake_hands(url: str, context: ssl.SSLContext) -> str:
    """The version that caller and server agree on."""
    host, port = url.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    version = str(writer.get_extra_info("ssl_object").version())
    writer.close()
    return version


async def test_only_tls_1_3_is_spoken(tmp_path: Path) -> None:
    """1.3 shakes hands, 1.2 is refused by the server."""
    files = make_files(tmp_path)
    async with serving(files) as url:
        assert await shake_hands(url, trusting(files, ssl.TLSVersion.TLSv1_3)) == "TLSv1.3"
        with pytest.raises(TURNED_AWAY):
            await shake_hands(url, trusting(files, ssl.TLSVersion.TLSv1_2))


async def test_openssl_agrees(tmp_path: Path) -> None:
    """`openssl s_client -tls1_2` and `-tls1_1` fail, `-tls1_3` does not."""
    files = make_files(tmp_path)
    async with serving(files) as url:
        for version, is_spoken in (("-tls1_3", True), ("-tls1_2", False), ("-tls1_1", False)):
            address = url.removeprefix("https://")
            try:
                client = await asyncio.create_subprocess_exec(
                    *("openssl", "s_client", "-connect", address, version),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
            except FileNotFoundError:
                pytest.skip("openssl is not installed")
            said, _ = await client.communicate()
            assert (client.returncode == 0) == is_spoken, said.decode()


async def test_tls_1_2_is_an_option(tmp_path: Path) -> None:
    """Both are spoken then, with forward secrecy and authenticated encryption."""
    files = make_files(tmp_path)
    older = TlsFiles(certificate=files.certificate, key=files.key, minimum="1.2")
    async with serving(older) as url:
        assert await shake_hands(url, trusting(files, ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"
        weak = trusting(files, ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("AES128-SHA:@SECLEVEL=0")
        with pytest.raises(TURNED_AWAY):
            await shake_hands(url, weak)


async def test_strangers_do_not_trust_it(tmp_path: Path) -> None:
    """A caller with the usual authorities refuses a certificate that nobody signed."""
    async with serving(make_files(tmp_path)) as url:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shake_hands(url, ssl.create_default_context())


async def test_the_command_line_trusts_exactly_this_certificate(tmp_path: Path) -> None:
    """control.json carries it; another server with another certificate is not believed."""
    files, other = make_files(tmp_path), make_files(tmp_path, "other")
    local = LocalAccess(tmp_path, "main")

    def fetch() -> tuple[int, str]:
        access = read_access(tmp_path)
        assert access is not None
        handler = urllib.request.HTTPSHandler(context=access.tls_context())
        asked = urllib.request.Request(access.url + "/health/live")  # noqa: S310 - https, ours
        with urllib.request.build_opener(handler).open(asked, timeout=10) as answer:
            return answer.status, answer.headers["strict-transport-security"]

    async with serving(files) as url:
        local.write(url, files.leaf())
        assert await asyncio.to_thread(fetch) == (200, "max-age=31536000")
        local.write(url, other.leaf())
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            await asyncio.to_thread(fetch)


def test_without_tls_there_is_no_context(tmp_path: Path) -> None:
    """A file of before, without the member, is read as plain HTTP."""
    local = LocalAccess(tmp_path, "main")
    local.write("http://127.0.0.1:1")
    access = read_access(tmp_path)
    assert access is not None
    assert access.tls_context() is None


def test_unusable_files_are_told_at_the_start(tmp_path: Path) -> None:
    """Missing, readable by others, of two different pairs, or no PEM at all."""
    files, other = make_files(tmp_path), make_files(tmp_path, "other")
    missing = TlsFiles(certificate=files.certificate, key=tmp_path / "none.key")
    mixed = TlsFiles(certificate=files.certificate, key=other.key)
    nonsense = TlsFiles(certificate=tmp_path / "text.pem", key=files.key)
    nonsense.certificate.write_text("no certificate")
    for unusable in (missing, mixed, nonsense):
        with pytest.raises(ConfigError, match=r"server\.tls_"):
            server_context(unusable)
    files.key.chmod(0o640)
    with pytest.raises(ConfigError, match="read by others"):
        server_context(files)
