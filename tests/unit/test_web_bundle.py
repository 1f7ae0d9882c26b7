"""The built web app: what a first visit loads, how large chunks are, what installing needs."""

import gzip
import json
import re
import struct
import zlib
from pathlib import Path

import pytest

import plan2
from plan2.connectivity.gateway.static import Site

UI = Path(plan2.__file__).parent / "_ui"
WEB = Path(plan2.__file__).parent / "interface" / "web"
FIRST_LOAD_MAX_BYTES = 260_000
CHUNK_MAX_BYTES = 120_000

pytestmark = pytest.mark.skipif(
    not (UI / "index.html").is_file(), reason="the web app is not built (PLAN2_UI=skip?)"
)


def zipped(path: Path) -> int:
    """What the browser receives of a file, compressed as the build does."""
    return len(gzip.compress(path.read_bytes(), 9))


def first_load() -> set[str]:
    """Scripts and styles that the page names itself."""
    page = (UI / "index.html").read_text(encoding="utf-8")
    return set(re.findall(r"assets/[\w.-]+\.(?:js|css)", page))


def test_the_first_load_keeps_its_budget() -> None:
    """At most 260 kB of scripts and styles before anything is shown."""
    sizes = {name: zipped(UI / name) for name in first_load()}
    assert len(sizes) >= 2
    assert sum(sizes.values()) <= FIRST_LOAD_MAX_BYTES, sizes


def test_no_chunk_that_is_loaded_later_is_large() -> None:
    """At most 120 kB each, other languages among them."""
    later = [
        path for path in (UI / "assets").glob("*.js") if f"assets/{path.name}" not in first_load()
    ]
    sizes = {path.name: zipped(path) for path in later}
    assert len(sizes) > 10
    assert {name: size for name, size in sizes.items() if size > CHUNK_MAX_BYTES} == {}


def test_the_manifest_names_icons_that_are_what_it_says() -> None:
    """Each picture exists in the size that is promised; one may be cut to any shape."""
    manifest = json.loads((UI / "manifest.webmanifest").read_text(encoding="utf-8"))
    pictures = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    for icon in pictures:
        body = (UI / icon["src"].lstrip("/")).read_bytes()
        width, height, depth, colour = struct.unpack(">IIBB", body[16:26])
        assert (f"{width}x{height}", depth, colour) == (icon["sizes"], 8, 6)
        start = body.index(b"IDAT") + 4
        rows = zlib.decompress(
            body[start : start + struct.unpack(">I", body[start - 8 : start - 4])[0]]
        )
        assert len(rows) == height * (1 + width * 4)
    assert {icon["sizes"] for icon in pictures} >= {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in pictures)


def test_what_decides_about_updates_is_asked_for_every_time() -> None:
    """The page, the offline shell and the manifest are revalidated; named files are kept."""
    assets = Site.load(UI).assets
    for name in ("/index.html", "/sw.js", "/manifest.webmanifest"):
        assert assets[name].cache_control == "no-cache"
    assert assets["/manifest.webmanifest"].media_type == "application/manifest+json"
    assert assets["/sw.js"].media_type == "text/javascript"
    hashed = [asset for name, asset in assets.items() if name.startswith("/assets/")]
    assert all("immutable" in asset.cache_control for asset in hashed)


def test_notices_name_every_package_that_the_page_consists_of() -> None:
    """Each with its licence; nothing that only builds it; the credit of the chart."""
    told = (UI / "THIRD_PARTY_NOTICES.txt").read_text(encoding="utf-8")
    named = dict(re.findall(r"^={80}\n(\S+) (\d+\.\d+\.\d+\S*) \(", told, re.MULTILINE))
    wanted = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    tools = {"vite", "@vitejs/plugin-react"}
    assert {name: wanted[name] for name in wanted if name not in tools}.items() <= named.items()
    assert not tools & named.keys()
    locked = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {f"node_modules/{name}" for name in named} <= locked.keys()
    for section in told.split("=" * 80)[2:]:
        assert re.search(r"licen[cs]e|copyright", section, re.IGNORECASE), section[:80]
    assert "TradingView" in told
    assert "https://www.tradingview.com/" in told


def test_the_charts_credit_is_on_the_page_of_help() -> None:
    """Its text and its link are in what the page of help consists of."""
    scripts = [path.read_text(encoding="utf-8") for path in (UI / "assets").glob("*.js")]
    assert any("https://www.tradingview.com" in text for text in scripts)
    assert any("THIRD_PARTY_NOTICES.txt" in text for text in scripts)
