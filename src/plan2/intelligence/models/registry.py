"""The registry: immutable models on disk, and which of them serve which symbol.

A model is a folder named by its content: `model.onnx` and `manifest.json`. It appears in one atomic
rename, so a half-written model is never seen. `champion.json` says who serves; it is replaced
atomically. It follows the life cycle in the database (`models.candidate_desk`), for those who read
without one.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.intelligence.models.candidate_files import (
    CandidateFiles,
    Draft,
    candidate_id_of,
    draft_of,
)
from plan2.intelligence.models.durable_file import write_atomically, write_durably
from plan2.intelligence.models.manifest import Manifest, TrainedModel, model_id_of
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.models.session import verify

MODEL_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
CHAMPION_FILE = "champion.json"
TRAIN_AGAIN = "Train again: plan2 train."


class Champion(msgspec.Struct, frozen=True, kw_only=True):
    """The members that serve one symbol, since when, and on which features."""

    model_ids: tuple[str, ...]
    schema_id: str
    since_ts_ns: int
    candidate_id: str = ""


class Registry:
    """Models in a folder, usually `<data_dir>/models`; the folder is made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.drafts = CandidateFiles(folder)

    def register(self, model: TrainedModel) -> str:
        """Store a trained model and return its id; storing the same one again changes nothing.

        Raises:
            ModelMismatch: bytes, id or parity figures do not hold together, or its origin is
                incomplete.
        """
        manifest = model.manifest
        verify(model.content, manifest.sha256, manifest.model_id)
        expected = model_id_of(
            manifest.family,
            model.content,
            manifest.calibration,
            manifest.schema_id,
            manifest.blend_weight,
        )
        if manifest.model_id != expected:
            raise ModelMismatch(
                f"Model id {manifest.model_id} found, its content makes {expected}."
            )
        missing = manifest.provenance.missing
        if missing:
            raise ModelMismatch(
                f"Model {manifest.model_id} does not say where it comes from: "
                f"{', '.join(missing)} left empty.",
                remedy="It is not registered; whoever made it has to fill its manifest.",
            )
        if not manifest.parity.passed:
            raise ModelMismatch(
                f"Model {manifest.model_id}: ONNX and trained model differ by "
                f"{manifest.parity.max_difference:.2e} on {manifest.parity.rows} rows, allowed is "
                f"{manifest.parity.limit:.0e}.",
                remedy="It is not registered; report this with the training data's hash.",
            )
        target = self._folder / manifest.model_id
        if not target.exists():
            self._store(target, model)
        return manifest.model_id

    def list(self) -> tuple[Manifest, ...]:
        """All models, newest first."""
        files = self._folder.glob(f"*/{MANIFEST_FILE}") if self._folder.is_dir() else ()
        found = [_read(file) for file in files if not file.parent.name.startswith(".")]
        return tuple(sorted(found, key=lambda m: (-m.trained_ts_ns, m.model_id)))

    def show(self, model_id: str) -> Manifest:
        """One model's manifest.

        Raises:
            InputError: there is no such model.
        """
        file = self._folder / model_id / MANIFEST_FILE
        if Path(model_id).name != model_id or not file.is_file():
            raise InputError(
                f"There is no model {model_id!r} in {self._folder}.",
                remedy="`plan2 models list` shows what there is.",
            )
        return _read(file)

    def promote(self, symbols: Sequence[str], model_ids: Sequence[str], ts_ns: int) -> None:
        """Let these models serve these symbols from now on, without a life cycle.

        Raises:
            InputError: a model is not registered.
            ModelMismatch: the models were trained on different features.
        """
        draft = draft_of([self.show(model_id) for model_id in model_ids])
        chosen = Champion(model_ids=draft.model_ids, schema_id=draft.schema_id, since_ts_ns=ts_ns)
        self.project(self.champions() | dict.fromkeys(symbols, chosen))

    def project(self, champions: Mapping[str, Champion]) -> None:
        """Write down who serves which symbol; nobody serves the others."""
        text = msgspec.json.format(msgspec.json.encode(dict(champions), order="sorted"))
        file = self._folder / CHAMPION_FILE
        if not file.is_file() or file.read_bytes() != text:
            write_atomically(file, text)

    def unproposed(self) -> tuple[tuple[Draft, tuple[str, ...]], ...]:
        """Champions of before there were candidates, and the symbols that each one serves."""
        found: dict[tuple[str, ...], list[str]] = {}
        for symbol, champion in self.champions().items():
            if candidate_id_of(champion.model_ids) not in self.drafts.names():
                found.setdefault(champion.model_ids, []).append(symbol)
        return tuple(
            (draft_of([self.show(model_id) for model_id in model_ids]), tuple(symbols))
            for model_ids, symbols in found.items()
        )

    def champions(self) -> dict[str, Champion]:
        """Symbol → champion, for all symbols that have one."""
        file = self._folder / CHAMPION_FILE
        if not file.is_file():
            return {}
        try:
            return msgspec.json.decode(file.read_bytes(), type=dict[str, Champion])
        except msgspec.DecodeError as error:
            raise ModelMismatch(f"{file} cannot be read: {error}.", remedy=TRAIN_AGAIN) from error

    def champion(self, symbols: Sequence[str], schema_id: str) -> dict[str, tuple[str, ...]]:
        """Symbol → ids of its champion's models; symbols without one are left out.

        Raises:
            ModelMismatch: a champion was trained on other features than `schema_id`.
        """
        champions = self.champions()
        chosen = {symbol: champions[symbol] for symbol in symbols if symbol in champions}
        for symbol, champion in chosen.items():
            _check_schema(f"The champion of {symbol}", champion.schema_id, schema_id)
        return {symbol: champion.model_ids for symbol, champion in chosen.items()}

    def parents(self, symbols: Sequence[str]) -> dict[str, str]:
        """Family → id of the model that serves the first of these symbols that is served."""
        champions = self.champions()
        served = [champions[symbol] for symbol in symbols if symbol in champions]
        ids = served[0].model_ids if served else ()
        return {self.show(model_id).family: model_id for model_id in ids}

    def parent_slopes(self, symbols: Sequence[str]) -> dict[str, float]:
        """Family → slope of the calibration of that model."""
        parents = self.parents(symbols)
        return {name: self.show(each).calibration.slope for name, each in parents.items()}

    def champion_of(self, symbols: Sequence[str]) -> str:
        """The candidate that serves the first of these symbols that is served; "" for none."""
        champions = self.champions()
        return next(
            (candidate_id_of(champions[s].model_ids) for s in symbols if s in champions), ""
        )

    def known_symbols(self, schema_id: str) -> frozenset[str]:
        """The symbols for which something was trained on these features."""
        served = {s for s, each in self.champions().items() if each.schema_id == schema_id}
        drafts = (each for each in self.drafts.list() if each.schema_id == schema_id)
        return frozenset(served.union(*(draft.symbols for draft in drafts)))

    def load(self, model_id: str, schema_id: str) -> LoadedModel:
        """A model ready to serve: verified by its hash and warmed up.

        Raises:
            InputError: there is no such model.
            ModelMismatch: it was trained on other features, or its file was changed.
        """
        manifest = self.show(model_id)
        _check_schema(f"Model {model_id}", manifest.schema_id, schema_id)
        file = self._folder / model_id / MODEL_FILE
        if not file.is_file():
            raise ModelMismatch(f"Model {model_id} has no file {file}.", remedy=TRAIN_AGAIN)
        return LoadedModel(manifest, file.read_bytes())

    def _store(self, target: Path, model: TrainedModel) -> None:
        staging = self._folder / f".{target.name}.{os.getpid()}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        write_durably(staging / MODEL_FILE, model.content)
        text = msgspec.json.format(msgspec.json.encode(model.manifest, order="sorted"))
        write_durably(staging / MANIFEST_FILE, text)
        staging.rename(target)


class TrialRegistry(Registry):
    """The registry as a backtest reads it: a symbol without a champion gets its newest candidate.

    So that a candidate can be tried before anybody decides whether it serves.
    """

    def champion(self, symbols: Sequence[str], schema_id: str) -> dict[str, tuple[str, ...]]:
        """See `Registry.champion`."""
        chosen = super().champion(symbols, schema_id)
        for draft in self.drafts.list():
            if draft.schema_id == schema_id:
                own = (symbol for symbol in draft.symbols if symbol in symbols)
                chosen = dict.fromkeys(own, draft.model_ids) | chosen
        return chosen


def _read(file: Path) -> Manifest:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise ModelMismatch(
            f"The manifest {file} cannot be read: {error}.", remedy=TRAIN_AGAIN
        ) from error


def _check_schema(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise ModelMismatch(
            f"{what} was trained on features {found[:12]}…, this program computes "
            f"{expected[:12]}….",
            remedy=TRAIN_AGAIN,
        )
