"""How programs of the same user on this machine reach the running Plan2: a key in a file.

Each run makes a new key and writes it, with its address, into the data folder, readable by its
owner alone. Whoever can read the file may do what an administrator may; only from this machine.
"""

import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.sessions import Session, User, csrf_of, new_secret
from plan2.foundation.ids import derived_id

FILE_NAME: Final = "control.json"
NAME: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}")
NOBODY: Final = "unnamed"
NEVER_NS: Final = (1 << 63) - 1


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds: where Plan2 listens, the key, and the process that wrote it."""

    url: str
    token: str
    pid: int

    def headers(self, person: str) -> dict[str, str]:
        """What a request has to carry, in the name of a person of this machine."""
        return {
            "Authorization": f"Bearer {self.token}",
            "X-Plan2-CSRF": csrf_of(self.token),
            "X-Plan2-Person": person,
            "Origin": self.url,
        }


class LocalAccess:
    """The key of one run, and the file it lies in."""

    def __init__(
        self, folder: Path, tenant_id: str, secret: Callable[[], str] = new_secret
    ) -> None:
        self._path = folder / FILE_NAME
        self._tenant_id = tenant_id
        self._token = secret()

    def write(self, url: str) -> None:
        """Publish the key; the file appears whole, and nobody else can ever read it.

        Raises:
            OSError: the data folder cannot be written.
        """
        access = Access(url=url, token=self._token, pid=os.getpid())
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

    def find(self, shown: str, person: str) -> Session | None:
        """The session of whoever shows the key; None when it is another one."""
        if not hmac.compare_digest(shown.encode(), self._token.encode()):
            return None
        name = person if NAME.fullmatch(person) else NOBODY
        user = User(
            user_id=derived_id("user", self._tenant_id, "local", name),
            name=name,
            tenant_id=self._tenant_id,
            role=Role.TENANT_ADMIN,
        )
        return Session(
            session_id="local", user=user, csrf=csrf_of(self._token), expires_ns=NEVER_NS
        )


def read_access(folder: Path) -> Access | None:
    """What a running Plan2 published in its data folder; None when there is nothing usable."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Access)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
