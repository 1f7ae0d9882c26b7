"""Every kind of caller there is, and what the table of rights says about each of them."""

from collections.abc import Mapping

import httpx
import msgspec

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role, Rule, Scope
from unit.interface_fixtures import NOON_NS, ORIGIN, TENANT, Stage

EXAMPLES = {
    "{file_path}": "trade/EURUSD",
    "{decision_id}": "d1",
    "{model_id}": "m1",
    "{report_id}": "20240101T000000-00000000",
    "{candidate_id}": "c1",
    "{order_id}": "o-1",
    "{position_id}": "paper-1:42",
    "{tenant_id}": "other",
    "{account_id}": "paper-1",
    "{user_id}": "u1",
    "{session_id}": "s-1",
    "{key_id}": "k-1",
    "{approval_id}": "a-1",
    "{key}": "risk.positions_max",
    "{flag}": "exploration",
    "{purpose}": "assistants",
    "{position}": "1",
    "{job_id}": "j-1",
    "{pairing_id}": "p-1",
    "{rule_id}": "r-1",
    "{alert_id}": "al-1",
    "{research_id}": "r-1",
    "{name}": "desk",
    "{run_id}": "no-such-run",
}
GUARD_CODES = frozenset(
    {
        "signed_out",
        "forbidden",
        "scope_missing",
        "step_up_needed",
        "csrf_missing",
        "tenant_suspended",
        "origin_not_allowed",
    }
)


class Calling(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of caller: what is shown, as whom, and with which scopes."""

    via: Via | None
    role: Role = Role.TENANT_ADMIN
    scope: Scope | None = None
    is_operator: bool = False
    is_proven: bool = True
    tenant: str = TENANT

    def __str__(self) -> str:
        parts = (self.via or "nobody", self.role, self.scope or "")
        marks = ("operator" if self.is_operator else "", "" if self.is_proven else "unproven")
        return " ".join(str(part) for part in (*parts, *marks) if part)

    def expected(self, rule: Rule) -> str:
        """The guard's code for a route that asks for a session; "" for whoever is let in."""
        if self.via is None:
            return "signed_out"
        if self.role not in rule.roles:
            return "forbidden"
        if self.scope is not None and self.scope is not rule.scope:
            return "scope_missing"
        if rule.operator and not self.is_operator:
            return "forbidden"
        is_fresh = self.is_proven and self.via is not Via.KEY
        return "step_up_needed" if rule.step_up and not is_fresh else ""


CALLINGS = [
    Calling(via=None),
    *(Calling(via=via, role=role) for via in (Via.COOKIE, Via.TOKEN) for role in Role),
    *(Calling(via=Via.KEY, role=Role.API_USER, scope=scope) for scope in Scope),
    Calling(via=Via.COOKIE, is_operator=True),
    Calling(via=Via.COOKIE, is_operator=True, is_proven=False),
]


def example(path: str, suffix: str = "", ids: Mapping[str, str] = EXAMPLES) -> str:
    """A path that fits a template; a suffix makes other ids of the examples."""
    for placeholder, value in ids.items():
        path = path.replace(placeholder, value + suffix)
    assert "{" not in path, f"no example for {path}"
    return path


async def caller(stage: Stage, calling: Calling) -> httpx.AsyncClient:
    """A client that shows what the calling says; the stage's people were started."""
    user = User(
        user_id=f"u-{calling.role}",
        name=f"n-{calling.role}",
        tenant_id=calling.tenant,
        role=calling.role,
        is_operator=calling.is_operator,
    )
    if calling.via is None:
        return stage.client()
    if calling.via is Via.KEY:
        assert calling.scope is not None
        stage.keys.sessions["p2_test_key"] = Session(
            session_id="key-1",
            user=user,
            csrf="",
            expires_ns=NOON_NS * 2,
            via=Via.KEY,
            scopes=frozenset({calling.scope}),
        )
        return stage.client(authorization="Bearer p2_test_key")
    cookie, session = await stage.sessions.open(user)
    if calling.via is Via.TOKEN:
        _, family = await stage.sessions.open(user, parent=session)
        access, _ = stage.people.tokens.issue(family)
        return stage.client(authorization=f"Bearer {access}")
    if not calling.is_proven:
        stage.people.later(6 * 60)
    client = stage.client(**{"origin": ORIGIN, "x-plan2-csrf": session.csrf})
    client.cookies.set("p2_session", cookie)
    return client
