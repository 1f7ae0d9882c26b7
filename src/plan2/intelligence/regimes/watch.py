"""How unusual a symbol's present situation is; looked up when asked, once a bar at most."""

from plan2.intelligence.features.catalog import TABULAR
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.regimes.embedding import regime_columns
from plan2.intelligence.regimes.similar import SituationIndex

CATALOGUE_NAMES = tuple(feature.field for feature in TABULAR)


class SituationWatch:
    """The novelty of one symbol; exact search takes a millisecond, so it is never on a quiet tick.

    Without an index nothing is known to be novel. While `is_widened`, because the features have
    drifted, a situation counts as twice as rare as it looks.
    """

    def __init__(self, engine: FeatureEngine, index: SituationIndex | None = None) -> None:
        self.index = index
        self.is_widened = False
        self._engine = engine
        self._bar = -1
        self._novelty = 0.0

    def novelty(self) -> float:
        """Share of the training period's situations that were closer to the others, 0 to 1."""
        if self.index is None:
            return 0.0
        bar = self._engine.bar_number
        if bar != self._bar:
            values = self._engine.catalogue_values[None, :]
            self._novelty = self.index.novelty(regime_columns(values, CATALOGUE_NAMES)[0])
            self._bar = bar
        return (1.0 + self._novelty) / 2.0 if self.is_widened else self._novelty
