"""R-094: a sample of the foreign texts through every text of every body, nested ones included.

Where the texts go is read out of the API's own description; each carries a mark, by which it is
found again in answers, lists and events, and there it has to be what was sent.
"""

import asyncio
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import plan2
from unit.foreign_strings import foreign_strings
from unit.whole_stage import WholeStage

SHORT = 40
WORDS = [word for word in foreign_strings() if len(word) <= SHORT]
DEPTH_MAX = 5
Path_ = tuple[str | int, ...]
"""Where in a body a text stands."""
RULE = {"kind": "price", "symbol": "EURUSD", "test": "above", "level": 1.0}
FITTING: dict[str, Any] = {
    "POST /api/v1/alerts/rules": {"condition": RULE},
    "PUT /api/v1/alerts/rules/{rule_id}": {"condition": RULE},
    "PUT /api/v1/settings/user/{key}": {"value": "id"},
    "PUT /api/v1/settings/tenant/{key}": {"value": "en"},
    "PUT /api/v1/settings/global/{key}": {"value": "en"},
    "POST /api/v1/alerts/rules/try": {"condition": RULE},
    "POST /api/v1/alerts/channels": {
        "name": "hook", "way": "webhook", "target": "https://example.org/hook",
    },
    "POST /api/v1/keys": {"label": "bot", "scopes": ["read"]},
    "POST /api/v1/commands/resume": {"reason": "calm again"},
    "POST /api/v1/approvals": {"kind": "limit_override", "payload": {"limit": 5}, "reason": "room"},
}  # fmt: skip
"""Bodies that the description alone does not lead to."""
PLACES = {"flag": "manual_trading", "key": "ui.language"}
"""Parts of addresses that name something; others are `x`, or what was made beforehand."""
ENDING = re.compile(r"/password|/session/prove|/tenants/|/signin|/token/|/second-factor|/erase")
"""What would end the caller's session or lock it out, or takes a guess at a password."""


class Slot(msgspec.Struct, frozen=True):
    """One text of one route's body, and a body around it."""

    method: str
    path: str
    where: Path_
    body: Any

    def filled(self, text: str) -> Any:
        """The body with a text at its place."""
        body = copy.deepcopy(self.body)
        inner = body
        for step in self.where[:-1]:
            inner = inner[step]
        inner[self.where[-1]] = text
        return body


def alternatives(schema: Any, known: Any) -> Iterator[Any]:
    """A schema without references; of a choice each one that is no null."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    choice = schema.get("anyOf") or schema.get("oneOf")
    if choice is None:
        yield schema
        return
    for each in choice:
        if each.get("type") != "null":
            yield from alternatives(each, known)


def least(schema: Any, known: Any, depth: int = 0) -> Any:
    """A value that fits, near enough: what is required and no more."""
    schema = next(alternatives(schema, known))
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object" and depth < DEPTH_MAX:
        members = schema.get("properties", {})
        wanted = [name for name in schema.get("required", ()) if name in members]
        return {name: least(members[name], known, depth + 1) for name in wanted}
    plain = {"string": "x", "boolean": False, "array": [], "object": {}}
    return plain.get(schema.get("type"), schema.get("minimum", 1))


def texts(schema: Any, known: Any, depth: int = 0) -> Iterator[tuple[Path_, Any]]:
    """Every place of a text in a schema, with a value around it; lists and maps get one member."""
    if depth > DEPTH_MAX:
        return
    for one in alternatives(schema, known):
        kind = one.get("type")
        if kind == "string" and not {"enum", "const"} & set(one):
            yield (), "x"
        elif kind == "array" and isinstance(one.get("items"), dict):
            for where, value in texts(one["items"], known, depth + 1):
                yield (0, *where), [value]
        elif kind == "object":
            yield from texts_of_members(one, known, depth)


def texts_of_members(schema: Any, known: Any, depth: int) -> Iterator[tuple[Path_, Any]]:
    """The same for the members of an object; a map gets one named x."""
    around = least(schema, known, depth)
    members = dict(schema.get("properties", {}))
    if isinstance(schema.get("additionalProperties"), dict):
        members["x"] = schema["additionalProperties"]
    for name, member in members.items():
        for where, value in texts(member, known, depth + 1):
            yield (name, *where), {**around, name: value}


def slots(description: Any) -> list[Slot]:
    """Every text of every JSON body."""
    found: dict[tuple[str, str, Path_], Slot] = {}
    known = description["components"]["schemas"]
    for path, item in description["paths"].items():
        for method, operation in item.items():
            name = f"{method.upper()} {path}"
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None or ENDING.search(path):
                continue
            for where, body in texts(content["schema"], known):
                whole = {**body, **FITTING.get(name, {}), where[0]: body[where[0]]}
                found.setdefault((method, path, where), Slot(method.upper(), path, where, whole))
    return list(found.values())


def leaves(value: Any) -> Iterator[str]:
    """Every text in a value, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)


