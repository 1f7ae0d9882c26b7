"""The detectors of a feature set, the shelf that keeps sets, and the verbs around them."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from model_fixtures import request

from plan2.commands.features import command
from plan2.commands.options import Cli
from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, TenantId, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.requested import PEER, REQUESTED
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.features.set_check import (
    CheckReport,
    check_features,
    random_walk,
    saved_report,
)
from plan2.intelligence.features.shelf import Shelf, chosen_set
from plan2.intelligence.features.tables import instrument_of
from plan2.intelligence.training.assemble import assemble
from plan2.wiring.feature_plan import plan_of as configured_plan

GOOD = """
[set]
name = "good"
include = ["return_5", "spread"]
[features]
ratio = "return_5 / (1e-6 + abs(return_1))"
"""
TENANT = TenantId("default")
BLOCK = random_walk("EURUSD", 6_000, seed=3)


def found(plan: FeaturePlan, change: object = None, block: TickBlock = BLOCK) -> CheckReport:
    """The report on a set, with the engine's values changed by a function of the rows."""

    def compute(part: TickBlock) -> SampledFeatures:
        rows = FeatureEngine(plan, instrument_of(part)).step_block(part)
        return replace(rows, values=change(rows)) if callable(change) else rows

    return check_features(plan, compute, block)


def errors(report: CheckReport) -> dict[str, str]:
    """Feature → what is wrong with it."""
    return {item.feature: item.text for item in report.findings if item.severity == "error"}


def plan_of(text: str = GOOD) -> FeaturePlan:
    """A plan with the set of a text."""
    return default_plan(60, parse_set(text, "test"))


def test_a_sound_set_passes_and_says_how_long_it_takes_to_settle() -> None:
    """Five-bar returns agree with a long run from the sixth bar on."""
    report = found(plan_of())
    assert report.passed
    columns = {column.name: column for column in report.columns}
    assert columns["return_5"].warmup_bars == 6
    assert columns["return_5"].settles_after_bars == 5  # from the sixth committed bar on
    assert 0.0 < columns["spread"].low < columns["spread"].high  # type: ignore[operator]


def test_the_whole_catalogue_passes() -> None:
    """No feature of ours knows the future or stays undefined longer than declared."""
    report = found(default_plan(), block=random_walk("EURUSD", 40_000))
    assert errors(report) == {}
    assert len(report.columns) == len(default_plan().names)


def test_a_column_that_knows_the_next_bar_is_found() -> None:
    """The planted leak, and nothing else."""

    def peek(rows: SampledFeatures) -> Float64Array:
        values = rows.values.copy()
        values[:-1, 1] = values[1:, 1]
        return values

    assert list(errors(found(plan_of(), peek))) == ["spread"]


def test_a_warm_up_declared_too_short_is_found() -> None:
    """return_5 with a declared warm-up of two bars."""
    plan = plan_of()
    own = plan.feature_set
    assert own is not None
    short = tuple(
        replace(feature, warmup=2) if feature.field == "return_5" else feature
        for feature in own.features
    )
    lying = replace(own, features=short)
    texts = errors(found(default_plan(60, lying)))
    assert "undefined after its declared warm-up of 2 bars" in texts["return_5"]
    assert set(texts) == {"return_5"}


def test_columns_that_say_nothing_are_named() -> None:
    """Never defined, out of range, constant, and twice the same."""
    report = found(
        plan_of(
            '[set]\nname="bad"\ninclude=["spread"]\n[features]\n'
            'never="log(-spread)"\nflat="spread / spread"\ntwin="1 * spread"\n'
            'wide={formula="rsi_mid_14", low=0.0, high=1.0}'
        )
    )
    assert set(errors(report)) == {"never", "wide"}
    warned = {item.feature: item.text for item in report.findings if item.severity == "warning"}
    assert warned == {"flat": "never changes.", "twin": "is the same as spread."}


def test_too_few_ticks_tell_nothing() -> None:
    """The check says how many bars it needs."""
    with pytest.raises(InputError, match="183"):
        found(plan_of(), block=BLOCK.slice(0, 200))


