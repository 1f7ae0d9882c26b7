"""How each question is put to an engine."""

from plan2.dataflow.terminals.remote.engine import HostEngine
from plan2.dataflow.terminals.remote.questions import (
    AskAccount,
    AskDeals,
    AskHistory,
    AskInstruments,
    AskOrders,
    AskPositions,
    AskTrace,
    Question,
)


def ask_engine(engine: HostEngine, question: Question) -> object:
    """The engine's answer; None when the terminal could not be asked.

    Raises:
        TerminalUnavailable: the engine must connect again.
    """
    match question:
        case AskAccount():
            return engine.account()
        case AskPositions():
            return engine.positions()
        case AskOrders():
            return engine.orders()
        case AskInstruments():
            return engine.instruments()
        case AskDeals():
            return engine.deals(question.since_ts_ns)
        case AskTrace():
            return engine.trace(question.token)
        case AskHistory():
            return engine.history(question.symbol, question.start_ts_ns, question.end_ts_ns)
