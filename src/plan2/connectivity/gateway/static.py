"""The built web app: files of one folder, held in memory, with types and caching fixed here.

The folder is read once at the start, so what is not in it cannot be asked for: there is no path to
traverse. Types never come from the machine's registry. `index.html` answers every page of the app;
without a bundle a first-party page stands in for it and says why.
"""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from plan2.foundation.errors import ConfigError

MIME: Final[dict[str, str]] = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
    ".map": "application/json",
}
"""Every kind of file that is served; anything else in the folder is not. Text is UTF-8."""

ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
"""Content codings in the order we prefer them, with the suffix of the compressed twin."""

IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"
BUNDLE_MAX_BYTES: Final = 64 * 2**20
NOT_PAGES: Final = frozenset({"api", "ws", "assets", "metrics", "kill", "signin"})
"""First path segments under which there are no pages of the app."""


class Asset(msgspec.Struct, frozen=True):
    """One file: its bytes as they are and compressed, its type, caching and entity tag."""

    body: bytes
    encoded: dict[str, bytes]
    media_type: str
    cache_control: str
    etag: str


class Site(msgspec.Struct, frozen=True):
    """All files by URL path; `ui_hash` names the build, `missing_reason` why there is none."""

    assets: dict[str, Asset]
    ui_hash: str
    missing_reason: str

    @classmethod
    def load(cls, folder: Path) -> "Site":
        """Read the folder of the built app; a missing one gives a site without pages.

        Raises:
            ConfigError: the folder is larger than any build of ours.
        """
        index = folder / "index.html"
        if not index.is_file():
            return cls({}, "", _missing_reason(folder))
        assets: dict[str, Asset] = {}
        left = BUNDLE_MAX_BYTES
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or not _is_public(name):
                continue
            assets["/" + name] = asset = _asset(path, name)
            left -= len(asset.body)
            if left < 0:
                raise ConfigError(
                    f"The web app in {folder} is larger than {BUNDLE_MAX_BYTES >> 20} MiB.",
                    remedy="Delete the folder and build the app again.",
                )
        return cls(assets, hashlib.sha256(index.read_bytes()).hexdigest()[:12], "")

    def find(self, path: str) -> Asset | None:
        """What a path shows: a file, the app's page, or nothing."""
        found = self.assets.get(path)
        if found is not None or not is_page(path):
            return found
        return self.assets.get("/index.html")


def is_page(path: str) -> bool:
    """Whether a path can be a page of the app: no file name, no hidden part, not the API."""
    parts = PurePosixPath(path).parts[1:]
    if any(part.startswith(".") for part in parts) or "\\" in path or "%" in path:
        return False
    return not (parts and (parts[0] in NOT_PAGES or "." in parts[-1]))


def choose(asset: Asset, accept_encoding: str) -> tuple[bytes, str]:
    """The smallest form of a file that the caller takes, and its content coding ("" = none)."""
    accepted = {part.split(";")[0].strip() for part in accept_encoding.lower().split(",")}
    for coding, _ in ENCODINGS:
        if coding in accepted and coding in asset.encoded:
            return asset.encoded[coding], coding
    return asset.body, ""


def _asset(path: Path, name: str) -> Asset:
    body = path.read_bytes()
    twins = {coding: path.with_name(path.name + suffix) for coding, suffix in ENCODINGS}
    return Asset(
        body=body,
        encoded={coding: twin.read_bytes() for coding, twin in twins.items() if twin.is_file()},
        media_type=MIME[path.suffix],
        cache_control=IMMUTABLE if name.startswith("assets/") else REVALIDATE,
        etag='"' + hashlib.sha256(body).hexdigest()[:24] + '"',
    )


def _is_public(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in MIME and not any(part.startswith(".") for part in path.parts)


def _missing_reason(folder: Path) -> str:
    note = folder / "MISSING"
    if note.is_file():
        return note.read_text(encoding="utf-8", errors="replace").strip()[:2_000]
    return f"There is no built web app in {folder}."
