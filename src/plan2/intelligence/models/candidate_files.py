"""What training hands to the life cycle: a candidate as a file beside its models.

A trainer is a process without a database. It leaves an immutable file that names the models which
forecast together and how well they did; the running program takes it up and gives it a state.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.ids import derived_id
from plan2.intelligence.models.durable_file import write_atomically
from plan2.intelligence.models.manifest import Manifest

FOLDER: Final = "candidates"
PARITY_SHARE: Final = "parity_share"
"""Metric: the largest difference between ONNX and trained model, as a share of the limit."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A candidate as trained; `metrics` are of the ensemble, `created_ns` is UTC.

    `code_hash`: SHA-256 of the program's source that trained it (`training.provenance`).
    """

    candidate_id: str
    symbols: tuple[str, ...]
    model_ids: tuple[str, ...]
    schema_id: str
    created_ns: int
    verdict: str
    flags: tuple[str, ...]
    metrics: dict[str, float]
    code_hash: str
    parent: str = ""


def candidate_id_of(model_ids: Sequence[str]) -> str:
    """A short id that depends on nothing but which models forecast together."""
    return derived_id("candidate", *sorted(model_ids))[:12]


def draft_of(
    manifests: Sequence[Manifest],
    metrics: Mapping[str, float] | None = None,
    verdict: str = "",
    flags: Sequence[str] = (),
    parent: str = "",
) -> Draft:
    """The candidate that these models make; without `metrics` it has shown nothing.

    Raises:
        ModelMismatch: there are none, or they were trained on different features.
    """
    schemas = {manifest.schema_id for manifest in manifests}
    if len(schemas) != 1:
        raise ModelMismatch(
            f"A candidate's models share their features; {[m.model_id for m in manifests]} use "
            f"{len(schemas)} different sets.",
            remedy="Train them together: plan2 train.",
        )
    share = max(m.parity.max_difference / m.parity.limit for m in manifests)
    hashes = {manifest.provenance.code_hash for manifest in manifests}
    return Draft(
        candidate_id=candidate_id_of([manifest.model_id for manifest in manifests]),
        symbols=tuple(sorted({symbol for m in manifests for symbol in m.symbols})),
        model_ids=tuple(sorted(manifest.model_id for manifest in manifests)),
        schema_id=schemas.pop(),
        created_ns=max(manifest.trained_ts_ns for manifest in manifests),
        verdict=verdict or manifests[0].verdict,
        flags=tuple(dict.fromkeys([*flags, *(flag for m in manifests for flag in m.flags)])),
        metrics={**(metrics or {}), PARITY_SHARE: share},
        code_hash=hashes.pop() if len(hashes) == 1 else "",
        parent=parent,
    )


class CandidateFiles:
    """The candidates that training left, in `<models>/candidates`."""

    def __init__(self, models: Path) -> None:
        self._folder = models / FOLDER

    def put(self, draft: Draft) -> None:
        """Leave a candidate; one that is there already stays as it is."""
        file = self._folder / f"{draft.candidate_id}.json"
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            text = msgspec.json.format(msgspec.json.encode(draft, order="sorted"))
            write_atomically(file, text)

    def names(self) -> frozenset[str]:
        """The ids of all candidates that were left."""
        return frozenset(file.stem for file in self._folder.glob("*.json"))

    def list(self) -> tuple[Draft, ...]:
        """All of them, newest first.

        Raises:
            ModelMismatch: a file was damaged.
        """
        found = [self.read(name) for name in self.names()]
        return tuple(sorted(found, key=lambda d: (-d.created_ns, d.candidate_id)))

    def read(self, candidate_id: str) -> Draft:
        """One of them.

        Raises:
            ModelMismatch: its file was damaged, or says another id than its models make.
        """
        file = self._folder / f"{candidate_id}.json"
        try:
            draft = msgspec.json.decode(file.read_bytes(), type=Draft)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelMismatch(
                f"The candidate {file} cannot be read: {error}.", remedy="Train again: plan2 train."
            ) from error
        if candidate_id_of(draft.model_ids) != candidate_id:
            raise ModelMismatch(
                f"The candidate {file} names models that make "
                f"{candidate_id_of(draft.model_ids)}, not {candidate_id}.",
                remedy="Delete the file and train again.",
            )
        return draft
