"""To which addresses the process may send: public ones, and private ones that are configured.

A name is resolved once and the address itself is connected to, so that what was checked is what is
used (DNS rebinding). Everything that an attacker could reach from here and not from outside is
refused: loopback, private and link-local networks, among them the metadata services of clouds.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from plan2.foundation.errors import ConfigError, InputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port; raises OSError when it has none."""
URL_MAX: Final = 2_000


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where to connect: `url` names the address itself, `host` is whom we mean to speak to."""

    url: str
    host: str
    name: str


class Outbound:
    """The rule about addresses.

    Args:
        private: networks in CIDR notation that may be reached although they are private.
        resolve: asks the system's resolver; tests bring their own.
    """

    def __init__(self, private: Sequence[str], resolve: Resolve | None = None) -> None:
        self._private = tuple(_network(each) for each in private)
        self._resolve = resolve or system_resolver

    async def target(self, url: str) -> Target:
        """Where a request for this URL may connect to.

        Raises:
            InputError: it is no URL of ours to follow, its host has no address, or one that may
                not be reached.
        """
        parts = _parts(url)
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = [ip_address(each) for each in await self._addresses(host, port)]
        refused = [each for each in addresses if not self._may_reach(each)]
        if refused or not addresses:
            raise InputError(
                f"{host} leads to an address inside this network, which is not sent to.",
                remedy="An operator may allow it with alerts.private_networks.",
            )
        address = addresses[0]
        if parts.scheme != "https" and not self._is_private(address):
            raise InputError("Only https is sent to over the open internet.", remedy="Use https.")
        literal = f"[{address}]" if address.version == 6 else str(address)
        path = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        name = host if port in {80, 443} else f"{host}:{port}"
        return Target(url=f"{parts.scheme}://{literal}:{port}{path}{query}", host=name, name=host)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return await self._resolve(host, port)
        except OSError:
            raise InputError(
                f"{host} has no address.", remedy="See whether its name is right."
            ) from None

    def _is_private(self, address: Address) -> bool:
        return any(address in network for network in self._private)

    def _may_reach(self, address: Address) -> bool:
        inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        meant = inner or address
        if self._is_private(meant):
            return True
        return meant.is_global and not meant.is_multicast


def checked_url(url: str) -> str:
    """A URL that may be kept.

    Raises:
        InputError: see `Outbound.target`; addresses are looked at when it is used.
    """
    _parts(url)
    return url


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]).partition("%")[0] for each in found]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or len(url) > URL_MAX or not url.isascii() or not url.isprintable():
        raise InputError("A URL is expected, such as https://example.com/hook.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InputError("A URL without user, password and fragment is expected.")
    return parts


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ConfigError(
            f"alerts.private_networks: {text!r} is no network.",
            remedy='Write networks such as "192.168.10.0/24".',
        ) from None
