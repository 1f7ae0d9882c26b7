"""Who must set up a second factor before anything else, and what they may do until then.

Whoever can move money or rights, and has a password that may be stolen, needs one (R-081). It is
asked of every request, so that it holds from the moment a person is promoted, and not of programs'
keys or of the key of this machine, which are no passwords.
"""

from typing import Final

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import TRADERS
from plan2.connectivity.identity.second_factor import SecondFactors
from plan2.connectivity.identity.users import UserBook

ENROLMENT_ROUTES: Final = frozenset(
    {
        ("GET", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/session/prove"),
        ("GET", "/api/v1/second-factor"),
        ("POST", "/api/v1/second-factor"),
        ("POST", "/api/v1/second-factor/confirm"),
    }
)
"""All that is open until then, beside what needs no session (method, path template)."""


class SecondFactorDuty:
    """Holds people to their second factor.

    Args:
        book: roles, and who has a password. factors: who has a second factor.
    """

    def __init__(self, book: UserBook, factors: SecondFactors) -> None:
        self._book = book
        self._factors = factors

    def is_required(self, user: User) -> bool:
        """Whether a person must have a second factor."""
        person = self._book.find(user.tenant_id, user.user_id)
        if person is None or not person.password_hash:
            return False
        return person.user.role in TRADERS or person.user.is_operator

    def must_enrol(self, session: Session) -> bool:
        """Whether this person has to set one up before anything else; from memory."""
        if session.via not in {Via.COOKIE, Via.TOKEN, Via.TELEGRAM}:
            return False
        user = session.user
        return not self._factors.has(user.tenant_id, user.user_id) and self.is_required(user)

    def forbids(self, session: Session, method: str, path_template: str) -> bool:
        """Whether a request must wait until a second factor is set up."""
        return (method, path_template) not in ENROLMENT_ROUTES and self.must_enrol(session)
