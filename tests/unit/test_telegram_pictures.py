"""Pictures for chats: drawn by a child, so that the trading process never loads the library."""

import math
import struct
import subprocess
import sys

from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.pictures import Pictures
from unit.interface_fixtures import NOON_NS, position_item

MINUTE_US = 60_000_000
START_US = NOON_NS // 1_000


def curve(count: int) -> Picture:
    """Equity of so many minutes."""
    return Picture(
        "equity",
        {
            "time_us": [START_US + at * MINUTE_US for at in range(count)],
            "balance": ["10000.00"] * count,
            "equity": [f"{10_000 + 50 * math.sin(at / 9):.2f}" for at in range(count)],
            "currency": "USD",
            "zone": "Asia/Jakarta",
        },
    )


def trade() -> Picture:
    """A closed position over an hour of bars."""
    prices = [1.1 + 0.001 * math.sin(at / 9) for at in range(60)]
    position = {
        name: getattr(position_item("p"), name) for name in position_item("p").__struct_fields__
    }
    return Picture(
        "trade",
        {
            "bars": {
                "period_s": 60,
                "time_us": [START_US + at * MINUTE_US for at in range(60)],
                "open": prices,
                "high": [each + 0.0002 for each in prices],
                "low": [each - 0.0002 for each in prices],
                "close": prices[1:] + prices[-1:],
            },
            "position": position | {"closed_us": START_US + 30 * MINUTE_US, "close_price": 1.1005},
            "zone": "",
        },
    )


async def test_pictures_are_drawn_beside_the_process_and_a_failure_is_none() -> None:
    """Two kinds as PNG of the declared size; what cannot be drawn is told by nothing."""
    pictures, loaded = Pictures(), set(sys.modules)
    for picture in (curve(120), trade()):
        png = await pictures.draw(picture)
        assert png is not None
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", png[16:24]) == (1_080, 600)
    assert await pictures.draw(Picture("unknown", {})) is None
    assert "matplotlib" not in set(sys.modules) - loaded


def test_the_wiring_loads_neither_the_bots_library_nor_the_plotting_one() -> None:
    """Where Telegram is off, its library costs nothing."""
    code = (
        "import sys, plan2.wiring.messages; "
        "print(sorted({'telegram', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
