"""After failed tries people wait: from the fifth on twice as long each time, 15 minutes at most.

Two things are counted: the account, whether it exists or not, and the network address. An address
from which an account was signed in to before has one count of its own with that account; so a
stranger who guesses can keep a trader out neither at the usual place nor from the same office.
Nothing here touches sessions that live already, the kill switch, or the printed address. All of it
is in memory and bounded.
"""

import ipaddress
from collections import OrderedDict
from typing import Final

import msgspec

from plan2.connectivity.identity.people import name_key
from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND

FREE_FAILURES: Final = 4
FIRST_WAIT_NS: Final = 2 * NS_PER_SECOND
LONGEST_WAIT_NS: Final = 15 * NS_PER_MINUTE
FORGET_AFTER_NS: Final = NS_PER_DAY
KEPT_MAX: Final = 20_000
"""Counts, and places people signed in from; the one that was used longest ago makes room."""

ADDRESS: Final = "address"

Key = tuple[str, ...]


class Account(msgspec.Struct, frozen=True):
    """What somebody claims to be, whether that exists or not; each purpose counts for itself.

    Who is signed in proves themselves by their id: no stranger's tries at signing in count there.
    """

    tenant: str
    name: str
    purpose: str = "sign-in"


class _Count(msgspec.Struct):
    """Failures so far, and until when nothing is tried; UTC ns."""

    failures: int = 0
    until_ns: int = 0
    last_ns: int = 0


class Lockout:
    """Who has to wait.

    Args:
        clock: wall time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[Key, _Count] = OrderedDict()
        self._usual: OrderedDict[Key, None] = OrderedDict()

    def begin(self, account: Account, address: str) -> bool:
        """Whether a try is looked at now; if so it counts as failed until it `succeeded`.

        Counting first keeps a burst of tries at once from being one failure. A try that is not
        looked at does not prolong the wait.
        """
        now_ns = self._clock.now_ns()
        keys = self._keys(account, address)
        counts = [self._count(key, now_ns) for key in keys]
        if any(now_ns < count.until_ns for count in counts):
            return False
        for key, count in zip(keys, counts, strict=True):
            count.failures += 1
            count.last_ns = now_ns
            count.until_ns = now_ns + wait_ns(count.failures)
            self._counts.pop(key, None)
            self._counts[key] = count
        while len(self._counts) > KEPT_MAX:
            self._counts.popitem(last=False)
        return True

    def succeeded(self, account: Account, address: str) -> None:
        """Forget the account's failures and remember the place; the address's earlier ones stay."""
        for key in self._keys(account, address):
            count = self._counts.get(key)
            if count is not None and key[0] == ADDRESS:
                count.failures -= 1
                count.until_ns = 0
            else:
                self._counts.pop(key, None)
        pair = _pair(account, address)
        self._usual.pop(pair, None)
        self._usual[pair] = None
        while len(self._usual) > KEPT_MAX:
            self._usual.popitem(last=False)

    def _count(self, key: Key, now_ns: int) -> _Count:
        count = self._counts.get(key)
        if count is None or now_ns - count.last_ns >= FORGET_AFTER_NS:
            return _Count()
        return count

    def _keys(self, account: Account, address: str) -> tuple[Key, ...]:
        pair = _pair(account, address)
        if pair in self._usual:
            return (pair,)
        return (("account", *pair[1:4]), (ADDRESS, network_of(address)))


def wait_ns(failures: int) -> int:
    """How long to wait after so many failures: 2, 4, 8 … seconds from the fifth on."""
    if failures <= FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES - 1, 20)
    return min(FIRST_WAIT_NS << doublings, LONGEST_WAIT_NS)


def network_of(address: str) -> str:
    """What one attacker has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def _pair(account: Account, address: str) -> Key:
    who = (account.purpose, account.tenant, name_key(account.name))
    return ("usual", *who, network_of(address))
