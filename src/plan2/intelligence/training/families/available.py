"""Which families can be trained here; torch is optional and everything else works without it."""

from collections.abc import Sequence
from importlib.util import find_spec

from plan2.foundation.errors import ConfigError
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.families.trees import Trees

NEEDS_TORCH = ("lstm",)
KNOWN = ("xgboost", *NEEDS_TORCH)
REMEDY = "torch is not installed (pip install 'plan2[deep]')"


def families(names: Sequence[str]) -> tuple[tuple[Family, ...], tuple[str, ...]]:
    """The families that can be trained, and a sentence for each that cannot.

    Raises:
        ConfigError: a name is unknown, or none of the families can be trained.
    """
    unknown = sorted(set(names) - set(KNOWN))
    if unknown:
        raise ConfigError(f"Unknown model family {unknown[0]!r}; known are {', '.join(KNOWN)}.")
    has_torch = find_spec("torch") is not None and find_spec("onnxscript") is not None
    found: list[Family] = []
    missing = []
    for name in dict.fromkeys(names):
        if name == Trees.name:
            found.append(Trees())
        elif has_torch:
            # Late, because importing torch takes two seconds and may not be possible.
            from plan2.intelligence.training.families.recurrent import Recurrent

            found.append(Recurrent())
        else:
            missing.append(f"{name}: {REMEDY}")
    if not found:
        raise ConfigError(
            f"No model family can be trained: {'; '.join(missing) or 'none was asked for'}.",
            remedy="Ask for xgboost as well.",
        )
    return tuple(found), tuple(missing)
