"""order_check and order_send: from a request to what the trade server answers.

`None` means that nobody knows (or, for -2, -8 and -10004, that nothing was sent); a result with
another code than 10008 … 10010 is a refusal, and nothing was done.
"""

from typing import Any, Final

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.arguments import Arguments, Keywords
from plan2.dataflow.terminals.twin.errors import CallFailed, exported
from plan2.dataflow.terminals.twin.faults import Happening
from plan2.dataflow.terminals.twin.records import DEAL_BASE, order_number
from plan2.dataflow.terminals.twin.requests import Request, read_request
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.structs import OrderCheckResult, OrderSendResult, record
from plan2.dataflow.terminals.twin.terminal import margin_level
from plan2.dataflow.terminals.twin.texts import CHECKED, RETCODE_TEXTS
from plan2.dataflow.terminals.twin.translation import Translation
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.values import NS_PER_MS, Tick

SERVER_DONE: Final = {
    constants.TRADE_RETCODE_PLACED,
    constants.TRADE_RETCODE_DONE,
    constants.TRADE_RETCODE_DONE_PARTIAL,
}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the trade server says: its code and, when it did something, what."""

    retcode: int
    answer: BrokerAnswer = BrokerAnswer()


class TradingCalls(Calls):
    """order_check, order_send."""

    _request_id = 0

    @exported(on_error=None)
    def order_check(self, *args: Any, **kwargs: Any) -> OrderCheckResult:  # Any: any argument
        """Whether a request would pass, and the account after it; retcode 0 is yes."""
        request = read_request("order_check", args, kwargs)
        return self._session.ask("order_check", lambda world: _check(world, request))

    @exported(on_error=None)
    def order_send(self, *args: Any, **kwargs: Any) -> OrderSendResult:  # Any: any argument
        """Send a request to the trade server and wait for its answer."""
        return self.send(args, kwargs)

    def send(self, args: Arguments, kwargs: Keywords) -> OrderSendResult:
        """`order_send` for the package's own functions, which share its last error.

        Raises:
            CallFailed: nothing was sent, or nobody knows.
        """
        request = read_request("order_send", args, kwargs)
        return self._session.ask_about(
            "order_send", lambda world, happening: self._send(world, request, happening)
        )

    def _send(self, world: TwinWorld, request: Request, happening: Happening) -> OrderSendResult:
        if world.terminal.is_api_disabled:
            raise CallFailed(constants.RES_E_AUTO_TRADING_DISABLED)
        self._request_id += 1
        world.time.wait_ns(world.options.latency_ms * NS_PER_MS)
        world.advance()
        done = _carry_out(world, request, happening)
        world.keep()
        return _result(world, request, done, happening, self._request_id)


def _carry_out(world: TwinWorld, request: Request, happening: Happening) -> Done:
    """What comes of a request, with what befalls it."""
    refused = happening.retcode and not happening.is_executed
    if refused:
        return Done(retcode=happening.retcode)
    done = _at_desk(world, request, happening)
    if happening.retcode and done.retcode in SERVER_DONE:
        return Done(retcode=happening.retcode)
    return done


def _at_desk(world: TwinWorld, request: Request, happening: Happening) -> Done:
    found = _prepared(world, request)
    if isinstance(found, int):
        return Done(retcode=found)
    wanted, tick = found
    available = _available(request, happening)
    answer = world.desk.execute(wanted, tick, world.now_ns(), available)
    if answer.refusal is not None:
        return Done(retcode=answer.refusal.retcode)
    is_partial = answer.is_partial
    code = constants.TRADE_RETCODE_DONE_PARTIAL if is_partial else constants.TRADE_RETCODE_DONE
    return Done(retcode=code, answer=answer)


def _available(request: Request, happening: Happening) -> float | None:
    """How many lots can be had now, None for any number."""
    if happening.lots is not None:
        return happening.lots
    return None if happening.share >= 1.0 else round(request.volume * happening.share, 2)


def _prepared(world: TwinWorld, request: Request) -> tuple[BrokerRequest, Tick] | int:
    """The desk's request with the quote for it, or the code of the refusal that comes first."""
    barred = _barred(world)
    if barred:
        return barred
    translation = Translation(
        world.desk.book, world.server, is_hedging=world.account.terms.is_hedging
    )
    wanted = translation.of(request, world.now_ns())
    if isinstance(wanted, Refusal):
        return wanted.retcode
    symbol = _symbol_of(world, wanted)
    if symbol not in world.instruments:
        return Refusal.INVALID_REQUEST.retcode
    tick = world.quotes.last(symbol)
    if tick is None:
        return Refusal.NO_QUOTES.retcode
    return wanted, tick


def _barred(world: TwinWorld) -> int:
    """Why this terminal and account may not trade at all; 0 when they may."""
    if not world.terminal.has_autotrading:
        return constants.TRADE_RETCODE_CLIENT_DISABLES_AT
    if not world.terminal.is_connected:
        return constants.TRADE_RETCODE_CONNECTION
    if world.account.is_investor:
        return constants.TRADE_RETCODE_TRADE_DISABLED
    if not world.account.allows_experts:
        return constants.TRADE_RETCODE_SERVER_DISABLES_AT
    return 0


def _symbol_of(world: TwinWorld, wanted: BrokerRequest) -> str:
    """The symbol of a request, which its position or order may have to tell."""
    book = world.desk.book
    if wanted.kind in {OrderKind.CHANGE, OrderKind.CANCEL}:
        known = book.working.get(wanted.order_ticket) or book.history.get(wanted.order_ticket)
        return known.symbol if known else next(iter(world.instruments))
    held = book.positions.get(wanted.position_ticket)
    return wanted.symbol or (held.symbol if held else "")


def _result(
    world: TwinWorld, request: Request, done: Done, happening: Happening, request_id: int
) -> OrderSendResult:
    answer, deals = done.answer, done.answer.deals
    is_told = not happening.is_bare
    tick = world.quotes.last(request.symbol)
    return record(
        OrderSendResult,
        retcode=done.retcode,
        deal=DEAL_BASE + int(deals[0].ticket) if deals and is_told else 0,
        order=order_number(answer.order_ticket),
        volume=answer.quantity if is_told else 0.0,
        price=answer.price if is_told else 0.0,
        bid=tick.bid if tick else 0.0,
        ask=tick.ask if tick else 0.0,
        comment=RETCODE_TEXTS.get(done.retcode, f"Return code {done.retcode}"),
        request_id=request_id,
        request=request.echo(),
    )


def _check(world: TwinWorld, request: Request) -> OrderCheckResult:
    found = _prepared(world, request)
    retcode, margin = found if isinstance(found, int) else 0, world.desk.margin()
    if not isinstance(found, int):
        wanted, tick = found
        refusal = world.desk.refusal(wanted, tick, world.now_ns())
        retcode = refusal.retcode if refusal else 0
        if refusal is None and wanted.kind is OrderKind.OPEN:
            one = world.instruments[tick.symbol]
            base, quote = (world.quotes.rate(unit) or 0.0 for unit in (one.base, one.quote))
            margin += one.margin(wanted.side, wanted.quantity, base, quote)
    info, equity = world.account.info(), world.desk.equity()
    return record(
        OrderCheckResult,
        retcode=retcode,
        balance=info.balance,
        equity=equity,
        profit=info.profit,
        margin=margin,
        margin_free=equity - margin,
        margin_level=margin_level(equity, margin),
        comment=RETCODE_TEXTS.get(retcode, CHECKED),
        request=request.echo(),
    )
