"""R-094: thousands of foreign texts through what takes text, and every field of the API."""

import asyncio
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.strict_json import parse
from plan2.foundation.safe_csv import NUMBER, TRIGGERS, plain, safe
from unit.foreign_strings import foreign_strings
from unit.whole_stage import WholeStage

WORDS = foreign_strings()
RULE = {"condition": {"kind": "price", "symbol": "EURUSD", "test": "above", "level": 1.0}}


def test_there_are_as_many_as_the_specification_asks_for() -> None:
    """And none twice."""
    assert len(WORDS) == len(set(WORDS))
    assert len(WORDS) >= 3_038


def test_a_body_has_each_text_as_it_was_or_is_refused() -> None:
    """Only NUL is refused, which no database can keep; escaped or not, as value or as name."""
    for word in WORDS:
        for is_ascii in (True, False):
            body = json.dumps({"name": word, word: 1}, ensure_ascii=is_ascii).encode()
            if "\0" in word:
                with pytest.raises(RequestRefused):
                    parse(body)
            elif word != "name":
                assert parse(body) == {"name": word, word: 1}


def test_no_cell_of_an_export_is_a_formula_and_each_can_be_read_back() -> None:
    """Through a writer and a reader of CSV; numbers stay numbers."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerows([[safe(word), "end"] for word in WORDS])
    table.seek(0)
    read = list(csv.reader(table))
    for word, (cell, _) in zip(WORDS, read, strict=True):
        assert cell == safe(word)
        assert plain(cell) == word
        is_formula = cell[:1] in {*"=+-@\t\r\n＝＋－＠"}
        assert not is_formula or NUMBER.fullmatch(cell), repr(cell)
    assert sum(1 for word in WORDS if word[:1] and word[0] in TRIGGERS) > 150


# --- every field of the API ---------------------------------------------------------------


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WholeStage, asyncio.Runner]]:
    """One stage for all, and the loop it lives on."""
    with asyncio.Runner() as runner:
        stage = runner.run(WholeStage.open(tmp_path_factory.mktemp("stage")))
        yield stage, runner
        runner.run(stage.tenants.close())


def resolved(schema: Any, description: Any) -> Any:
    """A schema without `$ref`; of several the first that is no null."""
    while "$ref" in schema or "anyOf" in schema or "oneOf" in schema:
        if "$ref" in schema:
            schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            each = schema.get("anyOf") or schema["oneOf"]
            schema = next(one for one in each if one.get("type") != "null")
    return schema


def filled(schema: Any, description: Any, depth: int = 0) -> Any:
    """A value that fits a schema, near enough: what is required, and no more."""
    schema = resolved(schema, description)
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    kind = schema.get("type")
    if kind == "object" and depth < 4:
        known = schema.get("properties", {})
        needed = [name for name in schema.get("required", ()) if name in known]
        return {name: filled(known[name], description, depth + 1) for name in needed}
    plain_values = {"string": "x", "boolean": False, "array": [], "object": {}}
    return plain_values.get(kind, schema.get("minimum", 1))


Field = tuple[str, str, str, Any]
"""Method, path, name of the field (of the query: "?name"), and a body around it."""


def text_fields(description: Any) -> list[Field]:
    """Every parameter and every member of a body that is free text."""
    found: list[Field] = []
    for path, item in description["paths"].items():
        for method, operation in item.items():
            for parameter in operation.get("parameters", ()):
                schema = resolved(parameter["schema"], description)
                if parameter["in"] in {"query", "path"} and is_text(schema):
                    sign = "?" if parameter["in"] == "query" else "/"
                    found.append((method.upper(), path, sign + parameter["name"], None))
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                body = resolved(content["schema"], description)
                made = filled(body, description)
                for name, schema in body.get("properties", {}).items():
                    if is_text(resolved(schema, description)):
                        found.append((method.upper(), path, name, made))
    return found


def is_text(schema: Any) -> bool:
    """Whether a schema takes text of any kind."""
    return schema.get("type") == "string" and not {"enum", "const"} & set(schema)


ENDING = {"/api/v1/session", "/api/v1/sessions", "/api/v1/users/{user_id}"}
"""Routes that could end the caller's own session, were a text to mean it."""


def test_every_free_text_field_takes_foreign_texts_or_refuses_them(
    caller: tuple[WholeStage, asyncio.Runner],
) -> None:
    """Every text once, all fields in turn: never a fault, never a page, refusals are problems."""
    stage, runner = caller

    async def ask_all() -> set[str]:
        seen: set[str] = set()
        async with await stage.signed_in() as client:
            description = (await client.get("/api/openapi.json")).json()
            fields = [
                field
                for field in text_fields(description)
                if not (field[0] == "DELETE" and field[1] in ENDING)
            ]
            assert len(fields) > 100
            for number, (word, field) in enumerate(zip(WORDS, itertools.cycle(fields))):
                method, path, name, body = field
                target = re.sub(r"\{\w+\}", "x", path)
                options: dict[str, Any] = {}
                if name.startswith("?"):
                    options["params"] = {
                        name[1:]: word[:2_000]
                    }  # the client sends no longer address
                elif name.startswith("/"):
                    target = path.replace("{" + name[1:] + "}", quoted(word))
                    target = re.sub(r"\{\w+\}", "x", target)
                else:
                    options["json"] = {**body, name: word}
                headers = {"idempotency-key": f"foreign-{number:06}"}
                answer = await client.request(method, target, headers=headers, **options)
                check(answer, field, word)
                seen.add(f"{method} {path} {name}")
            session = await client.get("/api/v1/session")
            assert session.status_code == 200
        assert len(seen) == len(fields)
        return seen

    runner.run(ask_all())


def quoted(word: str) -> str:
    """One segment of a path; never none."""
    return "".join(f"%{byte:02x}" for byte in word[:200].encode()) or "x"


def check(answer: Any, field: Field, word: str) -> None:
    """What holds of every answer."""
    told = (field[:3], word[:80], answer.status_code, answer.text[:300])
    is_away = answer.status_code == 503 and answer.json()["code"] in {"store_busy", "unavailable"}
    assert answer.status_code < 500 or is_away, told
    kind = answer.headers.get("content-type", "")
    if answer.status_code >= 400:
        assert kind == "application/problem+json", told
    if kind.startswith("text/html"):
        assert word not in answer.text or not set("<>\"'") & set(word), told
    assert answer.headers["x-content-type-options"] == "nosniff", told
    assert "set-cookie" not in answer.headers or "p2_session=x" not in answer.headers["set-cookie"]


def test_names_come_back_as_they_were_typed(caller: tuple[WholeStage, asyncio.Runner]) -> None:
    """As names of rules, a part of them through the gateway: the list has what was taken."""
    stage, runner = caller

    async def keep() -> None:
        async with await stage.signed_in() as client:
            for number, word in enumerate(WORDS[::17]):
                headers = {"idempotency-key": f"name-{number:06}"}
                answer = await client.post(
                    "/api/v1/alerts/rules", json={"name": word, **RULE}, headers=headers
                )
                if answer.status_code != 201:
                    assert answer.status_code in {400, 409, 422}, answer.text
                    continue
                made = answer.json()
                assert made["name"] == word
                listed = (await client.get("/api/v1/alerts/rules")).json()["items"]
                assert [each["name"] for each in listed] == [word]
                gone = await client.delete(f"/api/v1/alerts/rules/{made['rule_id']}")
                assert gone.status_code == 200, gone.text

    runner.run(keep())
