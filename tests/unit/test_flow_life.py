"""The life of a flow's versions: steps, gates, who may pass one, and what holds when."""

import msgspec
import pytest

from plan2.foundation.errors import InputError, StoreBusy
from plan2.intelligence.flows.desk import FlowGateClosed
from plan2.intelligence.flows.evidence import RunFiles
from plan2.intelligence.flows.gates import paper_days
from plan2.intelligence.flows.life import STEPS, FlowState, IllegalStep
from plan2.intelligence.flows.places import line_of
from unit.flow_fixtures import EMA_CROSS
from unit.flow_registry_fixtures import SECOND_TEXT, Registry

S = FlowState


async def test_another_text_is_another_version_and_the_same_text_is_not() -> None:
    """A description changes nothing that the flow does."""
    registry = Registry()
    first = await registry.desk.register(EMA_CROSS, "user:anna")
    again = await registry.desk.register('description = "x"\n' + EMA_CROSS, "user:ben")
    second = await registry.desk.register(SECOND_TEXT, "user:ben")
    assert (first.version, again.version, second.version) == (1, 1, 2)
    assert registry.told == ["registered ema-cross 1", "registered ema-cross 2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EMA_CROSS.replace("EURUSD", "XXXYYY"), "not on offer"),
        (EMA_CROSS.replace('"ema-cross"', '"main"'), "cannot be called"),
        (EMA_CROSS.replace("lots = 0.10", "lots = -1"), "lots"),
        ("name = ", "not TOML"),
    ],
)
async def test_what_could_not_trade_is_not_registered(text: str, words: str) -> None:
    """Nothing is stored, and the message says why."""
    registry = Registry()
    with pytest.raises(InputError, match=words):
        await registry.desk.register(text, "user:anna")
    assert registry.store.rows == {}


async def test_the_quota_counts_flows_and_not_their_versions() -> None:
    """A full tenant may still bring another version."""
    registry = Registry()
    await registry.desk.register(EMA_CROSS, "user:anna")
    registry.is_full = True
    await registry.desk.register(SECOND_TEXT, "user:anna")
    with pytest.raises(InputError, match="quota"):
        await registry.desk.register(EMA_CROSS.replace("ema-cross", "other"), "user:anna")
    assert registry.desk.count() == 1


@pytest.mark.parametrize("begin", list(S))
async def test_only_the_steps_of_the_table_are_taken(begin: S) -> None:
    """From every state to every other one, with every gate open."""
    for to in S:
        registry = Registry()
        version = await registry.at(S.LIVE if begin is S.RETIRED else begin)
        if begin is S.RETIRED:
            version = await registry.move(version, S.RETIRED)
        registry.clock.pass_days(10)
        if to in STEPS[begin]:
            needs_over = to is S.LIVE and begin is S.PAUSED
            assert (await registry.move(version, to, over=needs_over)).state is to
        else:
            with pytest.raises(IllegalStep):
                await registry.move(version, to)


async def test_a_backtest_of_this_very_version_is_asked_for() -> None:
    """Another version's run does not count, and nobody may pass over that."""
    registry = Registry()
    version = await registry.desk.register(EMA_CROSS, "user:anna")
    registry.runs["somebody else's"] = ("run-7",)
    with pytest.raises(FlowGateClosed, match="no finished backtest"):
        await registry.move(version, S.BACKTESTED)
    with pytest.raises(FlowGateClosed):
        await registry.move(version, S.BACKTESTED, over=True)
    registry.runs[version.digest] = ("run-8",)
    assert (await registry.move(version, S.BACKTESTED)).state is S.BACKTESTED
    assert "run-8" in registry.store.written[-1].evidence[0]


async def test_ten_days_on_paper_or_a_person_who_passes_over_that() -> None:
    """9.9 days are not 10; the override is recorded with the figure."""
    registry = Registry()
    version = await registry.at(S.PAPER)
    registry.clock.pass_days(9.9)
    with pytest.raises(FlowGateClosed, match=r"9\.9 days on paper, at least 10") as refused:
        await registry.move(version, S.LIVE)
    assert "--override" in refused.value.remedy
    assert (await registry.move(version, S.LIVE, over=True)).state is S.LIVE
    last = registry.store.written[-1]
    assert (last.is_override, last.by) == (True, "user:anna")
    assert "9.9 days on paper, at least 10 are needed" in last.evidence


async def test_an_override_of_an_open_gate_is_none() -> None:
    """After ten days the same wish passes as any other."""
    registry = Registry()
    version = await registry.at(S.PAPER)
    registry.clock.pass_days(10)
    await registry.move(version, S.LIVE, over=True)
    assert not registry.store.written[-1].is_override


