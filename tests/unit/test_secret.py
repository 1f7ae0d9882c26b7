"""Secrets do not leak through printing, formatting, pickling or text."""

import copy
import pickle

import msgspec
import pytest

from plan2.foundation.secret import MASK, Secret, redact, redact_text


class Credentials(msgspec.Struct):
    """A struct with a secret field by name and one by type."""

    user: str
    password: str
    key: Secret


def test_a_secret_prints_as_its_mask() -> None:
    """Whatever formats it."""
    secret = Secret("hunter2")

    assert [str(secret), repr(secret), f"{secret}", f"{secret:>5}"] == [
        "***",
        "***",
        "***",
        "  ***",
    ]
    assert f"{[secret]} { ({'a': secret}) }" == "[***] {'a': ***}"
    assert secret.reveal() == "hunter2"


def test_a_secret_cannot_leave_by_a_side_door() -> None:
    """Pickling, copying, JSON and hashing are refused."""
    secret = Secret("hunter2")

    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="pickled"):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_secrets_compare_by_value() -> None:
    """Equal text is equal; another type is not."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert bool(Secret("a"))
    assert not Secret("")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("postgresql://bob:p%40@db:5432/x?a=b", "postgresql://bob:***@db:5432/x?a=b"),
        ("postgresql:///d?host=/run&password=x", "postgresql:///d?host=/run&password=***"),
        ("postgresql://bob@db/x", "postgresql://bob@db/x"),
        ("GET /signin?token=abc123&next=/ HTTP", "GET /signin?token=***&next=/ HTTP"),
        ("Authorization: Bearer eyJ.a-b.c", "Authorization: Bearer ***"),
        ("password=pa55; host=x", "password=***; host=x"),
        ("order 12 of EURUSD denied", "order 12 of EURUSD denied"),
    ],
)
def test_secrets_in_text_are_masked(text: str, safe: str) -> None:
    """Addresses, query strings and headers; ordinary text stays."""
    assert redact_text(text) == safe


def test_secret_fields_are_masked_at_any_depth() -> None:
    """By name, by type, in structs, lists and mappings; what is too deep is masked whole."""
    nested: object = "deep"
    for _ in range(10):
        nested = {"inner": nested}
    value = {
        "order_id": "o1",
        "token": "P2-7f",  # an order's token is not a secret
        "session_token": "abc",
        "DB_PASSWORD": "abc",
        "items": [Credentials("bob", "pa55", Secret("k"))],
        "nested": nested,
    }

    safe = redact(value)

    assert isinstance(safe, dict)
    assert (safe["order_id"], safe["token"]) == ("o1", "P2-7f")
    assert (safe["session_token"], safe["DB_PASSWORD"]) == (MASK, MASK)
    assert safe["items"] == [{"user": "bob", "password": MASK, "key": MASK}]
    assert MASK in str(safe["nested"])
    assert "deep" not in str(safe["nested"])
