"""How unusual a symbol's situation is: that of the bar closed last, looked up when asked."""

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.catalog import TABULAR
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.regimes.embedding import regime_columns
from plan2.intelligence.regimes.similar import SituationIndex

CATALOGUE_NAMES = tuple(feature.field for feature in TABULAR)


class SituationWatch:
    """The novelty of one symbol; the search takes its time, so it is never on a quiet tick.

    A situation is what the features were at the tick that closed a bar: whoever asks within the
    next bar, live or in a backtest, is told the same. Without an index nothing is known to be
    novel. While `is_widened`, because the features have drifted, a situation counts as twice as
    rare as it looks.
    """

    def __init__(self, engine: FeatureEngine, index: SituationIndex | None = None) -> None:
        self.index = index
        self.data_set = ""
        """Whose situations the index holds."""
        self.is_widened = False
        self._engine = engine
        self._values = np.empty(len(CATALOGUE_NAMES))
        self._is_noted = self._is_known = False
        self._novelty = 0.0

    def note(self) -> None:
        """A bar closed at this very tick."""
        self._values[:] = self._engine.catalogue_values
        self._is_noted, self._is_known = True, False

    def novelty(self) -> float:
        """Share of the training period's situations that were closer to the others, 0 to 1."""
        if self.index is None:
            return 0.0
        if not self._is_known:
            if not self._is_noted:  # nothing has closed since a start: the features as they are
                self.note()
            self._novelty = novelty_of(self._values, self.index)
            self._is_known = True
        return (1.0 + self._novelty) / 2.0 if self.is_widened else self._novelty


def novelty_of(values: Float64Array, index: SituationIndex) -> float:
    """How unusual features of the catalogue are, float64[features]; see `SituationIndex`."""
    return index.novelty(regime_columns(values[None, :], CATALOGUE_NAMES)[0])