async def test_pauses_are_no_days_on_paper() -> None:
    """4 days, a pause of 20, 3 days: 7."""
    registry = Registry()
    version = await registry.at(S.PAPER)
    registry.clock.pass_days(4)
    version = await registry.move(version, S.PAUSED)
    registry.clock.pass_days(20)
    version = await registry.move(version, S.PAPER)
    registry.clock.pass_days(3)
    moves = registry.desk.moves("ema-cross", 1)
    assert paper_days(version, moves, registry.clock.now_ns()) == pytest.approx(7.0)


async def test_real_money_is_not_for_paper_and_live_needs_an_armed_account() -> None:
    """Neither may be passed over."""
    registry = Registry()
    version = await registry.at(S.BACKTESTED)
    registry.stage.is_real = True
    with pytest.raises(FlowGateClosed, match="real money"):
        await registry.move(version, S.PAPER, over=True)
    registry.stage.is_real = False
    version = await registry.move(version, S.PAPER)
    registry.stage.is_real, registry.stage.is_armed = True, False
    with pytest.raises(FlowGateClosed, match="not armed"):
        await registry.move(version, S.LIVE, over=True)


async def test_one_version_of_a_flow_trades_at_a_time() -> None:
    """The second waits until the first is retired; then it takes the seat."""
    registry = Registry()
    first = await registry.at(S.PAPER)
    second = await registry.at(S.BACKTESTED, SECOND_TEXT)
    with pytest.raises(FlowGateClosed, match="version 1 of it trades"):
        await registry.move(second, S.PAPER)
    await registry.move(first, S.RETIRED)
    await registry.move(second, S.PAPER)
    assert registry.stage.seated == [("ema-cross", 2, "paper")]
    assert registry.desk.known("ema-cross").version == 2


async def test_a_pause_holds_at_once_even_when_it_cannot_be_written_down() -> None:
    """The database is away: the flow opens nothing more all the same."""
    registry = Registry()
    version = await registry.at(S.PAPER)
    registry.store.is_away = True
    with pytest.raises(StoreBusy):
        await registry.move(version, S.PAUSED)
    assert registry.stage.held == ["ema-cross"]


async def test_an_impossible_pause_holds_nobody() -> None:
    """A draft's pause must not stop the version that trades."""
    registry = Registry()
    await registry.at(S.PAPER)
    draft = await registry.desk.register(SECOND_TEXT, "user:anna")
    with pytest.raises(IllegalStep):
        await registry.move(draft, S.PAUSED)
    assert registry.stage.held == []


async def test_a_move_has_a_reason_and_an_account_of_ones_own() -> None:
    """Blank reasons and foreign accounts are refused."""
    registry = Registry()
    version = await registry.at(S.BACKTESTED)
    with pytest.raises(InputError, match="reason"):
        await registry.move(version, S.PAPER, "  ")


async def test_a_restart_seats_who_traded_and_tells_the_log_again() -> None:
    """What is told twice is the same fact; the tables decide."""
    before = Registry()
    await before.at(S.PAUSED)
    after = Registry(before.store)
    await after.desk.open()
    await after.desk.take_seats()
    assert after.stage.seated == [("ema-cross", 1, "paused")]
    assert after.told == [
        "registered ema-cross 1",
        "moved ema-cross 1 to backtested",
        "moved ema-cross 1 to paper",
        "moved ema-cross 1 to paused",
    ]


def test_finished_backtests_are_those_with_record_and_page(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """One without its page, a damaged one and one of another flow do not count."""
    wanted = {"summary": {"flow_digest": "d1", "run_id": "a"}, "version": 1}
    for name, record, page in (
        ("whole", msgspec.json.encode(wanted), True),
        ("no-page", msgspec.json.encode(wanted), False),
        ("damaged", b"{", True),
        ("other", msgspec.json.encode({"summary": {"flow_digest": "d2"}}), True),
    ):
        home = tmp_path / "backtests" / name
        home.mkdir(parents=True)
        (home / "run.json").write_bytes(record)
        if page:
            (home / "report.html").write_text("<p>")
    assert RunFiles(tmp_path).of("d1") == ("whole",)
    assert RunFiles(tmp_path / "none").of("d1") == ()


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("x is not TOML: Invalid value (at line 7, column 3).", 7),
        ("[policy] long: there is no 'quik'", 11),
        ("flow: Expected `str`, got `int` - at `$.policy.short`.", 12),
        ("flow: Object contains unknown field `x` - at `$.source`.", 2),
        ("the symbol is not on offer", 0),
    ],
)
def test_an_error_is_shown_where_it_lies(message: str, line: int) -> None:
    """Lines of the example, counted by hand."""
    assert line_of(EMA_CROSS, message) == line
