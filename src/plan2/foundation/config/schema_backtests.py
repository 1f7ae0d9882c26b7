"""The table `[backtests]` of the configuration."""

from plan2.foundation.config.section import PositiveInt, Section


class Backtests(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many finished backtests each tenant keeps; the oldest go first."""

    keep_runs: PositiveInt = 500
    keep_mb: PositiveInt = 2_048
