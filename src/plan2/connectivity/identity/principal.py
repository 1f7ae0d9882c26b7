"""Who a request comes from, whatever it was shown: cookie, bearer token, key of a program."""

import enum

import msgspec

from plan2.connectivity.identity.rights import Role, Scope


class Via(enum.StrEnum):
    """What a caller showed."""

    COOKIE = "cookie"
    """A browser's session cookie; unsafe requests need the CSRF value too."""
    TOKEN = "token"  # noqa: S105 - a name
    """A short-lived bearer token that a session issued."""
    KEY = "key"
    """A program's API key."""
    LOCAL = "local"
    """The key file of this machine's user."""
    TELEGRAM = "telegram"
    """A chat that its person paired; requests come from within the process."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or program of one tenant; an operator may also do what stands above tenants."""

    user_id: str
    name: str
    tenant_id: str
    role: Role
    is_operator: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A caller whose right to be here was checked; what routes see as `request.auth`.

    Attributes:
        session_id: of the server-side session, the key, or "local".
        csrf: derived from the cookie and never stored; "" where no cookie was shown.
        expires_ns: UTC ns.
        via: what was shown.
        scopes: what a key is limited to; None where the role alone decides.
        proven_ns: when the person last proved who they are by password or second factor, UTC ns;
            0 never. Step-up asks for a recent proof.
    """

    session_id: str
    user: User
    csrf: str
    expires_ns: int
    via: Via = Via.COOKIE
    scopes: frozenset[Scope] | None = None
    proven_ns: int = 0

    @property
    def actor(self) -> str:
        """Who events say it was: a pseudonym, except for users of this machine."""
        name = self.user.name if self.via is Via.LOCAL else self.user.user_id
        return f"user:{name}"
