"""Everything that goes wrong between us and the trade server, and that the truth is found."""

from pathlib import Path
from typing import cast

import pytest

from mt5_world import SYMBOLS, Mt5World, mt5_world
from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.port import LinkState, OrderKind, Trigger, UpdateKind
from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.faults import Happening
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.options import SeededFaults, TwinAccount, TwinOptions
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_DAY, Side
from simulated_world import TUESDAY_NS, closing, order

BUY, SELL = Side.BUY, Side.SELL
UNKNOWN, REJECTED = UpdateKind.UNKNOWN, UpdateKind.REJECTED
TWO = TwinOptions(
    symbols=SYMBOLS, accounts=(TwinAccount(), TwinAccount(login=6_000_002, trade_mode=2))
)
NAMELESS = TwinOptions(symbols=SYMBOLS, comment_keeps=0)
LOST = [
    fault.lost_reply(),
    fault.answers(10012, is_executed=True),
    fault.fails(-1, is_executed=True),
]
NEVER_SENT = [
    fault.lost_request(-10001),
    fault.lost_request(-10002),
    fault.answers(10012),
    fault.answers(10011),
    fault.answers(10031),
    fault.fails(-1),
    fault.fails(-10000),
]


def settle(venue: Mt5World) -> None:
    """Reconnect when the pipe is gone, and let the order become old enough to tell."""
    venue.poll()
    if venue.links and venue.links[-1].state is LinkState.DOWN:
        venue.reconnect()
    venue.after(31_000)


@pytest.mark.parametrize(
    "options", [TwinOptions(symbols=SYMBOLS), NAMELESS], ids=["named", "erased"]
)
@pytest.mark.parametrize("happening", LOST)
def test_a_lost_reply_of_an_executed_order(happening: Happening, options: TwinOptions) -> None:
    """UNKNOWN, sent once; the deal is told and traced, even when the broker erases comments."""
    venue = mt5_world(options)
    venue.world.faults.script("order_send", happening)

    said = venue.engine.submit(order())[0]
    assert said.kind is UNKNOWN
    settle(venue)

    trace = venue.engine.trace("token-order-1")
    assert trace is not None
    assert [one.quantity for one in trace.deals] == [0.1]
    assert trace.is_over
    assert {one.token for one in trace.deals} == {"token-order-1"}
    (position,) = venue.engine.positions() or ()
    assert position.token == "token-order-1"
    assert len(venue.world.desk.book.deals) == 1


@pytest.mark.parametrize(
    "options", [TwinOptions(symbols=SYMBOLS), NAMELESS], ids=["named", "erased"]
)
@pytest.mark.parametrize("happening", NEVER_SENT)
def test_an_unclear_answer_of_an_order_that_never_was(
    happening: Happening, options: TwinOptions
) -> None:
    """UNKNOWN; "never" is only said once the order is old enough, and nothing was sent again."""
    venue = mt5_world(options)
    venue.world.faults.script("order_send", happening)

    (said,) = venue.engine.submit(order())
    assert said.kind is UNKNOWN
    venue.poll()
    if venue.links:
        venue.reconnect()
    assert venue.engine.trace("token-order-1") is None
    settle(venue)

    trace = venue.engine.trace("token-order-1")
    assert trace is not None
    assert trace.is_empty
    assert venue.world.desk.book.deals == []


def test_erased_comments_and_two_orders_that_look_alike() -> None:
    """Which of the two was executed cannot be told, so nothing is claimed of either."""
    venue = mt5_world(NAMELESS)
    venue.world.visibility.deals_ms = venue.world.visibility.orders_ms = 2_000
    venue.world.faults.script(
        "order_send", fault.answers(10012, is_executed=True), fault.answers(10012)
    )
    venue.engine.submit(order())
    venue.engine.submit(order(order_id="order-2"))
    settle(venue)

    assert venue.engine.trace("token-order-1") is None
    assert venue.engine.trace("token-order-2") is None
    (told,) = venue.engine.deals(0) or ()
    assert told.token == ""


def test_erased_comments_of_an_answered_order() -> None:
    """The ticket of the answer names the order; its stop is known by the position."""
    venue = mt5_world(NAMELESS)
    venue.engine.submit(order(stop_loss=1.0800))
    venue.quote(1.0790, 1.0791)

    assert [one.token for one in venue.engine.deals(0) or ()] == ["token-order-1"] * 2
    assert venue.updates[0].deal is not None
    assert venue.updates[0].deal.reason == "stop_loss"


