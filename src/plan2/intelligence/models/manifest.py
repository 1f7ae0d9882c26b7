"""What a registered model is: its bytes' hash, where it came from, what it promises.

A manifest is complete or it is refused; nothing about a model is known only from its file name.
"""

import hashlib

import msgspec

from plan2.intelligence.models.calibration import Calibration

MANIFEST_VERSION = 1


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What the parity gate measured: ONNX runtime against the model as trained."""

    rows: int
    max_difference: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether every row agreed within the limit."""
        return self.rows > 0 and self.max_difference <= self.limit


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """All that the training depended on.

    `tick_hashes`: SHA-256 of each symbol's ticks; `row_hash`: of the canonical training rows;
    `code_hash`: of the source of levels 1, 3, 4; `versions`: of the libraries that take part,
    `lock_hash`: of all installed distributions with their versions, "" in manifests of before it
    was kept; `trials`: variants that this run tried, for the deflation of results; `sources`: what
    features looked at beside the symbols' own ticks, by name → SHA-256 of its values (closes of
    other symbols, events of the calendar), empty where they look at nothing else; `planted`: the
    simulated market that the ticks were shown to be of, with the strength of its structure, "" for
    all others.
    """

    tick_hashes: dict[str, str]
    row_hash: str
    first_ts_ns: int
    last_ts_ns: int
    rows: int
    n_eff: float
    code_hash: str
    versions: dict[str, str]
    seed: int
    threads: int
    trials: int
    parameters: dict[str, float | int | str]
    parent: str
    lock_hash: str = ""
    sources: dict[str, str] = {}
    planted: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What is left empty although a model must not be registered without it (ML-080)."""
        needed = ("tick_hashes", "row_hash", "code_hash", "versions", "lock_hash")
        return tuple(name for name in needed if not getattr(self, name))


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's card.

    `barrier_sigmas`, `horizon_s` and `bar_period_s` say what the probability is about
    (`models.barrier`). `scaler` holds the constants frozen into a net's graph. `metrics` are of
    out-of-sample forecasts; names ending in _low and _high are 95 % bounds. `blend_weight` is how
    much it counts beside the models that it was trained with: 1.0 in a plain mean.
    """

    model_id: str
    family: str
    symbols: tuple[str, ...]
    trained_ts_ns: int
    sha256: str
    opset: dict[str, int]
    ir_version: int
    schema_id: str
    feature_names: tuple[str, ...]
    sequence_names: tuple[str, ...]
    horizon_s: int
    bar_period_s: int
    barrier_sigmas: float
    label_version: int
    calibration: Calibration
    scaler: dict[str, tuple[float, ...]]
    parity: Parity
    metrics: dict[str, float]
    verdict: str
    flags: tuple[str, ...]
    provenance: Provenance
    blend_weight: float = 1.0
    version: int = MANIFEST_VERSION


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model on its way to the registry: the ONNX file's bytes and its manifest."""

    content: bytes
    manifest: Manifest


def model_id_of(
    family: str,
    content: bytes,
    calibration: Calibration,
    schema_id: str,
    blend_weight: float = 1.0,
) -> str:
    """A short id that depends on nothing but what the model would say: family and 12 hex digits."""
    digest = hashlib.sha256(content)
    digest.update(msgspec.json.encode(calibration))
    digest.update(schema_id.encode())
    if blend_weight != 1.0:
        digest.update(repr(blend_weight).encode())
    return f"{family}-{digest.hexdigest()[:12]}"
