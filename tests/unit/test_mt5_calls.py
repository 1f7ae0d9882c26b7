"""Calls into the package: when the error is read, what counts as absent, sent and broken."""

from typing import Any, cast

import pytest

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls, checked_date
from plan2.dataflow.terminals.mt5.shape import Mt5Module


class Scripted:
    """A package of one answer: a value to return or an exception to raise, and its last error."""

    def __init__(self, answer: Any, code: int = 1) -> None:
        self.answer = answer
        self.code = code
        self.calls: list[tuple[Any, ...]] = []

    def last_error(self) -> tuple[int, str]:
        """The error of the last call."""
        self.calls.append(("last_error",))
        return (self.code, "text")

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append((name, *arguments, *named.items()))
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return call


def calls(answer: Any, code: int = 1) -> tuple[Calls, Scripted]:
    """The wrapper around a scripted package."""
    module = Scripted(answer, code)
    return Calls(cast(Mt5Module, module)), module


def test_the_error_is_read_right_after_the_call() -> None:
    """Nothing comes between, as the next call would reset it."""
    wrapped, module = calls(None, -4)
    failed = wrapped.symbol_info("EURUSD")

    assert module.calls == [("symbol_info", "EURUSD"), ("last_error",)]
    assert isinstance(failed, CallFailed)
    assert (failed.code, failed.text, failed.function) == (-4, "text", "symbol_info")
    assert failed.meaning


@pytest.mark.parametrize(
    ("code", "is_empty"), [(1, True), (-4, True), (-1, False), (-10004, False)]
)
def test_none_of_a_look_up(code: int, is_empty: bool) -> None:
    """Without an error, or "not found", there is none; anything else is a failure."""
    found = calls(None, code)[0].history_order(5)

    assert (found == ()) is is_empty


def test_none_of_a_range_is_always_a_failure() -> None:
    """None is never "nothing there"."""
    assert isinstance(calls(None, 1)[0].history_deals(1, 2), CallFailed)
    assert isinstance(calls(None, 1)[0].positions_get(), CallFailed)
    assert calls(())[0].positions_get() == ()


@pytest.mark.parametrize(
    ("code", "is_not_sent", "is_broken"),
    [
        (-2, True, False),
        (-4, True, False),
        (-8, True, False),
        (-10004, True, True),
        (-1, False, False),
        (-10000, False, True),
        (-10001, False, True),
        (-10002, False, True),
        (-10005, False, False),
        (-77, False, False),
    ],
)
def test_an_order_without_answer(code: int, is_not_sent: bool, is_broken: bool) -> None:
    """Certainly not sent only for the four codes; broken until the next initialize."""
    wrapped, module = calls(None, code)
    failed = wrapped.send({"action": 1})

    assert isinstance(failed, CallFailed)
    assert (failed.is_not_sent, failed.is_broken) == (is_not_sent, is_broken)
    assert (wrapped.broken is not None) is is_broken
    assert [one for one in module.calls if one[0] == "order_send"] == [
        ("order_send", {"action": 1})
    ]
    module.answer = True
    wrapped.initialize("", {})
    assert wrapped.broken is None


def test_an_exception_out_of_order_send_leaves_the_outcome_open() -> None:
    """The fields were checked before, so it can only come from behind the sending."""
    failed = calls(SystemError("returned a result with an exception set"))[0].send({"action": 1})

    assert isinstance(failed, CallFailed)
    assert not failed.is_not_sent


def test_a_request_with_a_wrong_field_never_reaches_the_package() -> None:
    """It is refused here, as certainly not sent."""
    wrapped, module = calls(None)
    failed = wrapped.send({"volume": 1})

    assert isinstance(failed, CallFailed)
    assert failed.is_not_sent
    assert module.calls == []


def test_an_exception_out_of_a_question_is_a_failure() -> None:
    """SystemError and OverflowError are how the package refuses some arguments."""
    assert isinstance(calls(SystemError("x"))[0].copy_ticks_from("A", 1, 5), CallFailed)


@pytest.mark.parametrize(("given", "sent"), [(-5, 1), (0, 1), (1, 1), (2**40, 2**31 - 1)])
def test_dates_are_within_what_is_transmitted(given: int, sent: int) -> None:
    """0 would be whatever lies in memory; more than 32 bits would overflow."""
    assert checked_date(given) == sent
    wrapped, module = calls(())
    wrapped.history_deals(given, given)
    assert module.calls == [("history_deals_get", sent, sent)]
