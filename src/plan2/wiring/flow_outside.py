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
    if not names:
        return Outer(), 0.0
    ensemble = ensemble_of(loaded, flow, instrument) if set(names) & set(FORECASTS) else None
    engine = FeatureEngine(plan_of(loaded.settings), instrument)
    weight = loaded.settings.decision.uncertainty_weight
    outside = Outside(names, engine, ensemble, weight)
    times, rows = outside.collect(feed)
    return Outer(names, times, rows), outside.inference_s


def reads_forecasts(flow: Flow) -> bool:
    """Whether the ensemble has a say in what the flow does."""
    is_bets = flow.policy.kind == "models"
    return is_bets or bool(set(write_source(flow).program.outer) & set(FORECASTS))


def ensemble_of(loaded: Loaded, flow: Flow, instrument: Instrument) -> Ensemble:
    """The champion of the flow's symbol: its members of the families that the flow names, or all.

    Raises:
        InputError: the symbol has no champion, or none of a family.
    """
    registry = TrialRegistry(data_dir(loaded.settings) / "models")
    symbol, families = instrument.symbol, flow.models.families
    found = load_ensembles(registry, (symbol,), plan_of(loaded.settings).schema_id)
    if symbol not in found:
        raise InputError(
            f"{symbol} has no models, and {flow.name} reads their forecasts.",
            remedy="Train some with `plan2 train`, or name the data folder that has them.",
        )
    members = found[symbol].members
    chosen = [each for each in members if not families or each.manifest.family in families]
    if not chosen:
        known = sorted({each.manifest.family for each in members})
        raise InputError(
            f"{symbol} has no models of {', '.join(families)}; it has {', '.join(known)}."
        )
    return Ensemble(symbol, chosen)
