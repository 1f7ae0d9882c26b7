"""What a flow's backtest reads from outside: the feature engine and models of the installation."""

import msgspec

from plan2.dataflow.archive import END_OF_TIME_NS
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest.doubts import NO_DOUBTS, Doubts
from plan2.intelligence.backtest.feeds import TickFeed
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run_flow import Outer
from plan2.intelligence.decision.schedule import rest_of
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.models.ensemble import Ensemble, load_ensembles
from plan2.intelligence.models.registry import TrialRegistry
from plan2.intelligence.models.standing import Age, Expiry
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import check_families, check_feature_set
from plan2.wiring.situations import index_of
from plan2.wiring.surroundings import Span, archived_surroundings, schedules_of


class Behind(msgspec.Struct, frozen=True):
    """The models behind a flow, and what is held against them."""

    ensemble: Ensemble | None = None
    doubts: Doubts = NO_DOUBTS


def outer_values(
    loaded: Loaded, flow: Flow, instrument: Instrument, feed: TickFeed
) -> tuple[Outer, float]:
    """What the flow reads from outside, and the seconds that models took.

    Raises:
        InputError: the flow reads forecasts and the symbol has no models, or none of a family.
    """
    plan = plan_of(loaded.settings)
    check_feature_set(flow, plan)
    names = tuple(write_source(flow).program.outer)
    behind = models_behind(loaded, flow, instrument)
    if not names and behind.ensemble is None:
        return Outer(), 0.0
    around = archived_surroundings(
        data_dir(loaded.settings), plan, [instrument.symbol], Span(0, END_OF_TIME_NS)
    )
    engine = FeatureEngine(plan, instrument, around)
    weight = loaded.settings.decision.uncertainty_weight
    outside = Outside(names, engine, behind.ensemble, weight, behind.doubts)
    return outside.collect(feed), outside.inference_s


def models_behind(loaded: Loaded, flow: Flow, instrument: Instrument) -> Behind:
    """The champion of a flow's symbol, where the flow uses models: of its families, or all.

    Raises:
        InputError: the symbol has no champion, or none of a family.
    """
    if not (flow.models.use or flow.policy.kind == "models"):
        return Behind()
    settings, symbol = loaded.settings, instrument.symbol
    folder, plan = data_dir(settings), plan_of(settings)
    found = load_ensembles(TrialRegistry(folder / "models"), (symbol,), plan.schema_id)
    if symbol not in found:
        raise InputError(
            f"{symbol} has no models, and {flow.name} reads their forecasts.",
            remedy="Train some with `plan2 train`, or name the data folder that has them.",
        )
    members = found[symbol].members
    check_families(flow, {each.manifest.family for each in members})
    families = flow.models.families
    chosen = [each for each in members if not families or each.manifest.family in families]
    expiry = Expiry(days=settings.models.expiry_days, suspend_days=settings.models.suspend_days)
    doubts = Doubts(
        age=Age(trained_ns=max(each.manifest.trained_ts_ns for each in members), expiry=expiry),
        index=index_of(folder, symbol, plan.bar_period_s),
        veto_above=settings.decision.novelty_veto_percentile,
        schedule=schedules_of(folder, {symbol: instrument})[symbol],
        rest=rest_of(settings.decision),
    )
    return Behind(Ensemble(symbol, chosen), doubts)
