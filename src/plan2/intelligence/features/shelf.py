"""Where feature sets are kept: a folder for each name, a file for each version, none rewritten."""

import re
from pathlib import Path

from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId
from plan2.intelligence.features.feature_set import NAME, FeatureSet, parse_set, read_set

WHOLE_CATALOGUE = "default"
ASKED = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:@(?P<version>[1-9][0-9]{0,5}))?")


class Shelf:
    """The sets of one tenant, below `<data_dir>/feature_sets/<tenant>`."""

    def __init__(self, data_dir: Path, tenant_id: TenantId) -> None:
        self._folder = data_dir / "feature_sets" / tenant_id

    def list(self) -> tuple[FeatureSet, ...]:
        """The newest version of every set, by name.

        Raises:
            InputError: a file was changed into something that is no set.
        """
        return tuple(self.load(name) for name in self._names())

    def versions(self, name: str) -> tuple[int, ...]:
        """The versions that are kept of a set, oldest first."""
        if not NAME.fullmatch(name):
            return ()
        files = (self._folder / name).glob("*.toml")
        return tuple(sorted(int(file.stem) for file in files if file.stem.isdigit()))

    def load(self, asked: str) -> FeatureSet:
        """A set by `name` (its newest version) or `name@version`.

        Raises:
            InputError: there is none, or its file is damaged.
        """
        found = ASKED.fullmatch(asked)
        versions = self.versions(found["name"]) if found else ()
        version = int(found["version"]) if found and found["version"] else max(versions, default=0)
        if not found or version not in versions:
            known = ", ".join(self._names()) or "none yet"
            raise InputError(
                f"There is no feature set {asked!r}; sets: {known}.",
                remedy="`plan2 features add FILE` keeps one.",
            )
        feature_set = read_set(self._file(found["name"], version))
        if (feature_set.name, feature_set.version) != (found["name"], version):
            raise InputError(f"{self._file(found['name'], version)} names another set or version.")
        return feature_set

    def add(self, text: str, where: str) -> FeatureSet:
        """Keep a set; `where` names the text in messages. The same one again changes nothing.

        Raises:
            InputError: it is no set, or this version is kept with another meaning.
        """
        feature_set = parse_set(text, where)
        file = self._file(feature_set.name, feature_set.version)
        if file.exists():
            kept = read_set(file)
            if kept.content_id != feature_set.content_id:
                raise InputError(
                    f"{where}: version {kept.version} of {kept.name} is kept with other columns, "
                    "and models may depend on it.",
                    remedy=f"Raise the version to {max(self.versions(kept.name)) + 1}.",
                )
            return kept
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(file)
        return feature_set

    def _names(self) -> tuple[str, ...]:
        if not self._folder.is_dir():
            return ()
        return tuple(
            sorted(folder.name for folder in self._folder.iterdir() if self.versions(folder.name))
        )

    def _file(self, name: str, version: int) -> Path:
        return self._folder / name / f"{version}.toml"


def chosen_set(asked: str, shelf: Shelf) -> FeatureSet | None:
    """The set that a word stands for: a file, a kept set, or None for the whole catalogue.

    Raises:
        InputError: it is none of them.
    """
    if asked in {"", WHOLE_CATALOGUE}:
        return None
    if asked.endswith(".toml"):
        return read_set(Path(asked))
    return shelf.load(asked)
