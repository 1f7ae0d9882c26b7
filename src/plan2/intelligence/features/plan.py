"""Which features are computed, over which bars, and the identity that models are bound to."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from plan2.foundation.errors import ConfigError
from plan2.intelligence.features.catalog import SEQUENCE, SEQUENCE_WARMUP, TABULAR, Feature
from plan2.intelligence.features.feature_set import FeatureSet

SHORT_GAP_S = 1_800
WEEKEND_GAP_S = 4 * 86_400
LONGEST_INTRADAY_PERIOD_S = 900


@dataclass(frozen=True)
class FeaturePlan:
    """The ordered features of one bar period.

    Attributes:
        bar_period_s: length of a bar; a divisor or a multiple of a minute, at most a day.
        gap_s: a longer pause between two ticks wipes the memory; warm-up starts again.
        window_scale: multiplies every window; 1 except where the cost of windows is measured.
        feature_set: columns that a user declared in place of the whole catalogue.
    """

    bar_period_s: int = 60
    gap_s: int = SHORT_GAP_S
    window_scale: int = 1
    feature_set: FeatureSet | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.bar_period_s <= 86_400 or 86_400 % self.bar_period_s:
            raise ConfigError(
                f"bar_period_s must divide a day of 86400 s; found {self.bar_period_s}"
            )
        if self.gap_s < self.bar_period_s or self.window_scale < 1:
            raise ConfigError(
                f"gap_s must be at least bar_period_s ({self.bar_period_s}) and window_scale at "
                f"least 1; found {self.gap_s} and {self.window_scale}"
            )
        if self.feature_set is not None and self.window_scale != 1:
            raise ConfigError(
                f"a feature set names windows of its own, so window_scale must be 1; "
                f"found {self.window_scale}"
            )

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The tabular features: of the set in use, else the whole catalogue."""
        return TABULAR if self.feature_set is None else self.feature_set.features

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the tabular features, in the order of `FeatureEngine.values`."""
        return tuple(map(self._name, self.features))

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Units of the tabular features."""
        return tuple(feature.unit for feature in self.features)

    @cached_property
    def warmups(self) -> tuple[int, ...]:
        """Committed bars each feature needs."""
        return tuple(feature.warmup * self.window_scale for feature in self.features)

    @cached_property
    def catalogue_warmups(self) -> tuple[int, ...]:
        """Committed bars each feature of the catalogue needs, whatever the set in use."""
        return tuple(feature.warmup * self.window_scale for feature in TABULAR)

    @cached_property
    def warmup_bars(self) -> int:
        """Committed bars until the engine is ready; features that wait for a day do not count."""
        gating = [feature.warmup for feature in self.features if not feature.waits]
        return max([*gating, SEQUENCE_WARMUP]) * self.window_scale

    @cached_property
    def sequence_names(self) -> tuple[str, ...]:
        """Names of the 16 channels of a bar, in the order of `FeatureEngine.sequence`."""
        return tuple(channel.name(self.window_scale) for channel in SEQUENCE)

    @cached_property
    def schema_id(self) -> str:
        """SHA-256 of everything that decides what a column means; models carry it."""
        head = f"bar_period_s={self.bar_period_s}|gap_s={self.gap_s}|scale={self.window_scale}"
        own = map(self._line, TABULAR) if self.feature_set is None else self.feature_set.lines
        lines = [head, *own, "sequence", *map(self._line, SEQUENCE)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _name(self, feature: Feature) -> str:
        # What a user calls a column stays as it is, even if it ends in a number.
        return feature.name(self.window_scale) if self.window_scale != 1 else feature.field

    def _line(self, feature: Feature) -> str:
        name = self._name(feature)
        return f"{name}|{feature.unit}|{feature.version}|{feature.warmup * self.window_scale}"


def default_plan(bar_period_s: int = 60, feature_set: FeatureSet | None = None) -> FeaturePlan:
    """The plan for bars of this length: a user's set, else the whole catalogue.

    Up to 15 minutes a pause of 30 minutes is a gap. Longer bars need more than a week to warm up,
    so they live through weekends: only four days without a tick are a gap.
    """
    is_intraday = bar_period_s <= LONGEST_INTRADAY_PERIOD_S
    gap_s = SHORT_GAP_S if is_intraday else WEEKEND_GAP_S
    return FeaturePlan(bar_period_s, gap_s, feature_set=feature_set)
