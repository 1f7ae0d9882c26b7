"""The benchmark of screens serves the product's stream, and nothing else."""

from plan2.bench.screens import Everybody, open_to
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role

USER = User(user_id="bench", name="bench", tenant_id="bench", role=Role.TENANT_ADMIN)
SESSION = Session(session_id="bench", user=USER, csrf="", expires_ns=1)


def test_the_stream_is_served_alone():
    """Building the application builds its layers; one that does not fit fails here."""
    app = open_to(SESSION, hub=None)
    assert [route.path for route in app.routes] == ["/api/v1/stream"]


async def test_everybody_is_the_one_caller():
    """Whoever connects has the session of the benchmark."""
    seen = []

    async def inner(scope, _receive, _send):
        seen.append(scope["auth"])

    await Everybody(inner, SESSION)({"type": "websocket"}, None, None)
    assert seen == [SESSION]
