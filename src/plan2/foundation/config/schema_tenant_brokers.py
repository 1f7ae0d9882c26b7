"""Configuration of broker accounts of further tenants: whether, and how far quotes may differ."""

from plan2.foundation.config.section import NonNegative, PositiveFloat, Section


class TenantBrokers(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator grants all tenants but the main one; off means paper for everybody.

    Ages in milliseconds, the gap in means of both spreads, the ratio own over market.
    """

    enabled: bool = False
    quote_age_max_ms: PositiveFloat = 1_000.0
    quote_gap_max_spreads: NonNegative = 1.0
    spread_max_ratio: PositiveFloat = 2.0
