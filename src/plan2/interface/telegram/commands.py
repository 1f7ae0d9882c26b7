"""Every command of the bot: the one table that /help, the menu and the rights are made of.

Names are Freqtrade's where the meaning is the same. What is not here is not understood.
"""

from collections.abc import Mapping
from typing import Final

from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.right_table import Route
from plan2.interface.language.say import ENGLISH, Say
from plan2.interface.telegram import (
    acts,
    answers_alerts,
    answers_money,
    answers_orders,
    answers_stats,
    answers_system,
    answers_trading,
    choices,
)
from plan2.interface.telegram.asking import Call, Command, Reply
from plan2.interface.telegram.text import Line, bold, line

SYSTEM: Final[Route] = ("GET", "/api/v1/system")
ACCOUNT: Final[Route] = ("GET", "/api/v1/account")
POSITIONS: Final[Route] = ("GET", "/api/v1/positions")
TRADING: Final[Route] = ("GET", "/api/v1/trading")
BARS: Final[Route] = ("GET", "/api/v1/bars")
CANDIDATES: Final[Route] = ("GET", "/api/v1/candidates")
APPROVALS: Final[Route] = ("GET", "/api/v1/approvals")
ALERTS: Final[Route] = ("GET", "/api/v1/alerts")
ORDERS: Final[Route] = ("GET", "/api/v1/orders")
JOBS: Final[Route] = ("GET", "/api/v1/jobs")
LOOKING, MONEY, ACTING, YOURS = "Trading now", "Money", "Acting", "Yourself"


async def show_help(call: Call) -> Reply:
    """What this person may use."""
    return Reply(help_lines(call.session, call.say))


