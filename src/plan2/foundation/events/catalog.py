"""Every stored event: its stable name, schema version and class.

A name here is a promise to history. A changed shape gets the next version and an upcaster
(`plan2.foundation.eventstore.upcast`), and every version keeps a golden sample in the tests.
"""

from plan2.foundation.events import account, model, order, system
from plan2.foundation.events.base import Event

STORED: dict[str, tuple[int, type[Event]]] = {
    "FeatureCalculated": (1, model.FeatureCalculated),
    "ModelPredictionGenerated": (1, model.ModelPredictionGenerated),
    "DecisionMade": (1, model.DecisionMade),
    "ModelAccuracyUpdated": (1, model.ModelAccuracyUpdated),
    "ModelRegistered": (1, model.ModelRegistered),
    "OrderPlaced": (1, order.OrderPlaced),
    "OrderDenied": (1, order.OrderDenied),
    "OrderSent": (1, order.OrderSent),
    "OrderAccepted": (1, order.OrderAccepted),
    "OrderRejected": (1, order.OrderRejected),
    "OrderOutcomeUnknown": (1, order.OrderOutcomeUnknown),
    "OrderCompleted": (1, order.OrderCompleted),
    "OrderCancelled": (1, order.OrderCancelled),
    "OrderExpired": (1, order.OrderExpired),
    "OrderAmended": (1, order.OrderAmended),
    "OrderExecuted": (1, order.OrderExecuted),
    "PositionOpened": (1, order.PositionOpened),
    "PositionProtected": (1, order.PositionProtected),
    "PositionClaimed": (1, order.PositionClaimed),
    "PositionClosed": (1, order.PositionClosed),
    "ReconciliationDifference": (1, order.ReconciliationDifference),
    "EquityRecorded": (1, account.EquityRecorded),
    "BalanceAdjusted": (1, account.BalanceAdjusted),
    "RiskLimitBreached": (1, account.RiskLimitBreached),
    "TradingStateChanged": (1, account.TradingStateChanged),
    "TerminalLinkChanged": (1, account.TerminalLinkChanged),
    "RiskLimitNeared": (1, account.RiskLimitNeared),
    "KillBegun": (1, account.KillBegun),
    "KillFinished": (1, account.KillFinished),
    "SystemStarted": (1, system.SystemStarted),
    "SystemStopped": (1, system.SystemStopped),
    "ServiceHealthChanged": (1, system.ServiceHealthChanged),
    "ConfigurationChanged": (1, system.ConfigurationChanged),
    "UserAuthenticated": (1, system.UserAuthenticated),
    "DataImported": (1, system.DataImported),
}

NAME_OF: dict[type[Event], str] = {cls: name for name, (_, cls) in STORED.items()}