class Trial:
    """A stage, its description, and what came back."""

    def __init__(self, stage: WholeStage, description: Any) -> None:
        self.stage = stage
        self.slots = slots(description)
        self.reads = [
            path
            for path, item in description["paths"].items()
            if "get" in item and "{" not in path and path.startswith("/api/v1")
        ]
        self.count = 0
        self.places = dict(PLACES)
        self.kept: set[str] = set()
        self.taken: set[str] = set()

    async def prepare(self) -> None:
        """Make a person and a rule that can be changed."""
        async with await self.stage.signed_in() as client:
            body = {"name": "somebody", "role": "Analyst"}
            self.places["user_id"] = (await client.post("/api/v1/users", json=body)).json()[
                "user_id"
            ]
            rule = {"name": "some rule", "condition": RULE}
            made = await client.post("/api/v1/alerts/rules", json=rule)
            self.places["rule_id"] = made.json()["rule_id"]

    async def run(self, words: list[str]) -> None:
        """One text through each slot, then every list and event is looked through."""
        sent: dict[str, tuple[str, Slot]] = {}
        before = len(self.stage.credentials.written.events)
        async with await self.stage.signed_in() as client:
            for slot, word in zip(self.slots, words, strict=True):
                self.count += 1
                mark = f"~{self.count:06}~"
                sent[mark] = (word, slot)
                answer = await client.request(
                    slot.method,
                    re.sub(r"\{(\w+)\}", lambda found: self.places.get(found[1], "x"), slot.path),
                    json=slot.filled(word + mark),
                    headers={"idempotency-key": f"field{mark}"},
                )
                check(answer, slot, word)
                if answer.status_code < 300:
                    self.taken.add(f"{slot.method} {slot.path} {slot.where}")
                    self.compare(sent, "answer", answer.json() if answer.content else None)
            for path in self.reads:
                answer = await client.get(path)
                if answer.headers.get("content-type") == "application/json":
                    self.compare(sent, path, answer.json())
        for _, _, event in self.stage.credentials.written.events[before:]:
            self.compare(sent, type(event).__name__, msgspec.to_builtins(event))

    def compare(self, sent: dict[str, tuple[str, Slot]], place: str, value: Any) -> None:
        """Wherever a mark stands, its text stands before it, character for character."""
        for text in leaves(value):
            for mark in re.findall(r"~\d{6}~", text):
                word, slot = sent.get(mark, ("", None))
                if slot is None:
                    continue
                # A sentence may quote a text as Python or JSON would; alone it stands as it is.
                forms = {word + mark, repr(word + mark)[1:-1], escaped(word + mark)}
                assert any(form in text for form in forms), (place, slot, word, text)
                if text == word + mark:
                    self.kept.add(f"{slot.path} {slot.where} {place}")


def escaped(text: str) -> str:
    """As JSON writes a text."""
    return msgspec.json.encode(text).decode()[1:-1]


def check(answer: Any, slot: Slot, word: str) -> None:
    """No fault, no page, and a refusal is a problem."""
    told = (slot, word, answer.status_code, answer.text[:300])
    is_away = answer.status_code == 503 and answer.json()["code"] in {"store_busy", "unavailable"}
    assert answer.status_code < 500 or is_away, told
    if answer.content:
        is_refused = answer.status_code >= 400
        kind = "application/problem+json" if is_refused else "application/json"
        assert answer.headers["content-type"] == kind, told
    assert answer.headers["x-content-type-options"] == "nosniff", told


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trial, asyncio.Runner]]:
    """One for all examples, and the loop it lives on."""

    async def opened() -> Trial:
        stage = await WholeStage.open(tmp_path_factory.mktemp("stage"))
        async with await stage.signed_in() as client:
            made = Trial(stage, (await client.get("/api/openapi.json")).json())
        await made.prepare()
        return made

    with asyncio.Runner() as runner:
        made = runner.run(opened())
        yield made, runner
        runner.run(made.stage.tenants.close())


@settings(
    deadline=None, max_examples=20, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.integers(0, len(WORDS) - 1), st.integers(1, 97))
def test_every_text_of_every_body_is_kept_as_it_is_or_refused(
    trial: tuple[Trial, asyncio.Runner], first: int, step: int
) -> None:
    """Another text for each slot in each round, from anywhere in the list."""
    made, runner = trial
    words = [WORDS[(first + number * step) % len(WORDS)] for number in range(len(made.slots))]
    runner.run(made.run(words))


def test_the_trial_reached_what_it_is_for(trial: tuple[Trial, asyncio.Runner]) -> None:
    """More slots than routes, many of them taken, and texts found again word for word."""
    made, runner = trial
    runner.run(made.run([f"plain {number}" for number in range(len(made.slots))]))
    assert len(made.slots) > 90
    assert any(len(slot.where) > 1 for slot in made.slots)
    assert len(made.taken) > 30, sorted(made.taken)
    assert len(made.kept) > 14, sorted(made.kept)


def test_no_source_of_the_page_writes_markup_from_a_text() -> None:
    """React escapes what it shows; nothing goes round that."""
    sources = Path(plan2.__file__).parent / "interface" / "web" / "src"
    markup = re.compile(
        r"dangerouslySetInnerHTML|\.(inner|outer)HTML|insertAdjacentHTML|document\.write"
    )
    found = [path.name for path in sources.rglob("*.ts*") if markup.search(path.read_text("utf-8"))]
    assert found == []
    assert len(list(sources.rglob("*.tsx"))) > 100