def test_a_pending_order_whose_reply_was_lost() -> None:
    """Found working; told as cancelled later, under its own name."""
    venue = mt5_world(NAMELESS)
    venue.world.faults.script("order_send", fault.lost_reply())
    wanted = order(kind=OrderKind.PENDING, trigger=Trigger.LIMIT, price=1.0800)
    assert venue.engine.submit(wanted)[0].kind is UNKNOWN
    settle(venue)

    trace = venue.engine.trace("token-order-1")
    assert trace is not None
    assert trace.working is not None
    assert not trace.is_over
    venue.world.person.cancels(int(trace.working.ticket))
    venue.after(100)
    assert venue.kinds("order-1") == [UpdateKind.CANCELLED]


def test_nothing_is_said_while_the_history_is_late() -> None:
    """Orders, deals and positions show after a minute: the answer is None until then."""
    venue = mt5_world(settle_s=90.0)
    venue.world.visibility.deals_ms = venue.world.visibility.orders_ms = 60_000
    venue.world.visibility.positions_ms = 60_000
    venue.world.faults.script("order_send", fault.answers(10012, is_executed=True))
    venue.engine.submit(order())
    for _ in range(5):
        venue.after(10_000)
        assert venue.engine.trace("token-order-1") is None
    venue.after(11_000)

    trace = venue.engine.trace("token-order-1")
    assert trace is not None
    assert len(trace.deals) == 1
    assert venue.kinds("order-1") == [UpdateKind.FILLED]


@pytest.mark.parametrize(
    "name", ["positions_get", "orders_get", "history_orders_get", "history_deals_get"]
)
def test_one_failed_question_is_no_answer(name: str) -> None:
    """A trace needs all four; None is never "nothing there"."""
    venue = mt5_world()
    venue.after(60_000)
    venue.world.faults.script(name, fault.fails(-1))

    assert venue.engine.trace("never-sent") is None
    trace = venue.engine.trace("never-sent")
    assert trace is not None
    assert trace.is_empty


def test_a_broken_pipe_is_said_once_and_mended_by_connect() -> None:
    """DOWN once; questions are None and orders refused until connect; deals of the break come."""
    venue = mt5_world()
    position = venue.engine.submit(order())[1].deal
    assert position is not None
    venue.world.break_pipe()
    venue.after(100)
    venue.after(100)
    assert [one.state for one in venue.links] == [LinkState.DOWN]
    assert venue.engine.positions() is None
    assert venue.engine.deals(0) is None
    assert venue.engine.account() is None
    (said,) = venue.engine.submit(closing("EURUSD", SELL, position.position_ticket))
    assert (said.kind, said.reason) == (REJECTED, "not_sent")
    venue.world.person.closes(int(position.position_ticket))

    venue.reconnect()

    (update,) = venue.updates
    assert update.deal is not None
    assert (update.deal.reason, update.deal.is_exit) == ("manual", True)
    assert venue.engine.positions() == ()


def test_a_terminal_that_was_killed_and_started_again() -> None:
    """DOWN, then connect starts it; everything goes on where it stopped."""
    venue = mt5_world()
    venue.world.terminal.is_running = False
    venue.after(100)
    assert venue.links[-1].state is LinkState.DOWN

    venue.reconnect()

    assert venue.engine.submit(order())[0].kind is UpdateKind.ACCEPTED


def test_a_terminal_that_is_not_there_is_tried_again_later() -> None:
    """-10003 is no reason to give up."""
    venue = mt5_world()
    venue.world.terminal.is_running = venue.world.terminal.is_installed = False
    venue.after(100)

    with pytest.raises(TerminalUnavailable, match="-10003"):
        venue.engine.connect()


def test_somebody_switches_the_account() -> None:
    """Nothing of the other account is told, nothing is sent to it, until ours is back."""
    venue = mt5_world(TWO)
    venue.engine.submit(order())
    venue.world.log_in(6_000_002)

    (said,) = venue.engine.submit(order(order_id="order-2"))
    assert (said.kind, said.reason) == (REJECTED, "other_account")
    venue.world.person.opens("EURUSD", BUY, 1.0)
    venue.quote(1.0860, 1.0861)
    assert venue.engine.positions() is None
    assert venue.engine.deals(0) is None
    assert venue.engine.account() is None
    assert venue.engine.trace("token-order-1") is None
    assert [one.state for one in venue.links] == [LinkState.DEGRADED]
    assert "6000002" in venue.links[0].reason
    assert venue.updates == []

    venue.world.log_in(5_000_001)
    venue.after(100)
    assert [one.state for one in venue.links] == [LinkState.DEGRADED, LinkState.UP]
    assert len(venue.engine.positions() or ()) == 1


