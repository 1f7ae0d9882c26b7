"""The child that draws a picture: `python -m plan2.interface.telegram.picture_child IN OUT`."""

import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.worker_messages import open_channel
from plan2.interface.language.say import Say
from plan2.interface.telegram.figures import lots
from plan2.interface.telegram.picture import Picture

SIZE_IN: Final = (9.0, 5.0)
DPI: Final = 120
UP: Final = "#1a7f5a"
DOWN: Final = "#b3403a"
BLUE: Final = "#2b5fa8"
GREY: Final = "#777777"
US_PER_S: Final = 1_000_000
Data = dict[str, Any]  # plain JSON, as REST answered it
Axes = Any  # matplotlib's own, which is loaded late


def main() -> int:
    """Draw what the first file asks for into the second."""
    channel = open_channel()
    asked, made = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        draw(msgspec.json.decode(asked.read_bytes(), type=Picture), made)
    except InputError as error:
        channel.failure(error)
        return error.exit_code
    channel.result(str(made))
    return 0


def draw(picture: Picture, made: Path) -> None:
    """Write a picture as PNG.

    Raises:
        InputError: there is no such kind of picture.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    kinds = {"equity": _equity, "trade": _trade}
    if picture.kind not in kinds:
        raise InputError(f"There is no picture {picture.kind!r}; only {', '.join(kinds)}.")
    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    kinds[picture.kind](axes, picture.data)
    figure.autofmt_xdate(rotation=0, ha="center")
    figure.savefig(made, format="png")


def _equity(axes: Axes, data: Data) -> None:
    zone, say = _zone(data), _say(data)
    times = [_time(us, zone) for us in data["time_us"]]
    equity = [float(each) for each in data["equity"]]
    axes.plot(times, [float(each) for each in data["balance"]], color=GREY, label=say("Balance"))
    axes.plot(times, equity, color=BLUE, linewidth=1.6, label=say("Equity"))
    axes.set_title(f"{say('Equity')}: {equity[-1]:,.2f} {data['currency']}")
    axes.set_ylabel(data["currency"])
    _finish(axes, times, zone, say)


def _trade(axes: Axes, data: Data) -> None:
    zone, bars, position = _zone(data), data["bars"], data["position"]
    say = _say(data)
    times = [_time(us, zone) for us in bars["time_us"]]
    width = 0.7 * bars["period_s"] / 86_400
    rows = zip(times, bars["open"], bars["high"], bars["low"], bars["close"], strict=True)
    for when, opened, high, low, closed in rows:
        color = UP if closed >= opened else DOWN
        axes.vlines(when, low, high, color=color, linewidth=0.8)
        axes.bar(when, closed - opened, width, opened, color=color)
    is_long = position["direction"] == "buy"
    entered = _time(position["opened_us"], zone)
    axes.plot(entered, position["open_price"], "^" if is_long else "v", color=BLUE, markersize=11,
              label=f"{say('Entry')} {position['open_price']:.10g}")  # fmt: skip
    if position["closed_us"] is not None and position["close_price"]:
        left = _time(position["closed_us"], zone)
        axes.plot(left, position["close_price"], "X", color="black", markersize=10,
                  label=f"{say('Exit')} {position['close_price']:.10g}")  # fmt: skip
        axes.plot([entered, left], [position["open_price"], position["close_price"]],
                  color=GREY, linestyle=":")  # fmt: skip
    for name, color in (("stop_loss", DOWN), ("take_profit", UP)):
        if position[name]:
            axes.axhline(position[name], color=color, linestyle="--", linewidth=0.9)
    size = lots(position["quantity"], say)
    axes.set_title(f"{position['symbol']} {position['direction']} {size}")
    _finish(axes, times, zone, say)


def _finish(axes: Axes, times: list[datetime], zone: tzinfo, say: Say) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=zone)  # type: ignore[no-untyped-call]  # matplotlib has no types
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]  # ditto
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlabel(say("time zone {zone}", zone=times[-1].tzname()))
    axes.legend(loc="best", frameon=False)


def _say(data: Data) -> Say:
    return Say(str(data.get("language") or "en"))


def _zone(data: Data) -> tzinfo:
    try:
        return ZoneInfo(data.get("zone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _time(us: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(us / US_PER_S, zone)


if __name__ == "__main__":
    sys.exit(main())
