"""What a flow's backtest reads from outside: the feature engine and models of the installation."""

from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest.feeds import TickFeed
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run_flow import Outer
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.flows.words import FORECASTS
from plan2.intelligence.models.ensemble import Ensemble, load_ensembles
from plan2.intelligence.models.registry import TrialRegistry
from plan2.wiring.feature_plan import plan_of


def outer_values(
    loaded: Loaded, flow: Flow, instrument: Instrument, feed: TickFeed
) -> tuple[Outer, float]:
    """What the flow reads from outside, and the seconds that models took.

    Raises:
        InputError: the flow reads forecasts and the symbol has no models, or none of a family.
    """
    names = tuple(write_source(flow).program.outer)
    plan = plan_of(loaded.settings)
    ensemble = None
    if set(names) & set(FORECASTS):
        registry = TrialRegistry(data_dir(loaded.settings) / "models")
        found = load_ensembles(registry, (instrument.symbol,), plan.schema_id)
        ensemble = _of_families(found.get(instrument.symbol), flow.models.families)
    engine = FeatureEngine(plan, instrument)
    weight = loaded.settings.decision.uncertainty_weight
    outside = Outside(names, engine, ensemble, weight)
    times, rows = outside.collect(feed)
    return Outer(names, times, rows), outside.inference_s


def _of_families(ensemble: Ensemble | None, families: tuple[str, ...]) -> Ensemble | None:
    """The members of these families alone; all of them when none is named."""
    if ensemble is None or not families:
        return ensemble
    members = [each for each in ensemble.members if each.manifest.family in families]
    if not members:
        known = sorted({each.manifest.family for each in ensemble.members})
        raise InputError(
            f"{ensemble.symbol} has no models of {', '.join(families)}; it has {', '.join(known)}."
        )
    return Ensemble(ensemble.symbol, members)
