"""One order to the trade server, once, and what its answer means.

Before each order the account is compared with the pinned one, and whatever the order names is
looked up anew: POSITION_TICKET may have changed since. Nothing is ever sent twice: a refusal says
by its reason what may be decided next, an unclear answer is UNKNOWN and settled by asking.
"""

from typing import Final

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import ExpirationBit, OrderFilling, Result
from plan2.dataflow.terminals.mt5.memory import OrderMemory, Sent, Stage
from plan2.dataflow.terminals.mt5.requests import Ground, request_of
from plan2.dataflow.terminals.mt5.retcodes import Outcome, retcode
from plan2.dataflow.terminals.mt5.session import OTHER_ACCOUNT, Session
from plan2.dataflow.terminals.mt5.shape import Request, SendResult
from plan2.dataflow.terminals.mt5.symbols import Contract, Symbols
from plan2.dataflow.terminals.mt5.telling import Teller
from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_SECOND

NO_REPLY: Final = "no_reply"
NOT_SENT: Final = "not_sent"
API_DISABLED: Final = "api_trading_disabled"
TAKEN: Final = frozenset({Outcome.DONE, Outcome.PARTIAL, Outcome.PLACED})
WITHOUT_DEAL: Final = frozenset({OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL})
AT_MARKET: Final = frozenset({OrderKind.OPEN, OrderKind.CLOSE})
OF_POSITION: Final = frozenset({OrderKind.CLOSE, OrderKind.CLOSE_BY, OrderKind.PROTECT})
EXPIRING: Final = frozenset({OrderKind.PENDING, OrderKind.CHANGE})


class Sender:
    """Sends the orders of one account."""

    def __init__(
        self,
        calls: Calls,
        session: Session,
        symbols: Symbols,
        memory: OrderMemory,
        teller: Teller,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._session = session
        self._symbols = symbols
        self._memory = memory
        self._teller = teller
        self._clock = clock

    def send(self, order: ApprovedOrder) -> OrderUpdate:
        """Send the order exactly once; its deals and its rest are told by the account watch."""
        if order.token in self._memory.by_token:
            return self._refused(order, "duplicate_token")
        contract = self._symbols.contracts.get(order.symbol)
        if contract is None:
            return self._refused(order, "unknown_symbol")
        obstacle = self._obstacle()
        ground = obstacle or self._ground(order, contract)
        if isinstance(ground, str):
            return self._refused(order, ground)
        try:
            request = request_of(order, ground)
        except ValueError:
            return self._refused(order, "invalid_request")
        sent = self._memory.add(order, contract.name, self._clock.now_ns())
        return self._answer(order, sent, request, contract)

    def _answer(
        self, order: ApprovedOrder, sent: Sent, request: Request, contract: Contract
    ) -> OrderUpdate:
        result = self._calls.send(request)
        if isinstance(result, CallFailed):
            return self._unanswered(order, result)
        row = retcode(result.retcode)
        if row.outcome is Outcome.ALREADY_SO and order.kind in WITHOUT_DEAL:
            return self._carried_out(order, sent, row.reason)
        if row.outcome in TAKEN:
            return self._taken(order, sent, result)
        if row.outcome is Outcome.UNKNOWN:
            return self._update(UpdateKind.UNKNOWN, order, row.reason)
        if row.reason == "invalid_fill":
            mode = OrderFilling(int(request.get("type_filling", 0)))
            self._symbols.refuse(contract, mode, is_pending=order.kind is OrderKind.PENDING)
        sent.stage = Stage.OVER
        return self._refused(order, row.reason)

    def _taken(self, order: ApprovedOrder, sent: Sent, result: SendResult) -> OrderUpdate:
        """A good result may name neither order nor deal yet; the watch finds them."""
        if order.kind in WITHOUT_DEAL:
            return self._carried_out(order, sent)
        sent.stage = Stage.ANSWERED
        self._memory.note_ticket(sent, int(result.order))
        ticket = str(result.order) if result.order else ""
        return self._update(UpdateKind.ACCEPTED, order, "", ticket)

    def _carried_out(self, order: ApprovedOrder, sent: Sent, reason: str = "") -> OrderUpdate:
        sent.stage = Stage.OVER
        ticket = order.order_ticket or order.position_ticket
        return self._update(UpdateKind.DONE, order, reason, ticket)

    def _unanswered(self, order: ApprovedOrder, failed: CallFailed) -> OrderUpdate:
        if not failed.is_not_sent:
            return self._update(UpdateKind.UNKNOWN, order, NO_REPLY)
        self._memory.forget(order.token)
        is_switched_off = failed.code == Result.AUTO_TRADING_DISABLED
        return self._refused(order, API_DISABLED if is_switched_off else NOT_SENT)

    def _obstacle(self) -> str:
        """Why nothing may be sent: the terminal does not answer, or shows another account."""
        account = self._session.account()
        if isinstance(account, CallFailed):
            return NOT_SENT
        return "" if self._session.is_pinned(account) else OTHER_ACCOUNT

    def _ground(self, order: ApprovedOrder, contract: Contract) -> Ground | str:
        """What the request needs beyond the order, or the reason why it cannot be had."""
        filling = self._symbols.filling(contract, is_pending=order.kind is OrderKind.PENDING)
        ground = Ground(contract=contract, filling=filling)
        if order.kind in AT_MARKET:
            tick = self._calls.symbol_info_tick(contract.name)
            if isinstance(tick, CallFailed) or tick.bid <= 0 or tick.ask <= 0:
                return "no_quotes"
            ground = Ground(contract=contract, filling=filling, bid=tick.bid, ask=tick.ask)
        if order.kind in OF_POSITION:
            return self._with_positions(order, ground)
        if order.kind in EXPIRING and order.expires_ts_ns:
            if not contract.expiration_mask & ExpirationBit.SPECIFIED:
                return "invalid_expiration"
            expires_s = self._teller.server_s(order.expires_ts_ns + NS_PER_SECOND - 1)
            return Ground(contract=contract, filling=filling, expiration_s=expires_s)
        return ground

    def _with_positions(self, order: ApprovedOrder, ground: Ground) -> Ground | str:
        """The tickets that the named positions have at this moment."""
        found = self._calls.positions_get()
        if isinstance(found, CallFailed):
            return NOT_SENT
        tickets = {str(one.identifier): one.ticket for one in found}
        position = tickets.get(order.position_ticket)
        opposite = tickets.get(order.opposite_ticket)
        if position is None or (order.kind is OrderKind.CLOSE_BY and opposite is None):
            return "position_closed"
        return Ground(
            contract=ground.contract,
            filling=ground.filling,
            bid=ground.bid,
            ask=ground.ask,
            position=int(position),
            opposite=int(opposite or 0),
        )

    def _refused(self, order: ApprovedOrder, reason: str) -> OrderUpdate:
        return self._update(UpdateKind.REJECTED, order, reason)

    def _update(
        self, kind: UpdateKind, order: ApprovedOrder, reason: str, ticket: str = ""
    ) -> OrderUpdate:
        return OrderUpdate(
            kind=kind,
            ts_ns=self._clock.now_ns(),
            order_id=order.order_id,
            ticket=ticket,
            reason=reason,
        )
