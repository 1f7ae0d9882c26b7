"""What events of trading say: positions, orders, limits, the kill switch, the broker."""

from decimal import Decimal, InvalidOperation
from typing import Final

from plan2.foundation.events import account, order
from plan2.interface.language.say import Say
from plan2.interface.notify.said import CRITICAL, INFO, WARNING, Context, Said

STATE_WORDS: Final = {
    "armed": "Trading is armed",
    "paused": "Trading is paused",
    "reduce_only": "Only exits go through",
    "halted": "Trading is halted",
}
HALTED: Final = "halted"
LINK_UP: Final = "up"


def opened(event: order.PositionOpened, context: Context) -> Said:
    """A position was opened."""
    say = context.say
    stop = f"{event.stop_loss:.10g}" if event.stop_loss else ""
    where = {"lots": f"{event.quantity:.10g}", "price": f"{event.open_price:.10g}"}
    sentence = (
        say("{lots} lots at {price}, stop {stop}.", stop=stop, **where)
        if stop
        else say("{lots} lots at {price}, without a stop.", **where)
    )
    if not event.is_managed:
        sentence += " " + say("Plan2 did not open it and leaves it alone.")
    link = f"/decisions/{event.decision_id}" if event.decision_id else "/positions"
    title = say("{what} opened", what=f"{event.symbol} {event.direction}")
    return Said("open", INFO, title, sentence, link, f"open:{event.position_id}")


def closed(event: order.PositionClosed, context: Context) -> Said:
    """A position was closed, with what it brought."""
    say = context.say
    net = _amount(event.profit) + _amount(event.commission) + _amount(event.swap)
    money = f"{net:+,.2f} {context.currency}"
    sentence = say(
        "{lots} lots from {begin} to {end}: {money} net.",
        lots=f"{event.quantity:.10g}",
        begin=f"{event.open_price:.10g}",
        end=f"{event.close_price:.10g}",
        money=money,
    )
    if event.reason:
        sentence += " " + say("Reason: {reason}.", reason=event.reason)
    key = f"close:{event.position_id}:{event.ts_ns}"
    what = f"{event.symbol} {event.direction}"
    title = say("{what} closed, {money}", what=what, money=money)
    return Said("close", INFO, title, sentence, "/positions", key)


def executed(event: order.OrderExecuted, context: Context) -> Said:
    """An order was executed."""
    lots, price = f"{event.executed_quantity:.10g}", f"{event.executed_price:.10g}"
    sentence = context.say("{lots} lots at {price}.", lots=lots, price=price)
    title = context.say("{what} executed", what=f"{event.symbol} {event.side}")
    return Said("fill", INFO, title, sentence, "/positions", f"fill:{event.fill_id}")


def denied(event: order.OrderDenied, context: Context) -> Said:
    """The risk gate let no order through."""
    sentence = context.say(
        "The risk gate refused it by the rule {rule}: {value}, allowed {limit}.",
        rule=event.rule_id,
        value=f"{event.current_value:.6g}",
        limit=f"{event.threshold:.6g}",
    )
    link = f"/decisions/{event.decision_id}" if event.decision_id else ""
    key = f"denied:{event.symbol}:{event.rule_id}"
    title = context.say("{symbol}: no order", symbol=event.symbol)
    return Said("denied", INFO, title, sentence, link, key)


def rejected(event: order.OrderRejected, context: Context) -> Said:
    """The broker refused an order."""
    sentence = context.say("The broker refused the order: {reason}", reason=event.reason)
    title = context.say("{symbol}: order rejected", symbol=event.symbol)
    return Said("rejected", WARNING, title, sentence, "/positions", f"rejected:{event.order_id}")


def unknown(event: order.OrderOutcomeUnknown, context: Context) -> Said:
    """Nobody knows whether an order exists."""
    sentence = context.say(
        "It is not known whether the order exists; {symbol} is blocked until the broker's books "
        "tell. {reason}",
        symbol=event.symbol,
        reason=event.reason,
    )
    title = context.say("{symbol}: outcome unknown", symbol=event.symbol)
    return Said("unknown", CRITICAL, title, sentence, "/positions", f"unknown:{event.order_id}")


