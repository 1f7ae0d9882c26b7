"""Whatever is asked, the answer is never a fault of the server, and every refusal is a problem."""

import asyncio
import re
import string
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.connectivity.identity.right_table import RIGHTS
from plan2.interface.screen import SAFE_INTEGER_MAX, for_screen, refuse_unsafe
from plan2.interface.streaming.protocol import Kind, codecs
from unit.interface_fixtures import NOON_NS, Stage, quote
from unit.whole_stage import WholeStage

READS = sorted(path for method, path in RIGHTS if method == "GET" and path.startswith("/api/v1"))
NAMES = [
    *("symbol", "period_s", "from_us", "to_us", "limit", "names", "cursor", "type", "status"),
    *("from_position", "outcome", "reason"),
]
NASTY = [
    "EURUSD",
    "0",
    "-1",
    "1e9",
    str(2**63),
    "\0",
    "' or 1=1 --",
    "../..",
    "ü",
    "null",
    "60",
    "",
]
VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=40), st.integers().map(str))
IDS = st.one_of(
    st.sampled_from(["x", "%00", "..%2f..", "d1'", "a b"]),
    st.text(alphabet=string.ascii_letters + string.digits + "-_:.", min_size=1, max_size=150),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["ts_ns", "a_ns", "b", "c"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, asyncio.Runner]]:
    """One stage for all examples, with a quote, and the loop it lives on."""
    with asyncio.Runner() as runner:
        stage = runner.run(WholeStage.open(tmp_path_factory.mktemp("stage")))
        stage.bus.publish(quote("EURUSD", 1, 1.1, 1.1001))
        yield stage, runner


@settings(deadline=None, max_examples=200)
@given(
    path=st.sampled_from(READS),
    query=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    id_=IDS,
)
def test_no_read_makes_the_server_fail(
    caller: tuple[Stage, asyncio.Runner], path: str, query: dict[str, str], id_: str
) -> None:
    """Any parameters and ids on every GET of the API: an answer or a 4xx problem.

    What needs the database that is not there says so.
    """
    stage, runner = caller

    async def ask() -> None:
        target = re.sub(r"\{\w+\}", lambda _: id_, path)
        async with await stage.signed_in() as client:
            response = await client.get(target, params=query)
        is_away = response.status_code == 503 and response.json()["code"] == "store_busy"
        assert response.status_code < 500 or is_away, (target, query, response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"

    runner.run(ask())


@settings(deadline=None, max_examples=150)
@given(body=JSON_VALUES, key=st.text(max_size=40))
def test_no_body_makes_the_server_fail(
    caller: tuple[Stage, asyncio.Runner], body: Any, key: str
) -> None:
    """Any JSON body and key for a command: carried out with a usable one only, else 4xx."""
    stage, runner = caller

    async def ask() -> None:
        stage.control.calls.clear()
        async with await stage.signed_in() as client:
            response = await client.post(
                "/api/v1/commands/halt",
                content=msgspec.json.encode(for_screen(body)),
                headers={
                    "content-type": "application/json",
                    "idempotency-key": key.encode("ascii", "replace").decode(),
                },
            )
        assert response.status_code < 500, (body, key, response.text)
        assert not stage.control.calls or response.status_code == 202

    runner.run(ask())


@given(JSON_VALUES)
def test_what_is_shown_is_exact_in_a_browser(value: Any) -> None:
    """No integer beyond 2**53 - 1, no NaN; both encodings of a frame decode to the same."""
    shown = for_screen(value)
    refuse_unsafe(shown)
    decoded = []
    for codec in codecs().values():
        frame = codec.encode(Kind.EVENT, 1, SAFE_INTEGER_MAX, NOON_NS // 1000, shown)
        module = msgspec.json if codec.is_text else msgspec.msgpack
        decoded.append(module.decode(frame))
    assert decoded[0] == decoded[1]
    assert decoded[0][2] == SAFE_INTEGER_MAX
