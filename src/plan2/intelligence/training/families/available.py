"""Which families can be trained here; torch is optional and everything else works without it."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final, Literal

from plan2.foundation.errors import ConfigError
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.families.forest import Forest
from plan2.intelligence.training.families.light import LightTrees
from plan2.intelligence.training.families.logistic import Logistic
from plan2.intelligence.training.families.trees import Trees

ROWS: Final[Mapping[str, type[Family]]] = {
    family.name: family for family in (Trees, LightTrees, Forest, Logistic)
}
NEEDS_TORCH: Final = ("lstm", "cnn", "transformer")
KNOWN: Final = (*ROWS, *NEEDS_TORCH)
ALL: Final = "all"
"""Stands for every family."""
REMEDY: Final = "torch is not installed (pip install 'plan2[deep]')"

Device = Literal["auto", "cpu", "cuda"]


def families(
    names: Sequence[str], device: Device = "cpu"
) -> tuple[tuple[Family, ...], tuple[str, ...]]:
    """The families that can be trained, and a sentence for each that cannot.

    Args:
        names: of families; "all" stands for every one.
        device: where nets are trained; "auto" takes a GPU where there is one.

    Raises:
        ConfigError: a name is unknown, or none of the families can be trained.
    """
    unknown = sorted(set(names) - {*KNOWN, ALL})
    if unknown:
        raise ConfigError(f"Unknown model family {unknown[0]!r}; known are {', '.join(KNOWN)}.")
    wanted = KNOWN if ALL in names else tuple(dict.fromkeys(names))
    nets = [name for name in wanted if name in NEEDS_TORCH]
    has_torch = find_spec("torch") is not None and find_spec("onnxscript") is not None
    found = {name: ROWS[name]() for name in wanted if name in ROWS}
    if nets and has_torch:
        found |= _nets(nets, device)
    missing = tuple(f"{name}: {REMEDY}" for name in nets if not has_torch)
    if not found:
        raise ConfigError(
            f"No model family can be trained: {'; '.join(missing) or 'none was asked for'}.",
            remedy="Ask for xgboost as well.",
        )
    return tuple(found[name] for name in wanted if name in found), missing


def _nets(names: Sequence[str], device: Device) -> dict[str, Family]:
    # Late, because importing torch takes two seconds and may not be possible.
    from plan2.intelligence.training.families.recurrent import Recurrent
    from plan2.intelligence.training.families.torch_setup import chosen_device
    from plan2.intelligence.training.families.windowed import Cnn, Transformer

    where = {"device": chosen_device(device)}
    kinds: tuple[type[Family], ...] = (Recurrent, Cnn, Transformer)
    return {kind.name: kind(where) for kind in kinds if kind.name in names}
