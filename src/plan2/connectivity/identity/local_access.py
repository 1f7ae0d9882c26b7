"""How programs of the same user on this machine reach the running Plan2: a key in a file.

Each run makes a new key and writes it, with its address, into the data folder, readable by its
owner alone. Whoever can read the file may do what an administrator may; only from this machine.
"""

import hmac
import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.sessions import csrf_of, new_secret
from plan2.foundation.ids import derived_id

FILE_NAME: Final = "control.json"
NAME: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}")
NOBODY: Final = "unnamed"
NEVER_NS: Final = (1 << 63) - 1


class Access(Masked, frozen=True, kw_only=True):
    """What the file holds: where Plan2 listens, the key, and the process that wrote it.

    `certificate` is the server's own certificate (PEM) when it speaks TLS, else "".
    """

    url: str
    token: str
    pid: int
    certificate: str = ""

    def headers(self, person: str) -> dict[str, str]:
        """What a request has to carry, in the name of a person of this machine."""
        return {
            "Authorization": f"Bearer {self.token}",
            "X-Plan2-CSRF": csrf_of(self.token),
            "X-Plan2-Person": person,
            "Origin": self.url,
        }

    def tls_context(self) -> ssl.SSLContext | None:
        """What a connection to an https address trusts: this one certificate; None for http.

        The certificate names the public address, not this machine's loopback one, so it is held
        against the file itself instead of against a name: nothing else is trusted at all.
        """
        if not self.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=self.certificate)
        return context


class LocalAccess:
    """The key of one run, and the file it lies in."""

    def __init__(
        self, folder: Path, tenant_id: str, secret: Callable[[], str] = new_secret
    ) -> None:
        self._path = folder / FILE_NAME
        self._tenant_id = tenant_id
        self._token = secret()

    @property
    def tenant_id(self) -> str:
        """The tenant that the key speaks for unless it names another one."""
        return self._tenant_id

    def write(self, url: str, certificate: str = "") -> None:
        """Publish the key; the file appears whole, and nobody else can ever read it.

        Raises:
            OSError: the data folder cannot be written.
        """
        access = Access(url=url, token=self._token, pid=os.getpid(), certificate=certificate)
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(access))
        fresh.replace(self._path)

    def remove(self) -> None:
        """Take the file back, unless another run has written its own meanwhile."""
        found = read_access(self._path.parent)
        if found is not None and found.token == self._token:
            self._path.unlink(missing_ok=True)

    def find(self, shown: str, person: str, tenant_id: str = "") -> Session | None:
        """The session of whoever shows the key, in a tenant; None when it is another key."""
        if not hmac.compare_digest(shown.encode(), self._token.encode()):
            return None
        name = person if NAME.fullmatch(person) else NOBODY
        tenant_id = tenant_id or self._tenant_id
        user = User(
            user_id=derived_id("user", tenant_id, "local", name),
            name=name,
            tenant_id=tenant_id,
            role=Role.TENANT_ADMIN,
            is_operator=True,
        )
        return Session(
            session_id="local",
            user=user,
            csrf=csrf_of(self._token),
            expires_ns=NEVER_NS,
            via=Via.LOCAL,
            proven_ns=NEVER_NS,
        )


def read_access(folder: Path) -> Access | None:
    """What a running Plan2 published in its data folder; None when there is nothing usable."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Access)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
