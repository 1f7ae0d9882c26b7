"""A run for other programs: JSON as a whole, its tables as CSV or Parquet, its figures as CSV."""

import csv
import io
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.safe_csv import safe
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.kept.cells import heads_of, rows_of
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import TABLES

Form = Literal["json", "csv", "parquet"]
What = Literal["trades", "orders", "equity", "metrics"]
MEDIA: Final[dict[Form, str]] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}


def export(kept: KeptRuns, run_id: str, form: Form, what: What = "trades") -> bytes:
    """A run, or one of its tables, as a file.

    Args:
        kept: the tenant's runs.
        run_id: which one.
        form: "json" holds everything, whatever `what` is.
        what: a table, or "metrics", which has no Parquet.

    Raises:
        InputError: there is no such run, a file of it is damaged, or metrics were asked as Parquet.
    """
    if form == "json":
        return _whole(kept, run_id)
    if what == "metrics":
        if form == "parquet":
            raise InputError("Metrics are exported as CSV or JSON, not as Parquet.")
        return _metrics(kept, run_id)
    if form == "parquet":
        return kept.parquet(run_id, what)
    frame = kept.table(run_id, what)
    return _csv(heads_of(frame), rows_of(frame))


def _whole(kept: KeptRuns, run_id: str) -> bytes:
    record = kept.record(run_id)
    content: dict[str, object] = {
        "summary": record.summary,
        "flow": record.flow,
        "denials": record.denials,
        "rejects": {str(code): count for code, count in record.rejects.items()},
        "figures": kept.figures(run_id),
        **{name: kept.table(run_id, name).to_dicts() for name in TABLES},
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _metrics(kept: KeptRuns, run_id: str) -> bytes:
    rows = [
        [name, DEFINITIONS[name].unit, *_numbers(each.value, each.low, each.high), each.reason]
        for name, each in kept.figures(run_id).metrics.items()
        if name in DEFINITIONS
    ]
    return _csv(["metric", "unit", "value", "low_95", "high_95", "reason"], rows)


def _numbers(*values: float | None) -> list[str]:
    return ["" if value is None else repr(value) for value in values]


def _csv(head: list[str], rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([safe(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8")
