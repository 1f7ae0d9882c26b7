"""How far long work is: a bar for a person, lines for a file."""

import io
import itertools

from plan2.commands.progress_line import bar, progress_line
from plan2.foundation.values import NS_PER_SECOND


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_a_file_gets_lines() -> None:
    """One line for each message, without control characters."""
    out = io.StringIO()
    with progress_line(out) as tell:
        tell("features and labels of EURUSD", 0.0)
        tell("done", 1.0)
    assert out.getvalue() == "  0% features and labels of EURUSD\n100% done\n"


def test_a_person_gets_a_bar_that_is_redrawn(monkeypatch) -> None:
    """Share, time and message on one line, which a shorter message leaves nothing of."""
    monkeypatch.setenv("COLUMNS", "80")
    times = itertools.chain([0], [65 * NS_PER_SECOND, 130 * NS_PER_SECOND])
    out = Terminal()
    with progress_line(out, lambda: next(times)) as tell:
        tell("xgboost, fold 1 of 3", 0.25)
        tell("done", 1.0)
    first, second = out.getvalue().removesuffix("\n").split("\r")[1:]
    assert first.rstrip() == f"{'█' * 6}{'░' * 18}  25% 1:05 xgboost, fold 1 of 3"
    assert second.rstrip() == f"{'█' * 24} 100% 2:10 done"
    assert len(first) == len(second) == 79


def test_a_share_out_of_bounds_fills_no_more_than_the_bar() -> None:
    """Whatever a library reports."""
    assert bar(-1.0) == "░" * 24
    assert bar(1.5) == "█" * 24
