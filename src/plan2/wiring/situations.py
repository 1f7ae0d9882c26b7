"""Which data set each symbol's situations are compared with, and the look-up for a stored one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array
from plan2.intelligence.pipeline import Lane
from plan2.intelligence.regimes.embedding import REGIME_FEATURES, regime_columns
from plan2.intelligence.regimes.similar import SimilarSituations, SituationIndex, build_index
from plan2.intelligence.training.data_sets import DataSetManifest
from plan2.wiring.data_sets import data_sets_of


def equip(lanes: Mapping[str, Lane], folder: Path) -> None:
    """Give each lane the situations of the newest data set that describes its symbol.

    Raises:
        InputError: a data set is damaged.
    """
    for symbol, lane in lanes.items():
        newest = newest_of(folder, symbol, lane.engine.plan.bar_period_s)
        if newest is not None:
            lane.situations.index = index_from(folder, newest.name, symbol)
            lane.situations.data_set = newest.name


def index_of(folder: Path, symbol: str, bar_period_s: int) -> SituationIndex | None:
    """The index of a symbol; None while no data set of ticks of these bars can describe it.

    Raises:
        InputError: the data set is damaged.
    """
    newest = newest_of(folder, symbol, bar_period_s)
    return None if newest is None else index_from(folder, newest.name, symbol)


def newest_of(folder: Path, symbol: str, bar_period_s: int) -> DataSetManifest | None:
    """The newest data set of ticks of these bars that can describe a symbol."""
    fitting = [found for found in data_sets_of(folder).list() if _fits(found, symbol, bar_period_s)]
    return max(fitting, key=lambda found: found.created_ts_ns, default=None)


def index_from(folder: Path, name: str, symbol: str) -> SituationIndex:
    """The situations of a symbol in a data set.

    Raises:
        InputError: there is no such data set, or it is damaged.
    """
    store = data_sets_of(folder)
    found = store.show(name)
    samples = next(each for each in store.load(name) if each.symbol == symbol)
    return build_index(samples, found.feature_names, found.rules.horizon_s)


def _fits(found: DataSetManifest, symbol: str, bar_period_s: int) -> bool:
    part = found.symbols.get(symbol)
    return (
        part is not None
        and part.rows >= 2 * len(REGIME_FEATURES)
        and found.source == "ticks"
        and found.rules.bar_period_s == bar_period_s
        and set(REGIME_FEATURES) <= set(found.feature_names)
    )


class LaneSituations:
    """The lanes' situations as the routes ask them."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes

    def similar(
        self, symbol: str, named: tuple[Sequence[str], Float64Array], ts_ns: int, side: int
    ) -> SimilarSituations:
        """Situations like a stored one; runs in a thread.

        Raises:
            InputError: there is nothing to compare with, or its features cannot describe it.
        """
        lane = self._lanes.get(symbol)
        index = lane.situations.index if lane is not None else None
        if index is None:
            raise InputError(
                f"There is no data set of {symbol} to compare with.",
                remedy="`plan2 dataset build NAME` makes one; it is taken up at the next start.",
            )
        names, values = named
        return index.query(regime_columns(values[None, :], tuple(names))[0], ts_ns, side)
