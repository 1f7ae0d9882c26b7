"""The web app's files: pages, types, caching, compression, hidden paths, and the fallback page."""

import mimetypes
from pathlib import Path

import pytest

from plan2.connectivity.gateway.static import Site, is_page
from unit.interface_fixtures import Stage, problem_of

INDEX = b"<!DOCTYPE html><title>app</title>"
SCRIPT = b"console.log(1)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built app as the build step leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(INDEX)
    (tmp_path / "sw.js").write_bytes(SCRIPT)
    (tmp_path / "app.webmanifest").write_bytes(b"{}")
    (tmp_path / ".stamp").write_bytes(b"x")
    (tmp_path / "notes.exe").write_bytes(b"x")
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_bytes(b"{}")
    (tmp_path / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "app-1a2b.js.br").write_bytes(b"BR")
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(b"GZ")
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/trade/EURUSD", "/settings", "/health", "/decisions/d1"])
async def test_pages_of_the_app_answer_its_index(folder: Path, path: str) -> None:
    """Every path that may be a page is the index, as HTML, to be revalidated."""
    async with Stage(folder).client() as client:
        response = await client.get(path)
    assert (response.status_code, response.content) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/api/none",
        "/api",
        "/api/v1/none",
        "/assets/none.js",
        "/assets",
        "/.stamp",
        "/..%2f",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/secret",
        "/.vite/manifest.json",
        "/notes.exe",
        "/favicon.ico",
        "/assets/app-1a2b.js.br",
        "/ws",
        "/a\\..\\b",
    ],
)
async def test_everything_else_is_a_404_without_the_shell(folder: Path, path: str) -> None:
    """Hidden files, unknown files, other types and the API's space never show the app's page."""
    async with Stage(folder).client() as client:
        response = await client.get(path)
    assert response.status_code == 404
    assert problem_of(response)["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "media_type", "caching"),
    [
        ("/assets/app-1a2b.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/sw.js", "text/javascript", "no-cache"),
        ("/app.webmanifest", "application/manifest+json", "no-cache"),
    ],
)
async def test_types_and_caching_are_ours(
    folder: Path, path: str, media_type: str, caching: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Types do not come from the machine's registry; only hashed files are immutable."""
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_: ("text/plain", None))
    async with Stage(folder).client() as client:
        response = await client.get(path, headers={"accept-encoding": "identity"})
    assert response.headers["content-type"].split(";")[0] == media_type
    assert response.headers["cache-control"] == caching


@pytest.mark.parametrize(
    ("accepted", "body", "coding"),
    [
        ("br, gzip", b"BR", "br"),
        ("gzip;q=1.0", b"GZ", "gzip"),
        ("identity", SCRIPT, None),
    ],
)
async def test_compressed_twins_go_to_those_who_take_them(
    folder: Path, accepted: str, body: bytes, coding: str | None
) -> None:
    """The build's .br and .gz files are sent as codings of the file, never on their own."""
    async with (
        Stage(folder).client() as client,
        client.stream(
            "GET", "/assets/app-1a2b.js", headers={"accept-encoding": accepted}
        ) as response,
    ):
        raw = b"".join([part async for part in response.aiter_raw()])
    assert (raw, response.headers.get("content-encoding")) == (body, coding)
    assert response.headers["vary"] == "accept-encoding"


async def test_a_known_version_is_not_sent_again(folder: Path) -> None:
    """An entity tag that fits gives 304 without a body; HEAD gives headers only."""
    async with Stage(folder).client() as client:
        tag = (await client.get("/")).headers["etag"]
        again = await client.get("/", headers={"if-none-match": f'W/{tag}, "other"'})
        head = await client.head("/")
    assert (again.status_code, again.content) == (304, b"")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)


def test_the_build_is_named_by_its_index(folder: Path) -> None:
    """The first 12 hex digits of the SHA-256 of index.html (sha256sum of the bytes above)."""
    assert Site.load(folder).ui_hash == "829a67e4969a"


@pytest.mark.parametrize("path", ["/a/.b/c", "/a/b.c", "/api", "/api/x", "/assets/x", "/signin/x"])
def test_what_cannot_be_a_page(path: str) -> None:
    """Hidden parts, file names and the first segments that are not the app's."""
    assert not is_page(path)


async def test_without_a_build_the_page_says_why_and_how(tmp_path: Path) -> None:
    """The reason that the build left is shown, escaped, with the command; strangers see no form."""
    (tmp_path / "MISSING").write_text("npm said <no>")
    stage = Stage(tmp_path)
    async with stage.client() as client:
        response = await client.get("/trade/EURUSD")
    assert (response.status_code, stage.site.ui_hash) == (200, "")
    assert "npm said &lt;no&gt;" in response.text
    assert "PLAN2_UI=require" in response.text
    assert "<form" not in response.text


async def test_the_kill_form_works_without_the_app(tmp_path: Path) -> None:
    """Signed in: state, positions, and a form whose fields carry out the kill, once."""
    stage = Stage(tmp_path)
    async with await stage.signed_in() as client:
        page = (await client.get("/")).text
        fields = {
            name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "key")
        }
        client.headers.pop("x-plan2-csrf")
        unconfirmed = await client.post("/kill", data={**fields, "word": "kill"})
        assert problem_of(unconfirmed)["code"] == "not_confirmed"
        forged = await client.post("/kill", data={"csrf": "0" * 48, "word": "KILL"})
        assert problem_of(forged)["code"] == "csrf_missing"
        assert stage.control.calls == []
        for _ in range(2):
            killed = await client.post("/kill", data={**fields, "word": "KILL"})
            assert (killed.status_code, "halted" in killed.text) == (200, True)
    assert stage.control.calls == [("kill", "user:u1", "kill form")]
