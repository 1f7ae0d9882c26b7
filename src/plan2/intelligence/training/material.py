"""What samples are made of: a symbol's ticks, or its bars where there are no ticks."""

from collections.abc import Iterable

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.dataset import SymbolSamples
from plan2.intelligence.training.from_bars import samples_of_bars
from plan2.intelligence.training.labels import LabelRules

Material = Iterable[TickBlock] | BarSeries


def samples_of(
    material: Material,
    instrument: Instrument,
    plan: FeaturePlan,
    rules: LabelRules,
    around: Surroundings | None = None,
) -> SymbolSamples:
    """Bars and events of a symbol, by the kernels and labels that serve.

    `around`: other symbols and events, where the plan looks at them.

    Raises:
        InputError: bars are too coarse for the horizon, or their spread is not known.
    """
    if not isinstance(material, BarSeries):
        return assemble(material, instrument, plan, rules, around)
    return samples_of_bars(
        material,
        instrument,
        rules.horizon_s,
        lambda block: assemble([block], instrument, plan, rules, around),
    )