def test_a_reconnection_to_another_account_needs_a_person() -> None:
    """The account of the first connection stays pinned."""
    venue = mt5_world(TWO)
    venue.world.break_pipe()
    venue.poll()
    venue.world.log_in(6_000_002)

    with pytest.raises(ConfigError, match="6000002"):
        venue.engine.connect()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"login": 1}, "5000001"), ({"server": "Other"}, "Plan2-Twin"), ({"mode": "real"}, "demo")],
)
def test_the_configured_account_is_required(wrong: dict[str, object], named: str) -> None:
    """Another login, server or mode refuses to start and names what is there."""
    with pytest.raises(ConfigError, match=named):
        mt5_world(**wrong)


def test_a_login_with_its_password() -> None:
    """The terminal is switched to the configured account; a wrong password is an error."""
    venue = mt5_world(TWO)
    options = Mt5Options(
        symbols=SYMBOLS, login=6_000_002, server="Plan2-Twin", mode="real", may_guess_terminal=True
    )
    module = cast(Mt5Module, build(venue.world))
    account = Mt5Engine(module, options, venue.clock, Secret("twin")).connect()
    assert (account.login, account.mode) == ("6000002", "real")

    with pytest.raises(ConfigError, match="-6"):
        Mt5Engine(module, options, venue.clock, Secret("wrong")).connect()


def test_a_path_is_required() -> None:
    """Without one the package would attach to any terminal of the machine."""
    with pytest.raises(ConfigError, match="path"):
        mt5_world(may_guess_terminal=False)


@pytest.mark.parametrize(
    ("lever", "value", "word", "reason"),
    [
        ("is_connected", False, "server_disconnected", None),
        ("has_autotrading", False, "autotrading_off", "client_disables_autotrading"),
        ("is_api_disabled", True, "api_trading_disabled", "api_trading_disabled"),
    ],
)
def test_a_terminal_that_may_not_trade(
    lever: str, value: bool, word: str, reason: str | None
) -> None:
    """DEGRADED with what to do; an order is answered as the terminal answers it; then UP again."""
    venue = mt5_world()
    setattr(venue.world.terminal, lever, value)
    venue.after(100)
    assert [one.state for one in venue.links] == [LinkState.DEGRADED]
    assert venue.links[0].reason.startswith(word)
    (said,) = venue.engine.submit(order())
    assert (said.kind, said.reason) == (
        (REJECTED, reason) if reason else (UNKNOWN, "no_connection")
    )
    setattr(venue.world.terminal, lever, not value)
    venue.after(100)

    assert venue.links[-1].state is LinkState.UP


def test_a_terminal_without_its_server_answers_from_memory() -> None:
    """Then nothing is claimed: not what is open, and not that an order never arrived."""
    venue = mt5_world()
    venue.after(60_000)
    assert venue.engine.trace("never-sent") is not None
    venue.world.terminal.is_connected = False

    assert venue.engine.positions() is None
    assert venue.engine.orders() is None
    assert venue.engine.deals(0) is None
    assert venue.engine.trace("never-sent") is None
    assert venue.engine.account() is not None
    venue.after(100)
    venue.world.terminal.is_connected = True
    venue.after(100)
    assert venue.engine.positions() == ()
    assert venue.engine.trace("never-sent") is None  # its history may not have caught up yet
    venue.after(31_000)
    assert venue.engine.trace("never-sent") is not None


def test_an_investor_may_only_look() -> None:
    """DEGRADED; the account says it may not trade."""
    venue = mt5_world()
    venue.world.account.is_investor = True
    venue.after(100)

    assert venue.links[-1].reason.startswith("investor")
    account = venue.engine.account()
    assert account is not None
    assert not account.trade_allowed
    assert venue.engine.submit(order())[0].reason == "trade_disabled"


def test_a_broker_that_forbids_experts() -> None:
    """DEGRADED by the account's own flag."""
    venue = mt5_world()
    venue.world.account.allows_experts = False
    venue.after(100)

    assert venue.links[-1].reason.startswith("server_disables_autotrading")
    assert venue.engine.submit(order())[0].reason == "server_disables_autotrading"


def test_a_closed_market() -> None:
    """On Saturday the last quotes stand still; an order is refused until the session."""
    venue = mt5_world()
    saturday_ns = TUESDAY_NS + 4 * NS_PER_DAY
    venue.clock.advance_to(saturday_ns)
    venue.poll()

    assert venue.ticks == []
    assert venue.engine.submit(order())[0].reason == "market_closed"