def state(event: account.TradingStateChanged, context: Context) -> Said:
    """Trading was armed, paused, halted or let exits only."""
    where = f" ({event.scope} {event.target})" if event.target else ""
    title = context.say(STATE_WORDS.get(event.new_state, event.new_state)) + where
    sentence = _by(event.account_id, context.who(event.actor), event.reason, context.say)
    if event.new_state == HALTED:
        return Said("halt", CRITICAL, title, sentence, "/")
    return Said("trading", INFO, title, sentence, "/")


def _by(account_id: str, who: str, reason: str, say: Say) -> str:
    return f"{say('Account {account}, by {who}.', account=account_id, who=who)} {reason}".rstrip()


def kill_begun(event: account.KillBegun, context: Context) -> Said:
    """Somebody used the kill switch."""
    sentence = context.say(
        "Account {account}, by {who}: trading halts, orders are withdrawn, positions are closed. "
        "{reason}",
        account=event.account_id,
        who=context.who(event.actor),
        reason=event.reason,
    ).rstrip()
    return Said("kill", CRITICAL, context.say("Kill switch used"), sentence, "/positions")


def kill_finished(event: account.KillFinished, context: Context) -> Said:
    """What the kill switch did."""
    say = context.say
    done = say(
        "Account {account}: {orders} orders withdrawn, {positions} positions closed.",
        account=event.account_id,
        orders=event.orders_cancelled,
        positions=event.positions_closed,
    )
    if event.is_flat:
        left = " " + say("Left alone: {what}.", what=", ".join(event.left)) if event.left else ""
        title = say("Kill finished: all is flat")
        return Said("kill", CRITICAL, title, done + left, "/positions")
    open_ = ", ".join([*event.failed, *event.unknown]) or say("the terminal does not tell")
    sentence = f"{done} {say('Still open: {what}.', what=open_)}"
    return Said("kill", CRITICAL, say("Kill is not finished"), sentence, "/positions")


def neared(event: account.RiskLimitNeared, context: Context) -> Said:
    """A loss limit comes near."""
    sentence = context.say(
        "{rule} of account {account}: {value} of {limit} ({share} % of the limit). Trading goes "
        "on.",
        rule=event.rule_id,
        account=event.account_id,
        value=f"{event.current_value:.4g}",
        limit=f"{event.threshold:.4g}",
        share=f"{100 * event.share:.0f}",
    )
    key = f"neared:{event.account_id}:{event.rule_id}:{event.share}"
    return Said("limit_neared", WARNING, context.say("A loss limit comes near"), sentence, "/", key)


def breached(event: account.RiskLimitBreached, context: Context) -> Said:
    """A loss limit was reached."""
    sentence = context.say(
        "{rule} of account {account}: {value}, limit {limit}. {action}",
        rule=event.rule_id,
        account=event.account_id,
        value=f"{event.current_value:.4g}",
        limit=f"{event.threshold:.4g}",
        action=event.action,
    ).rstrip()
    key, title = f"breached:{event.account_id}:{event.rule_id}", "A loss limit was reached"
    return Said("limit_breached", CRITICAL, context.say(title), sentence, "/", key)


def link(event: account.TerminalLinkChanged, context: Context) -> Said:
    """The link to the broker changed."""
    say, is_up = context.say, event.state == LINK_UP
    title = (
        say("The broker is connected again")
        if is_up
        else say("The broker's link is {state}", state=event.state)
    )
    sentence = f"{say('Account {account}.', account=event.account_id)} {event.reason}".rstrip()
    key = f"link:{event.account_id}:{event.state}"
    return Said("link", INFO if is_up else WARNING, title, sentence, "/system", key)


def difference(event: order.ReconciliationDifference, context: Context) -> Said:
    """The broker's books say something else."""
    sentence = context.say(
        "Account {account}, {kind}: ours {ours}, the broker's {theirs}. {action}",
        account=event.account_id,
        kind=event.kind,
        ours=event.ours or "–",
        theirs=event.theirs or "–",
        action=event.action,
    )
    key = f"books:{event.account_id}:{event.kind}:{event.ours}:{event.theirs}"
    title = context.say("The books differ from the broker's")
    return Said("books", WARNING, title, sentence, "/positions", key)


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)
