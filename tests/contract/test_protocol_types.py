"""The web app's types and our structs name the same members: the contract of REST and stream."""

import re
from pathlib import Path

import msgspec
import pytest

from plan2.connectivity.gateway.signin import SessionInfo
from plan2.connectivity.identity.rights import CHANNELS
from plan2.interface import items, order_items
from plan2.interface.streaming.protocol import Kind, RateClass

TYPES = Path(items.__file__).parent / "web" / "src" / "gen" / "protocol.ts"

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "Session": SessionInfo,
    "SystemInfo": items.SystemInfo,
    "SymbolInfo": items.SymbolInfo,
    "Bars": items.Bars,
    "Indicators": items.IndicatorValues,
    "Features": items.FeatureValues,
    "Vote": items.VoteItem,
    "Forecast": items.ForecastItem,
    "DecisionItem": items.DecisionItem,
    "OrderItem": order_items.OrderItem,
    "PositionItem": order_items.PositionItem,
    "Equity": items.EquityCurve,
    "RiskLimit": items.LimitItem,
    "Account": items.AccountInfo,
    "ModelItem": items.ModelItem,
    "EventItem": items.EventItem,
    "Component": items.ComponentItem,
    "LatencyStage": items.StageItem,
    "Health": items.HealthInfo,
    "CommandReply": items.CommandReceipt,
    "ReplayResult": items.ReplayResult,
}
ROWS: dict[str, type[msgspec.Struct]] = {
    "QuoteRow": items.QuoteRow,
    "CandleRow": items.CandleRow,
    "ForecastRow": items.ForecastRow,
    "AccountRow": items.AccountRow,
    "PositionRow": order_items.PositionItem,
}


@pytest.fixture(scope="module")
def source() -> str:
    """The web app's declarations without comments."""
    text = TYPES.read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def members(declaration: str) -> list[str]:
    """Names before a colon at the outermost level of a type literal or a tuple."""
    flat, depth = "", 0
    for character in declaration:
        depth -= character in "}])>"
        flat += character if depth == 0 else ""
        depth += character in "{[(<"
    return re.findall(r"(\w+)\??\s*:", flat)


def literal(source: str, name: str, opening: str, closing: str) -> str:
    """What stands between the brackets of `export type name = …`."""
    start = source.index(opening, source.index(f"export type {name} ="))
    depth = 0
    for index in range(start, len(source)):
        depth += (source[index] == opening) - (source[index] == closing)
        if depth == 0:
            return source[start + 1 : index]
    raise AssertionError(f"{name} has no end")


@pytest.mark.parametrize("name", list(STRUCTS))
def test_answers_have_every_member_that_the_app_reads(source: str, name: str) -> None:
    """Each name that the app declares is a field of ours."""
    declared = members(literal(source, name, "{", "}"))
    assert declared
    assert set(declared) <= set(STRUCTS[name].__struct_fields__)


@pytest.mark.parametrize("name", list(ROWS))
def test_rows_have_the_same_places(source: str, name: str) -> None:
    """A row is read by position: same names, same order, same length."""
    assert members(literal(source, name, "[", "]")) == list(ROWS[name].__struct_fields__)


def test_kinds_classes_and_channels_are_the_same(source: str) -> None:
    """Numbers of frame kinds, names of rate classes, names of channels."""
    declaration = source.replace("export const Kind", "export type Kind")
    kinds = dict(re.findall(r"(\w+):\s*(\d+)", literal(declaration, "Kind", "{", "}")))
    theirs = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): int(n) for name, n in kinds.items()}
    assert theirs == {kind.name: kind.value for kind in Kind}
    rates = re.search(r"type RateClass = ([^;]+);", source)
    assert rates is not None
    assert set(re.findall(r'"(\w+)"', rates[1])) == {str(rate) for rate in RateClass}
    channels = re.findall(r"type (?:State|Log)ChannelName =\s*([^;]+);", source)
    assert set(re.findall(r'"(\w+)"', " ".join(channels))) == set(CHANNELS)