@pytest.mark.parametrize(
    ("code", "reason"),
    [(10004, "requote"), (10020, "price_changed"), (10021, "no_quotes"), (10019, "no_money"),
     (10024, "too_many_requests"), (10006, "rejected")],
)  # fmt: skip
def test_refusals_have_stable_words(code: int, reason: str) -> None:
    """And nothing is sent a second time."""
    venue = mt5_world()
    venue.world.faults.script("order_send", fault.answers(code))

    (said,) = venue.engine.submit(order())

    assert (said.kind, said.reason) == (REJECTED, reason)
    assert venue.engine.deals(0) == ()


def test_a_refused_filling_mode_is_not_asked_for_again() -> None:
    """10030 rejects this order; the next one uses another mode."""
    venue = mt5_world()
    venue.world.faults.script("order_send", fault.answers(10030))
    sent: list[int] = []
    original = venue.module.order_send

    def spying(request: dict[str, int]) -> object:
        sent.append(request["type_filling"])
        return original(request)

    venue.module.order_send = spying
    assert venue.engine.submit(order())[0].reason == "invalid_fill"
    venue.engine.submit(order(order_id="order-2"))

    assert len(set(sent)) == 2


def test_what_cannot_be_looked_up_is_not_sent() -> None:
    """An unknown symbol, a position that is gone, an order ticket that is no number."""
    venue = mt5_world()
    reasons = [
        venue.engine.submit(one)[0].reason
        for one in (
            order(symbol="GBPUSD", order_id="a"),
            closing("EURUSD", SELL, "12345"),
            order(kind=OrderKind.CANCEL, order_ticket="x", order_id="b"),
            order(kind=OrderKind.PENDING, order_id="c"),
        )
    ]

    assert reasons == ["unknown_symbol", "position_closed", "invalid_request", "invalid_request"]


def test_a_new_process_remembers_what_was_sent(tmp_path: Path) -> None:
    """The host dies while the order is out and comments are erased: the next one finds it."""
    path = str(tmp_path / "engine.json")
    venue = mt5_world(NAMELESS, state_path=path)
    venue.world.faults.script("order_send", fault.lost_reply())
    assert venue.engine.submit(order())[0].kind is UNKNOWN
    options = Mt5Options(
        symbols=SYMBOLS, account_poll_ms=0, may_guess_terminal=True, state_path=path
    )
    again = Mt5Engine(cast(Mt5Module, build(venue.world)), options, venue.clock)
    again.connect()

    (update,) = again.poll().updates
    assert (update.kind, update.order_id) == (UpdateKind.FILLED, "order-1")
    trace = again.trace("token-order-1")
    assert trace is not None
    assert [one.token for one in trace.deals] == ["token-order-1"]


def test_a_state_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """It is never overwritten."""
    path = tmp_path / "engine.json"
    path.write_text("not ours")

    with pytest.raises(ConfigError, match=r"engine\.json"):
        mt5_world(state_path=str(path))
    assert path.read_text() == "not ours"


@pytest.mark.parametrize("seed", range(6))
def test_a_storm_of_faults_ends_in_agreement(seed: int) -> None:
    """Seeded faults of every kind: each order ends as the broker has it, none is doubled."""
    storm = SeededFaults(
        seed=seed,
        lost_request=0.1,
        lost_reply=0.15,
        rejected=0.1,
        bare=0.2,
        partial=0.2,
        pipe_break=0.01,
    )
    venue = mt5_world(TwinOptions(symbols=SYMBOLS, faults=storm, deals_delay_ms=700))
    told: dict[str, float] = {}
    for number in range(40):
        venue.ensure()
        wanted = order(order_id=f"o{number}", side=BUY if number % 2 else SELL, quantity=0.04)
        venue.updates += venue.engine.submit(wanted)
        venue.quote(1.0850 + number % 5 * 1e-5, 1.0852, after_ms=400)
    for _ in range(20):
        venue.ensure()
        venue.after(5_000)
    venue.ensure()
    for update in venue.updates:
        if update.deal is not None:
            told[update.deal.ticket] = update.deal.quantity

    book = venue.world.desk.book
    assert sum(told.values()) == pytest.approx(sum(one.quantity for one in book.deals))
    assert len(told) == len(book.deals)
    by_token: dict[str, float] = {}
    for deal in book.deals:
        by_token[deal.token] = by_token.get(deal.token, 0.0) + deal.quantity
    for number in range(40):
        for _ in range(50):
            venue.ensure()
            trace = venue.engine.trace(f"token-o{number}")
            if trace is not None:
                break
            venue.after(10_000)
        assert trace is not None
        lots = sum(one.quantity for one in trace.deals)
        assert lots == pytest.approx(by_token.get(f"token-o{number}", 0.0))
        assert lots <= 0.04 + 1e-9
