"""The columns of order records and trade reports, and what stays blank, with the reason.

Field numbers are those of Annex table 2 of RTS 24 (Delegated Regulation 2017/580); what Plan2 adds
for decisions of models comes after them.
"""

from typing import Final

import msgspec

NO_VENUE: Final = "XXXX"
"""ISO 10383: not traded on a venue. A broker's own book of contracts for difference is none."""


class Firm(msgspec.Struct, frozen=True, kw_only=True):
    """Who reports; "" where it is not configured."""

    lei: str = ""
    broker_lei: str = ""
    venue_mic: str = NO_VENUE


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one order's life; times ISO 8601 UTC with microseconds, quantities in lots.

    Every field of `MANDATORY` is filled in every record; None and "" stand for what does not apply
    or is not known to Plan2 (`BLANK_ORDER_FIELDS` says why).
    """

    sequence_number: int
    event_time: str
    event_type: str
    order_id: str
    member_id: str
    is_direct_electronic_access: bool
    client_id: str
    investment_decision: str
    execution_within_firm: str
    non_executing_broker: str
    trading_capacity: str
    is_liquidity_provision: bool
    venue_mic: str
    order_book: str
    instrument: str
    isin: str
    receipt_time: str
    broker_order_id: str
    client_order_id: str
    order_type: str
    order_class: str
    side: str
    status: str
    validity: str
    validity_end: str
    restriction: str
    limit_price: float | None
    stop_price: float | None
    stop_loss: float | None
    take_profit: float | None
    transaction_price: float | None
    price_currency: str
    price_notation: str
    quantity_notation: str
    initial_quantity: float
    remaining_quantity: float
    displayed_quantity: float
    traded_quantity: float
    minimum_quantity: float | None
    passive_or_aggressive: str
    is_self_execution_prevention: bool
    strategy_link_id: str
    routing_strategy: str
    trade_id: str
    trading_phase: str
    reason: str
    account_id: str
    position_id: str
    decision_id: str
    correlation_id: str
    algorithm_version: str
    model_ids: str
    models_hash: str
    features_hash: str
    features_as_of: str
    prediction: float | None
    confidence: float | None
    calibration_id: str
    rule_set_hash: str
    risk_checks: str
    human_override: str
    config_hash: str
    clock_state: str
    clock_offset_us: float | None
    is_clock_compliant: bool
    recorded_time: str
    event_hash: str


MANDATORY: Final = (
    "sequence_number",
    "event_time",
    "event_type",
    "order_id",
    "client_id",
    "investment_decision",
    "execution_within_firm",
    "trading_capacity",
    "is_liquidity_provision",
    "is_direct_electronic_access",
    "venue_mic",
    "order_book",
    "instrument",
    "receipt_time",
    "order_type",
    "order_class",
    "side",
    "status",
    "validity",
    "price_currency",
    "price_notation",
    "quantity_notation",
    "initial_quantity",
    "remaining_quantity",
    "displayed_quantity",
    "traded_quantity",
    "is_self_execution_prevention",
    "strategy_link_id",
    "account_id",
    "algorithm_version",
    "clock_state",
    "is_clock_compliant",
    "recorded_time",
    "event_hash",
)
"""Fields that are never empty."""

BLANK_ORDER_FIELDS: Final[dict[str, str]] = {
    "member_id": "the firm's LEI; blank until records.lei is configured",
    "non_executing_broker": "no such broker stands between Plan2 and the account's broker",
    "isin": "the broker's symbols carry none",
    "restriction": "MetaTrader knows no such restriction",
    "minimum_quantity": "no order of Plan2 asks for a minimum execution",
    "routing_strategy": "each account has one broker",
    "trading_phase": "the broker tells of none",
    "validity_end": "only orders with an end have one",
}
"""Order fields that Plan2 leaves blank, always or at times, and why."""


class TradeReport(msgspec.Struct, frozen=True, kw_only=True):
    """A closed position in the words of EMIR (Regulation 2022/1855); money in account currency."""

    uti: str
    reporting_time: str
    reporting_counterparty: str
    other_counterparty: str
    action_type: str
    event_type: str
    level: str
    asset_class: str
    contract_type: str
    underlying: str
    isin: str
    direction: str
    execution_time: str
    effective_date: str
    termination_time: str
    expiration_date: str
    open_price: float
    close_price: float
    price_currency: str
    quantity_lots: float
    notional_amount: float | None
    notional_currency: str
    delivery_type: str
    is_cleared: bool
    is_intragroup: bool
    venue_mic: str
    collateral_portfolio: str
    valuation_amount: float | None
    profit: str
    commission: str
    swap: str
    closing_reason: str
    account_id: str
    position_id: str
    decision_id: str
    opening_orders: str
    closing_fills: str
    sequence_number: int
    event_hash: str


BLANK_TRADE_FIELDS: Final[dict[str, str]] = {
    "reporting_counterparty": "the firm's LEI; blank until records.lei is configured",
    "other_counterparty": "the broker's LEI; blank until records.broker_lei is configured",
    "asset_class": "CURR for currency pairs, COMM for metals and oil; blank where unknown",
    "isin": "the broker's symbols carry none",
    "expiration_date": "contracts for difference have none",
    "collateral_portfolio": "the broker's margin is kept per account, without a code",
    "valuation_amount": "a closed contract has no value; a daily valuation is the broker's",
    "notional_amount": "quantity x contract size, x price where no currency is traded; "
    "blank where the contract is not known here",
}
"""Trade fields that Plan2 leaves blank, always or at times, and why."""
