"""Buy, Sell and Close: undocumented functions of the package that nobody should use.

They send without a filling mode (so fill-or-kill) and repeat blindly on a requote, as the real ones
do; they are here so that the twin is complete, and an architecture test forbids them elsewhere.
"""

from typing import Final

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.errors import CallFailed, exported
from plan2.dataflow.terminals.twin.session import Calls, Session
from plan2.dataflow.terminals.twin.structs import OrderSendResult, TradePosition
from plan2.dataflow.terminals.twin.trading import TradingCalls

DEVIATION: Final = 10
TRIES: Final = 10
REPEATED_ON: Final = {constants.TRADE_RETCODE_REQUOTE, constants.TRADE_RETCODE_PRICE_OFF}


class ShortcutCalls(Calls):
    """Buy, Sell, Close.

    Args:
        session: of the client. trading: through which they send.
    """

    def __init__(self, session: Session, trading: TradingCalls) -> None:
        super().__init__(session)
        self._trading = trading

    @exported(on_error=None)
    def buy(
        self,
        symbol: str,
        volume: float,
        price: float | None = None,
        *,
        comment: str | None = None,
        ticket: int | None = None,
    ) -> OrderSendResult:
        """Buy at the market, or close a short position by its ticket."""
        return self._trade(constants.ORDER_TYPE_BUY, symbol, volume, price, (comment, ticket))

    @exported(on_error=None)
    def sell(
        self,
        symbol: str,
        volume: float,
        price: float | None = None,
        *,
        comment: str | None = None,
        ticket: int | None = None,
    ) -> OrderSendResult:
        """Sell at the market, or close a long position by its ticket."""
        return self._trade(constants.ORDER_TYPE_SELL, symbol, volume, price, (comment, ticket))

    @exported(on_error=None)
    def close(
        self, symbol: str, *, comment: str | None = None, ticket: int | None = None
    ) -> bool | str:
        """Close all positions of a symbol, or the one with this ticket: True, or "Partially"."""
        held = self._session.ask(
            "positions_get", lambda world: world.records.positions(world.now_ns())
        )
        chosen = [one for one in held if one.symbol == symbol and ticket in {None, one.ticket}]
        done = [self._close(one, comment) for one in chosen]
        return True if all(done) else "Partially"

    def _close(self, one: TradePosition, comment: str | None) -> bool:
        is_long = one.type == constants.POSITION_TYPE_BUY
        action = constants.ORDER_TYPE_SELL if is_long else constants.ORDER_TYPE_BUY
        result = self._trade(action, one.symbol, one.volume, None, (comment, one.ticket))
        return bool(result.retcode == constants.TRADE_RETCODE_DONE)

    def _trade(
        self,
        action: int,
        symbol: str,
        volume: float,
        price: float | None,
        extra: tuple[str | None, int | None],
    ) -> OrderSendResult:
        """Up to ten tries; each without a price takes the present one."""
        result = self._once(action, symbol, volume, price, extra)
        for _ in range(TRIES - 1):
            if result.retcode not in REPEATED_ON:
                break
            result = self._once(action, symbol, volume, price, extra)
        return result

    def _once(
        self,
        action: int,
        symbol: str,
        volume: float,
        price: float | None,
        extra: tuple[str | None, int | None],
    ) -> OrderSendResult:
        comment, ticket = extra
        tick = self._session.world.quotes.last(symbol)
        if tick is None:
            raise CallFailed(constants.RES_E_NOT_FOUND)
        market = tick.ask if action == constants.ORDER_TYPE_BUY else tick.bid
        request: dict[str, object] = {
            "action": constants.TRADE_ACTION_DEAL,
            "symbol": symbol,
            "volume": volume,
            "type": action,
            "price": market if price is None else price,
            "deviation": DEVIATION,
        }
        if comment is not None:
            request["comment"] = comment
        if ticket is not None:
            request["position"] = ticket
        return self._trading.send((request,), {})
