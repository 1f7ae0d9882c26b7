"""Where a request really comes from: the peer, or what a trusted proxy says about it.

Forwarding headers count only when the peer's address lies in a configured network. Of the chain
that they name, the rightmost address that is no trusted proxy is the caller: whatever stands left
of it was written by the caller. The perimeter puts the result into `scope["client"]` and
`scope["scheme"]` once, and nobody looks at those headers again.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from litestar.types import Scope

from plan2.foundation.errors import ConfigError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

HOPS_MAX: Final = 20
"""Addresses of a chain that are looked at; nobody stands behind more proxies."""
FORWARDED: Final = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"}
)
SECURE: Final = frozenset({"https", "wss"})


class TrustedProxies:
    """The networks whose word about a request is believed; by default none is.

    Raises:
        ConfigError: something that is no network in CIDR notation.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(_network(each) for each in networks)

    def resolve(self, scope: Scope) -> None:
        """Put the caller's real address and scheme into the scope, if a trusted proxy tells."""
        client = scope.get("client")
        if not self._networks or client is None or not self.is_trusted(client[0]):
            return
        forwarded, scheme = _told(scope)
        scope["client"] = (self._caller(client[0], forwarded), client[1])
        if scheme in {"http", "https"}:
            is_socket = scope["scheme"] in {"ws", "wss"}
            scope["scheme"] = {"http": "ws", "https": "wss"}[scheme] if is_socket else scheme

    def is_trusted(self, shown: str) -> bool:
        """Whether an address is one of these proxies'."""
        address = _address(shown)
        return address is not None and any(address in network for network in self._networks)

    def _caller(self, peer: str, forwarded: str) -> str:
        caller = peer
        for told in reversed(forwarded.split(",")[-HOPS_MAX:] if forwarded else ()):
            address = _address(told)
            if address is None:
                break
            caller = str(address)
            if not self.is_trusted(caller):
                break
        return caller


def client_address(scope: Scope) -> str:
    """The caller's address after the perimeter has seen the request; "" when there is none."""
    client = scope.get("client")
    return client[0] if client is not None else ""


def is_secure(scope: Scope) -> bool:
    """Whether the caller reached us, or the trusted proxy before us, by TLS."""
    return scope["scheme"] in SECURE


def is_loopback(scope: Scope) -> bool:
    """Whether the connection comes from this machine itself."""
    address = _address(client_address(scope))
    is_local = address is not None and address.is_loopback
    # A proxy on this machine is local, whoever it speaks for is not.
    return is_local and not any(name in FORWARDED for name, _ in scope["headers"])


def _told(scope: Scope) -> tuple[str, str]:
    """The whole X-Forwarded-For chain and the last X-Forwarded-Proto."""
    chain: list[str] = []
    scheme = ""
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            chain.append(value.decode("latin-1"))
        elif name == b"x-forwarded-proto":
            scheme = value.decode("latin-1").rpartition(",")[2].strip().lower()
    return ",".join(chain), scheme


def _address(told: str) -> Address | None:
    """An address with or without port or brackets; an IPv4 address inside IPv6 is the IPv4 one."""
    text = told.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"server.trusted_proxies names {text!r}, which is no network: {error}.",
            remedy='Name each as CIDR, such as "10.0.0.7/32" or "fd00::/8".',
        ) from error