DECLARED: Final = (
    Command(name="status", usage="[id | table]", group=LOOKING, handler=answers_trading.status,
            summary="Open positions", routes=(POSITIONS, SYSTEM),
            palette=("go/", "go/positions")),
    Command(name="count", group=LOOKING, handler=answers_trading.count,
            summary="How many positions are open, and may be", routes=(ACCOUNT,)),
    Command(name="risk", group=LOOKING, handler=answers_trading.risk,
            summary="Limits and switches", routes=(ACCOUNT, TRADING), palette=("go/risk",)),
    Command(name="explain", usage="[id]", group=LOOKING, handler=answers_trading.explain,
            summary="Why: the last decision, or one by its id or its position's",
            routes=(("GET", "/api/v1/decisions"), ("GET", "/api/v1/decisions/{decision_id}"),
                    POSITIONS, BARS),
            palette=("go/decisions",)),
    Command(name="chart", usage="[id]", group=LOOKING, handler=answers_trading.chart,
            summary="A position over its bars, as a picture", routes=(POSITIONS, BARS),
            palette=("go/market",)),
    Command(name="alerts", group=LOOKING, handler=answers_alerts.alerts,
            summary="What your rules raised, with a button that acknowledges it",
            routes=(ALERTS, answers_alerts.ACKNOWLEDGE), palette=("go/alerts",)),
    Command(name="ack", usage="<id | all>", group=LOOKING, handler=answers_alerts.acknowledge,
            summary="Acknowledge an alert: it escalates no more",
            routes=(ALERTS, answers_alerts.ACKNOWLEDGE)),
    Command(name="orders", group=LOOKING, handler=answers_orders.orders,
            summary="Orders that are under way or wait at the broker", routes=(ORDERS,)),
    Command(name="whitelist", group=LOOKING, handler=answers_orders.whitelist,
            summary="The symbols that are watched", routes=(SYSTEM,)),
    Command(name="flows", group=LOOKING, handler=answers_money.flows,
            summary="What each flow holds and brought", routes=(POSITIONS, SYSTEM),
            palette=("go/flows",)),
    Command(name="profit", usage="[days]", group=MONEY, handler=answers_money.profit,
            summary="What closed positions brought", routes=(POSITIONS, ACCOUNT, SYSTEM)),
    Command(name="balance", group=MONEY, handler=answers_money.balance,
            summary="Balance, equity, margin", routes=(ACCOUNT, SYSTEM)),
    Command(name="daily", usage="[days]", group=MONEY, handler=answers_money.daily,
            summary="Profit of each day", routes=(POSITIONS, SYSTEM)),
    Command(name="weekly", usage="[weeks]", group=MONEY, handler=answers_money.weekly,
            summary="Profit of each week", routes=(POSITIONS, SYSTEM)),
    Command(name="monthly", usage="[months]", group=MONEY, handler=answers_money.monthly,
            summary="Profit of each month", routes=(POSITIONS, SYSTEM)),
    Command(name="performance", group=MONEY, handler=answers_money.performance,
            summary="Profit of each symbol", routes=(POSITIONS, SYSTEM)),
    Command(name="stats", group=MONEY, handler=answers_stats.stats,
            summary="How positions ended and how long they were held", routes=(POSITIONS,)),
    Command(name="exits", group=MONEY, handler=answers_stats.exits,
            summary="Profit of each reason of exits", routes=(POSITIONS, SYSTEM),
            aliases=("sells",)),
    Command(name="trades", usage="[n]", group=MONEY, handler=answers_money.trades,
            summary="The positions that were closed last", routes=(POSITIONS, SYSTEM)),
    Command(name="equity", usage="[n]", group=MONEY, handler=answers_money.equity,
            summary="Balance and equity, as a picture",
            routes=(("GET", "/api/v1/equity"), SYSTEM)),
    Command(name="pause", usage="[reason]", group=ACTING, handler=acts.pause,
            summary="Open nothing new; open positions are managed on",
            routes=(acts.SWITCH["pause"],), aliases=("stopentry", "stopbuy"), palette=("pause",)),
    Command(name="reduceonly", usage="[reason]", group=ACTING, handler=acts.reduce_only,
            summary="Let only exits through", routes=(acts.SWITCH["reduce-only"],),
            palette=("reduce-only",)),
    Command(name="halt", usage="[reason]", group=ACTING, handler=acts.halt,
            summary="Open nothing until a person resumes", routes=(acts.SWITCH["halt"],),
            palette=("halt",)),
    Command(name="stop", usage="[reason]", group=ACTING, handler=acts.stop,
            summary="The same as /halt, after a button",
            routes=(acts.SWITCH["halt"], POSITIONS)),
    Command(name="resume", usage="[reason]", group=ACTING, handler=acts.resume,
            summary="Trade again, after a button", routes=(acts.SWITCH["resume"], TRADING),
            aliases=("start",), palette=("resume",)),
    Command(name="forceexit", usage="<id | all> [reason]", group=ACTING, handler=acts.forceexit,
            summary="Close positions at market, after a button",
            routes=(acts.CLOSE, POSITIONS, SYSTEM), aliases=("fx", "forcesell")),
    Command(name="coo", usage="<id>", group=ACTING, handler=answers_orders.cancel,
            summary="Withdraw an order, after a button", routes=(answers_orders.CANCEL, ORDERS),
            aliases=("cancel_open_order",)),
    Command(name="kill", usage="[reason]", group=ACTING, handler=acts.kill,
            summary="Halt, withdraw orders, close positions, after a button",
            routes=(acts.SWITCH["kill"], POSITIONS, ("GET", "/api/v1/orders"), SYSTEM),
            palette=("kill",)),
    Command(name="promote", usage="<id> [state]", group=ACTING, handler=acts.promote,
            summary="Move a candidate on, after a button", routes=(acts.MOVE, CANDIDATES)),
    Command(name="rollback", usage="<symbol>", group=ACTING, handler=acts.rollback,
            summary="Let a symbol's last good models serve again, after a button",
            routes=(acts.ROLLBACK,)),
    Command(name="approvals", group=ACTING, handler=acts.approvals,
            summary="What waits for a second person", routes=(APPROVALS,)),
    Command(name="approve", usage="<id>", group=ACTING, handler=acts.approve,
            summary="Agree as the second person, after a button and a code",
            routes=(acts.APPROVE, APPROVALS)),
    Command(name="refuse", usage="<id>", group=ACTING, handler=acts.refuse,
            summary="Say no to a proposal, after a button and a code",
            routes=(acts.REFUSE, APPROVALS)),
    Command(name="models", usage="[n]", group="Plan2", handler=answers_system.models,
            summary="Candidates and champions", routes=(CANDIDATES,),
            palette=("go/models",)),
    Command(name="jobs", usage="[n]", group="Plan2", handler=answers_system.jobs,
            summary="Training and other long work", routes=(JOBS,),
            palette=("go/training", "go/research")),
    Command(name="backtest", usage="[status]", group="Plan2", handler=answers_system.backtest,
            summary="How the backtests stand", routes=(JOBS,), palette=("go/backtests",)),
    Command(name="health", group="Plan2", handler=answers_system.health,
            summary="What is not well", routes=(("GET", "/api/v1/health"),),
            palette=("go/system",)),
    Command(name="logs", usage="[n]", group="Plan2", handler=answers_system.logs,
            summary="The last events of the log", routes=(("GET", "/api/v1/events"),),
            palette=("go/audit",)),
    Command(name="show_config", group="Plan2", handler=answers_orders.show_config,
            summary="Settings that somebody changed", routes=(("GET", "/api/v1/settings"),),
            aliases=("show_conf",)),
    Command(name="version", group="Plan2", handler=answers_system.version,
            summary="What runs, since when", routes=(SYSTEM,)),
    Command(name="messages", group=YOURS, handler=answers_alerts.messages,
            summary="How messages come to you", routes=(SYSTEM,)),
    Command(name="loud", usage="<kind | all>", group=YOURS, handler=choices.loud,
            summary="Let a kind of message come with a sound", routes=(choices.SET,),
            palette=("go/settings",)),
    Command(name="quiet", usage="<kind | all> [off]", group=YOURS, handler=choices.quiet,
            summary="Without a sound, or not at all", routes=(choices.SET,)),
    Command(name="digest", usage="<off | hourly | daily>", group=YOURS, handler=choices.digest,
            summary="Gather what only informs", routes=(choices.SET,)),
    Command(name="language", usage="<en | id>", group=YOURS, handler=choices.language,
            summary="Which language Plan2 speaks with you", routes=(choices.SET,)),
    Command(name="unpair", group=YOURS, handler=choices.unpair,
            summary="Let this chat be nobody's again", routes=(choices.UNPAIR,)),
    Command(name="help", group=YOURS, handler=show_help, summary="This list",
            routes=(("GET", "/api/v1/session"),), palette=("shortcuts", "go/help")),
)  # fmt: skip

COMMANDS: Final[Mapping[str, Command]] = {
    name: each for each in DECLARED for name in (each.name, *each.aliases)
}


def help_lines(session: Session, say: Say = ENGLISH) -> list[Line]:
    """The commands that the table of rights opens to this person, by group."""
    lines: list[Line] = []
    for group in dict.fromkeys(each.group for each in DECLARED):
        mine = [each for each in DECLARED if each.group == group and each.is_open_to(session)]
        if mine:
            head = line(bold(say(group)))
            lines += [head] if not lines else [line(), head]
            lines += [_words(each, say) for each in mine]
    return lines


def _words(command: Command, say: Say) -> Line:
    names = " ".join(f"/{name}" for name in (command.name, *command.aliases))
    usage = f" {command.usage}" if command.usage else ""
    return line(f"{names}{usage}: {say(command.summary)}")
