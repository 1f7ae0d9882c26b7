"""Makes the policy of a flow: compiled rules, or the bets of the ensemble."""

from collections.abc import Callable, Collection
from pathlib import Path

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.flows.bets import BetPolicy
from plan2.intelligence.flows.compiled import CompiledFlow
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.forecasts import check_features
from plan2.intelligence.flows.live import CompiledPolicy
from plan2.intelligence.flows.modules import FOLDER
from plan2.intelligence.flows.policy import FlowPolicy
from plan2.intelligence.flows.source import write_source

NOT_LIVE = "Python policies run in backtests; a flow of rules or models can trade."


def check_flow(flow: Flow) -> None:
    """Refuse a flow whose expressions cannot be used, without compiling it.

    Raises:
        InputError: it says which expression and why.
    """
    if flow.policy.kind == "python":
        raise InputError(f"Flow {flow.name} asks a Python policy.", remedy=NOT_LIVE)
    if not (flow.size.lots or flow.size.risk_fraction):
        raise InputError(f"Flow {flow.name}: [size] names neither lots nor risk_fraction.")
    if flow.policy.kind == "rules":
        write_source(flow)


def check_feature_set(flow: Flow, plan: FeaturePlan) -> None:
    """Refuse a flow that was written for other features than those in use.

    Raises:
        InputError: it says which are in use.
    """
    own = "" if plan.feature_set is None else plan.feature_set.name
    if flow.feature_set and flow.feature_set != own:
        raise InputError(
            f"Flow {flow.name} asks for the feature set {flow.feature_set!r}; in use is "
            f"{own or 'the whole catalogue'}.",
            remedy="[models] feature_set in config.toml chooses what is in use.",
        )


def check_families(flow: Flow, known: Collection[str]) -> None:
    """Refuse a flow that names model families which the models of its symbol do not have.

    Raises:
        InputError: it names the first one, and those there are.
    """
    missing = [name for name in flow.models.families if name not in known]
    if missing:
        raise InputError(
            f"{flow.source.symbol} has no model of {missing[0]}, whose forecasts flow {flow.name} "
            f"reads; it has {', '.join(sorted(known))}.",
            remedy=f"Train them with `plan2 train --families {','.join(flow.models.families)}`, or "
            "change families in [models].",
        )


def make_policy(
    flow: Flow,
    instrument: Instrument,
    rules: Rules,
    rate: Callable[[], float],
    plan: FeaturePlan,
    folder: Path | None,
) -> FlowPolicy:
    """The policy of a flow on an instrument; compiling may take seconds the first time.

    `rate` gives account currency per unit of the quote currency now; `plan` is that of the features
    that accounts are given; `folder` is the data folder, None keeps nothing.

    Raises:
        InputError: as `check_flow`, or the flow reads features that are not in use.
    """
    check_flow(flow)
    check_feature_set(flow, plan)
    if flow.policy.kind == "models":
        return BetPolicy(instrument, rules.decision, rate)
    compiled = CompiledFlow(flow, instrument, folder / FOLDER if folder is not None else None)
    check_features(compiled.outer, plan.names)
    bar_ns = plan.bar_period_s * NS_PER_SECOND
    return CompiledPolicy(compiled, plan.names, bar_ns, rules.decision.uncertainty_weight)
