"""From the account's rows to the frames of a run, and the digest that tells two runs apart.

Rows leave the record as they fill up, so the compiled loop never grows anything.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from plan2.foundation.errors import require
from plan2.foundation.instrument import Instrument
from plan2.intelligence.backtest.account.codes import DENIALS, DONE, DONE_PARTIAL, KINDS, REASONS
from plan2.intelligence.backtest.account.records import EQUITY_ROW, ORDER_ROW, TRADE_ROW
from plan2.intelligence.backtest.account.spool import Spool
from plan2.intelligence.backtest.log_digest import log_digest
from plan2.intelligence.backtest.run import EQUITY, ORDERS, TRADES

Accounts = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFrames:
    """What a finished account leaves to its `BacktestRun`; the fields are named as there."""

    trades: pl.DataFrame
    orders: pl.DataFrame
    equity: pl.DataFrame
    start_balance: float
    end_balance: float
    max_drawdown: float
    max_drawdown_fraction: float
    denials: dict[str, int]
    rejects: dict[int, int]
    log_digest: str


class Rows:
    """The rows taken out of one account so far, in order.

    Args:
        folder: where rows go that memory should not hold.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._orders = Spool(ORDER_ROW, folder)
        self._trades = Spool(TRADE_ROW, folder)
        self._samples = Spool(EQUITY_ROW, folder)

    def take(self, accounts: Accounts) -> None:
        """Move the rows out of the record, which has room for as many again.

        Raises:
            InvariantBroken: rows were lost, because the record was not emptied when it asked.
        """
        lost = int(accounts["lost"][0])
        require(lost == 0, f"{lost} rows of a backtest's account found no room and are lost")
        for name, rows, kept in (
            ("orders", "order_rows", self._orders),
            ("trades", "trade_rows", self._trades),
            ("samples", "equity_rows", self._samples),
        ):
            count = int(accounts[name][0])
            if count:
                kept.add(accounts[rows][0, :count].copy())
            accounts[name] = 0

    def frames(self, accounts: Accounts, instrument: Instrument) -> AccountFrames:
        """The frames of a finished account; takes what is still in the record."""
        self.take(accounts)
        account = accounts[0]
        denied = account["denials"].tolist()
        orders = pl.concat([_orders(rows, instrument) for rows in self._orders.parts()])
        orders = orders.sort("order", maintain_order=True)
        trades = pl.concat([_trades(rows, instrument) for rows in self._trades.parts()])
        trades = trades.with_columns(pl.int_range(1, pl.len() + 1).alias("trade"))
        return AccountFrames(
            trades=trades,
            orders=orders,
            equity=pl.concat([_equity(rows, instrument) for rows in self._samples.parts()]),
            start_balance=_money(account["deposit"]),
            end_balance=_money(account["balance"]),
            max_drawdown=_money(account["max_drawdown"]),
            max_drawdown_fraction=float(account["max_drawdown_share"]),
            denials={name: denied[code] for code, name in enumerate(DENIALS) if denied[code]},
            rejects=self._rejects(),
            log_digest=log_digest(orders, trades, instrument.digits),
        )

    def _rejects(self) -> dict[int, int]:
        """Refused requests by the broker's answer."""
        found: Counter[int] = Counter()
        for rows in self._orders.parts():
            answers = rows["answer"]
            found.update(answers[(answers != DONE) & (answers != DONE_PARTIAL)].tolist())
        return dict(sorted(found.items()))


def _trades(rows: Accounts, instrument: Instrument) -> pl.DataFrame:
    columns = {
        "trade": np.zeros(len(rows), np.int64),
        "side": rows["side"],
        "lots": _lots(rows["lots"], instrument),
        "decided_ns": rows["decided_ns"],
        "open_ns": rows["open_ns"],
        "open_price": _price(rows["open"], instrument),
        "close_ns": rows["close_ns"],
        "close_price": _price(rows["close"], instrument),
        "exit_reason": np.array(REASONS)[rows["reason"]],
        "gross": _money(rows["gross"]),
        "commission": _money(rows["commission"]),
        "swap": _money(rows["swap"]),
        "net": _money(rows["gross"] + rows["commission"] + rows["swap"]),
        "mae": _money(rows["worst"]),
        "mfe": _money(rows["best"]),
        "spread_cost": _money(rows["spread_cost"]),
        "slippage_cost": _money(rows["slip_cost"]),
    }
    return _frame(columns, TRADES)


def _orders(rows: Accounts, instrument: Instrument) -> pl.DataFrame:
    columns = {
        "order": rows["number"],
        "ts_ns": rows["ts_ns"],
        "kind": np.array(KINDS)[rows["kind"]],
        "side": rows["side"],
        "lots": _lots(rows["lots"], instrument),
        "filled_ns": rows["filled_ns"],
        "price": _price(rows["price"], instrument),
        "filled_lots": _lots(rows["filled"], instrument),
        "retcode": rows["answer"],
        "reason": np.array(REASONS)[rows["reason"]],
    }
    return _frame(columns, ORDERS)


def _equity(rows: Accounts, instrument: Instrument) -> pl.DataFrame:
    columns = {
        "ts_ns": rows["ts_ns"],
        "balance": _money(rows["balance"]),
        "equity": _money(rows["equity"]),
        "lots": _lots(rows["lots"], instrument),
    }
    return _frame(columns, EQUITY)


def _frame(columns: dict[str, Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """`columns` are numpy arrays of whatever integer the record has; the schema narrows them."""
    return pl.DataFrame(columns).select(pl.col(name).cast(kind) for name, kind in schema.items())


def _lots(steps: Any, instrument: Instrument) -> Any:
    """Steps as lots; numpy in, numpy out."""
    return np.round(steps * instrument.volume_step, 8)


def _price(thousandths: Any, instrument: Instrument) -> Any:
    """Thousandths of a point as a price; division gives the nearest float."""
    return thousandths / 10.0 ** (instrument.digits + 3)


def _money(cents: Any) -> Any:
    """Cents as money; numpy in, numpy out."""
    return cents / 100.0
