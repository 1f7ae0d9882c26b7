"""Who a request comes from behind proxies: believed from configured networks only."""

import numpy as np
import pytest
from gateway_layers import Echo, call, scope_of

from plan2.connectivity.gateway.addresses import (
    TrustedProxies,
    client_address,
    is_loopback,
    is_secure,
)
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.foundation.config.schema import Server
from plan2.foundation.errors import ConfigError
from plan2.foundation.ids import SeededIds
from plan2.wiring.doorway import tls_files_of

PEER = "198.51.100.7"  # RFC 5737: documentation, so nobody's
PROXY = "10.0.0.2"


def seen(peer: str, headers: dict[str, str], trusted: tuple[str, ...] = ()) -> tuple[str, bool]:
    """Address and security of a request as they stand behind the perimeter."""
    scope = scope_of(headers=headers, client=(peer, 4711))
    TrustedProxies(trusted).resolve(scope)  # type: ignore[arg-type]  # a scope made by hand
    return client_address(scope), is_secure(scope)  # type: ignore[arg-type]


def test_a_hundred_spoofed_values_change_nothing() -> None:
    """Without trusted proxies, and past them, no header moves the caller's address or scheme."""
    chance = np.random.default_rng(7)
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Proto", "X-Client-IP")
    for number in range(100):
        address = ".".join(str(chance.integers(256)) for _ in range(4))
        spoof = str(
            chance.choice([address, f"{address}, 127.0.0.1", f"for={address}", "::1", "https"])
        )
        headers = {str(chance.choice(names)): spoof}
        assert seen(PEER, headers) == (PEER, False), headers
        assert seen(PEER, headers, ("10.0.0.0/8",)) == (PEER, False), headers
        # Our own proxy appends the true address: what stands left of it was the caller's idea.
        chain = {"X-Forwarded-For": f"{address}, {PEER}"}
        assert seen(PROXY, chain, ("10.0.0.0/8",)) == (PEER, False), number


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("198.51.100.7:61234", "198.51.100.7"),
        ("[2001:db8::5]:443", "2001:db8::5"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("10.1.1.1, 10.0.0.9", "10.1.1.1"),
        ("198.51.100.7, rubbish", PROXY),
        ("198.51.100.7, ", PROXY),
        ("", PROXY),
    ],
)
def test_the_rightmost_untrusted_address_is_the_caller(chain: str, expected: str) -> None:
    """Ports and brackets fall away; what cannot be read ends the chain where it stands."""
    headers = {"X-Forwarded-For": chain} if chain else {}
    assert seen(PROXY, headers, ("10.0.0.0/8",))[0] == expected


def test_the_scheme_is_what_the_trusted_proxy_says() -> None:
    """Https from our proxy makes the request secure; from anybody else it is noise."""
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": PEER}
    assert seen(PROXY, headers, ("10.0.0.0/8",)) == (PEER, True)
    assert seen(PEER, headers, ("10.0.0.0/8",)) == (PEER, False)
    assert seen(PROXY, headers | {"X-Forwarded-Proto": "gopher"}, ("10.0.0.0/8",))[1] is False


def test_a_proxy_on_this_machine_is_not_this_machine() -> None:
    """Loopback with any forwarding header speaks for others; without one it is us."""
    assert is_loopback(scope_of())  # type: ignore[arg-type]  # made by hand
    assert is_loopback(scope_of(client=("::1", 1)))  # type: ignore[arg-type]
    assert not is_loopback(scope_of(client=("127.evil", 1)))  # type: ignore[arg-type]
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"):
        assert not is_loopback(scope_of(headers={name: "127.0.0.1"}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.7", "plan2.example.com"],  # noqa: S104 - only values here
)
def test_other_machines_come_in_by_tls_or_a_proxy_only(host: str) -> None:
    """Plain HTTP beyond this machine is refused before anything is bound."""
    with pytest.raises(ConfigError, match="no TLS"):
        tls_files_of(Server(host=host))
    assert tls_files_of(Server(host=host, trusted_proxies=("10.0.0.7/32",))) is None
    assert tls_files_of(Server(host=host, tls_cert="c.pem", tls_key="k.pem")) is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_certificate(host: str) -> None:
    """The default address is one of them."""
    assert tls_files_of(Server(host=host)) is None
    assert tls_files_of(Server()) is None


def test_a_network_that_is_none_is_told_at_the_start() -> None:
    """The key and the value are named."""
    with pytest.raises(ConfigError, match=r"trusted_proxies.*10\.0\.0\.7/8"):
        TrustedProxies(("10.0.0.7/8",))


async def test_the_perimeter_speaks_https_for_a_proxy_that_does() -> None:
    """HSTS and the https origin hold for requests that came by TLS, request by request."""
    settings = GatewaySettings(trusted_proxies=("10.0.0.2/32",))
    app = Perimeter(Echo(), settings, SeededIds("t"))
    headers = {"Host": "localhost", "Cookie": "__Host-p2_session=x"}
    secure = headers | {"X-Forwarded-Proto": "https", "Origin": "https://localhost"}
    given = await call(app, scope_of(headers=secure, client=(PROXY, 1)))
    assert (given.status, "strict-transport-security" in given.headers) == (200, True)
    plain = headers | {"Origin": "https://localhost"}
    assert (await call(app, scope_of(headers=plain, client=(PROXY, 1)))).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Cookie": "p2_session=x"}, 403),
        ({"Cookie": "a=b; __Host-p2_session=x"}, 403),
        ({"Cookie": "other=1"}, 200),
        ({"Authorization": "Bearer p2_x"}, 200),
        ({"Authorization": "Bearer p2_x", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
async def test_unsafe_requests_come_from_our_page_or_from_programs(
    headers: dict[str, str], status: int
) -> None:
    """A browser with our cookie always names its origin; programs have neither."""
    app = Perimeter(Echo(), GatewaySettings(), SeededIds("t"))
    given = await call(app, scope_of(headers={"Host": "localhost"} | headers))
    assert given.status == status


@pytest.mark.parametrize(("sent", "is_kept"), [("abc-1", True), ("a b", False), ("x" * 65, False)])
async def test_correlation_ids_are_kept_or_are_the_request_id(sent: str, is_kept: bool) -> None:
    """A plain one comes back; otherwise it is the id of the request."""
    app = Perimeter(Echo(), GatewaySettings(), SeededIds("t"))
    headers = {"Host": "localhost", "X-Correlation-Id": sent, "X-Request-Id": "mine"}
    given = await call(app, scope_of("GET", headers=headers))
    assert given.headers["x-request-id"] == "mine"
    assert given.headers["x-correlation-id"] == (sent if is_kept else "mine")
