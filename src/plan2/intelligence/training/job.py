"""A training as a job: what may be asked for, and the command line of the child that does it."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.training.families.available import KNOWN

NAME: Final = "train"
"""The kind of job, and the verb that its child runs."""


class TrainWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be trained, complete: a repetition of it trains the same.

    `start_ns` and `end_ns` limit the ticks, UTC, to the second; 0 = as far as the archive goes.
    `feature_set`: empty = the whole catalogue.
    """

    symbols: tuple[str, ...]
    families: tuple[str, ...]
    horizon_minutes: int
    bar_period_s: int
    seed: int = 1
    start_ns: int = 0
    end_ns: int = 0
    feature_set: str = ""

    def check(self, archived: Sequence[str]) -> None:
        """Hold it against what there is.

        Raises:
            InputError: a symbol is not archived, a family is unknown, or there is no time in it.
        """
        unknown = sorted(set(self.symbols) - set(archived))
        if unknown or not self.symbols:
            raise InputError(
                f"Nothing is archived for {', '.join(unknown) or 'any symbol'}; "
                f"archived symbols: {', '.join(archived) or 'none'}.",
                remedy="Bring ticks or bars in with `plan2 import FILE…`.",
            )
        strange = sorted(set(self.families) - set(KNOWN))
        if strange or not self.families:
            raise InputError(
                f"{', '.join(strange) or 'No family'} cannot be trained; "
                f"known families: {', '.join(KNOWN)}."
            )
        if self.end_ns and self.start_ns >= self.end_ns:
            raise InputError("The first time must be before the time to stop at.")


def usual_wish(symbols: Sequence[str], settings: Settings) -> TrainWish:
    """A training as it is configured, on everything that is archived of these symbols."""
    return TrainWish(
        symbols=tuple(symbols),
        families=settings.models.families,
        horizon_minutes=settings.models.horizon_minutes,
        bar_period_s=settings.market.bar_period_s,
        feature_set=settings.models.feature_set,
    )


def command_of(wish: TrainWish, home: Path) -> tuple[str, ...]:
    """The child's command line; `home` is the folder with archive and models."""
    argv = [sys.executable, "-m", "plan2", NAME, "--worker", "--data-dir", str(home)]
    for symbol in wish.symbols:
        argv += ["--symbol", symbol]
    for family in wish.families:
        argv += ["--families", family]
    if wish.start_ns:
        argv += ["--from", _moment(wish.start_ns)]
    if wish.end_ns:
        argv += ["--to", _moment(wish.end_ns)]
    argv += ["--horizon-minutes", str(wish.horizon_minutes)]
    argv += ["--bar-period-s", str(wish.bar_period_s), "--seed", str(wish.seed)]
    argv += ["--features", wish.feature_set]
    return tuple(argv)


def _moment(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%S}"