def test_versions_are_kept_and_never_rewritten(tmp_path: Path) -> None:
    """The newest is served by name, any by name@version, each tenant has its own."""
    shelf = Shelf(tmp_path, TENANT)
    first = shelf.add(GOOD, "a")
    assert shelf.add(GOOD, "again").content_id == first.content_id
    changed = GOOD.replace("1e-6", "1e-5")
    with pytest.raises(InputError, match="Raise the version to 2"):
        shelf.add(changed, "b")
    second = shelf.add(changed.replace('"good"', '"good"\nversion = 2'), "b")
    assert shelf.versions("good") == (1, 2)
    assert shelf.load("good").content_id == second.content_id != first.content_id
    assert shelf.load("good@1").content_id == first.content_id
    assert [kept.version for kept in shelf.list()] == [2]
    assert Shelf(tmp_path, TenantId("other")).list() == ()
    for wrong in ("good@3", "none", "../good", "good@01"):
        with pytest.raises(InputError, match="no feature set"):
            shelf.load(wrong)
    assert chosen_set("default", shelf) is None


def invoke(folder: Path, *arguments: object) -> Result:
    """Run the verb on a data folder."""
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(command, [*words, "--data-dir", str(folder)])


def test_a_set_from_file_to_values(tmp_path: Path) -> None:
    """add, list, show, check and values, as a person would."""
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    assert invoke(tmp_path, "add", file).output == "good@1 is kept: 3 features.\n"
    listing = json.loads(invoke(tmp_path, "list", "--json").stdout)
    assert [kept["name"] for kept in listing["sets"]] == ["good"]
    beyond = 16 + len(REQUESTED) + len(PEER)
    assert len(listing["features"]) == len(default_plan().names) + beyond
    shown = json.loads(invoke(tmp_path, "show", "good", "--json").stdout)
    assert shown["formulas"]["ratio"] == "return_5 / (1e-06 + abs(return_1))"
    assert shown["schema_id"] == plan_of().schema_id
    checked = invoke(tmp_path, "check", "good")
    assert checked.exit_code == 0, checked.output
    assert "may be used" in checked.output
    values = json.loads(invoke(tmp_path, "values", "good", "--json").stdout)
    engine = FeatureEngine(plan_of(), instrument_of(BLOCK))
    engine.step_block(random_walk("EURUSD", 40_000))
    assert list(values["values"].values()) == engine.values.tolist()


def test_a_bad_set_is_told_with_exit_code_one(tmp_path: Path) -> None:
    """So that a script can stop there."""
    file = tmp_path / "bad.toml"
    file.write_text('[set]\nname="bad"\n[features]\nnever="log(-spread)"')
    result = invoke(tmp_path, "check", file)
    assert result.exit_code == 1
    assert "never has no value in these ticks" in result.output


def test_training_and_serving_follow_the_set(tmp_path: Path) -> None:
    """Rows have the set's columns; the configured name gives the same identity, or is refused."""
    order = request(feature_set=parse_set(GOOD, "test"))
    samples = assemble([BLOCK], instrument_of(BLOCK), order.plan(), order.rules())
    assert samples.values.shape[1] == 3
    assert order.plan().schema_id == plan_of().schema_id
    assert order.embargo_s() >= default_plan().warmup_bars * 60
    Shelf(tmp_path, TENANT).add(GOOD, "a")
    settings = Cli().load(tmp_path).settings
    assert configured_plan(settings).schema_id == default_plan().schema_id
    for asked, expected in (("good", plan_of().schema_id), ("nothing", None)):
        models = msgspec.structs.replace(settings.models, feature_set=asked)
        chosen = msgspec.structs.replace(settings, models=models)
        if expected is not None:
            assert configured_plan(chosen).schema_id == expected
        else:
            with pytest.raises(InputError, match="no feature set 'nothing'"):
                configured_plan(chosen)


def test_the_last_check_is_kept_for_those_who_look_later(tmp_path: Path) -> None:
    """By what the columns mean; another set has none."""
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    assert invoke(tmp_path, "check", file).exit_code == 0
    kept = saved_report(tmp_path, plan_of().schema_id)
    assert kept is not None
    assert [column.name for column in kept.columns] == ["return_5", "spread", "ratio"]
    assert saved_report(tmp_path, default_plan().schema_id) is None
