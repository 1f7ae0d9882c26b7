"""The web app's types say what the server's structs say: names, order, codes."""

import json
import re
from pathlib import Path

import msgspec
import pytest

import web_api
from plan2.connectivity.gateway.problems import Problem
from plan2.connectivity.gateway.signin import SessionInfo
from plan2.connectivity.identity.right_table import CHANNELS, RIGHTS
from plan2.connectivity.identity.rights import ADMIN, READERS, Role
from plan2.dataflow.terminals.port import LinkState, Trigger
from plan2.dataflow.terminals.remote.peer import RemoteStatus
from plan2.foundation.events.catalog import STORED
from plan2.intelligence.decision import record
from plan2.interface import alert_rows, broker_items, items, job_items, order_items
from plan2.interface.api import order_bodies
from plan2.interface.streaming.protocol import Kind, RateClass
from plan2.wiring.terminal_health import health_of

SOURCES = Path(__file__).parents[2] / "src" / "plan2" / "interface" / "web" / "src"

MIRRORED: dict[str, type[msgspec.Struct]] = {
    "Session": SessionInfo,
    "SystemInfo": items.SystemInfo,
    "SymbolInfo": items.SymbolInfo,
    "Bars": items.Bars,
    "Indicators": items.IndicatorValues,
    "Vote": items.VoteItem,
    "Forecast": items.ForecastItem,
    "DecisionItem": items.DecisionItem,
    "OrderItem": order_items.OrderItem,
    "PositionItem": order_items.PositionItem,
    "ForeignOrder": broker_items.ForeignOrderItem,
    "Broker": broker_items.BrokerItem,
    "Equity": items.EquityCurve,
    "RiskLimit": items.LimitItem,
    "Account": items.AccountInfo,
    "ModelItem": items.ModelItem,
    "EventItem": items.EventItem,
    "Component": items.ComponentItem,
    "LatencyStage": items.StageItem,
    "Health": items.HealthInfo,
    "CommandReply": items.CommandReceipt,
    "EdgePart": record.EdgePart,
    "SizePart": record.SizePart,
    "Check": record.Check,
    "QuoteRow": items.QuoteRow,
    "CandleRow": items.CandleRow,
    "ForecastRow": items.ForecastRow,
    "AccountRow": items.AccountRow,
    "PositionRow": order_items.PositionItem,
    "AlertRow": alert_rows.AlertNow,
    "JobRow": job_items.JobNow,
    "OrderReceipt": order_items.OrderReceipt,
    "OrderBody": order_bodies.OrderBody,
    "ChangeBody": order_bodies.ChangeBody,
    "StopsBody": order_bodies.StopsBody,
    "CloseBody": order_bodies.CloseBody,
    "CloseByBody": order_bodies.CloseByBody,
    "ClaimBody": order_bodies.ClaimBody,
    "ReleaseBody": order_bodies.ReleaseBody,
}
"""TypeScript type by name, and the struct it mirrors."""


class StandIn:
    """A terminal that is as it is told to be."""

    def __init__(self, state: LinkState) -> None:
        self._state = state

    def status(self) -> RemoteStatus:
        """How the link is."""
        return RemoteStatus(
            state=self._state,
            reason="no trade server",
            host="desk-1",
            agent="plan2",
            login="7",
            server="Broker-Demo",
            mode="demo",
            latency_ms=1.0,
            offset_ms=0.0,
            dropped_ticks=0,
            lost_updates=0,
            waiting_updates=0,
            silent_s=0.0,
            busy="",
        )


@pytest.fixture(scope="module")
def protocol() -> str:
    """The text of the app's types."""
    return (SOURCES / "gen" / "protocol.ts").read_text(encoding="utf-8")


def members_of(protocol: str, name: str) -> list[str]:
    """Names of an object type's or a labelled tuple's own members, in order."""
    start = re.search(rf"^export type {name} =\s*(readonly )?[{{\[]", protocol, re.MULTILINE)
    assert start is not None, f"protocol.ts has no type {name}"
    depth, own = 1, ""
    for character in protocol[start.end() :]:
        depth += (character in "{[(") - (character in "}])")
        if depth == 0:
            break
        own += character if depth == 1 else ""
    return re.findall(r"(\w+)\??:", own)


@pytest.mark.parametrize("name", MIRRORED)
def test_types_have_the_members_of_their_struct(protocol: str, name: str) -> None:
    """Every member under its name; tuples also in the struct's order."""
    fields = list(MIRRORED[name].__struct_fields__)
    members = members_of(protocol, name)
    if name.endswith("Row"):
        assert members == fields
    else:
        assert sorted(members) == sorted(fields)


def test_frame_kinds_have_the_same_numbers(protocol: str) -> None:
    """`Kind` of the app is `Kind` of the server."""
    block = re.search(r"export const Kind = \{(.*?)\}", protocol, re.DOTALL)
    assert block is not None
    ours = {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", block[1])}
    theirs = {
        re.sub(r"_(\w)", lambda part: part[1].upper(), kind.name.lower()): int(kind)
        for kind in Kind
    }
    assert ours == theirs


def test_rate_classes_and_channels_have_the_same_names(protocol: str) -> None:
    """What the app may ask for is what the stream offers."""
    rates = re.search(r"type RateClass = ([^;]+);", protocol)
    assert rates is not None
    assert set(re.findall(r'"(\w+)"', rates[1])) == {str(rate) for rate in RateClass}
    channels = re.findall(r"type (?:State|Log)ChannelName =\s*([^;]+);", protocol)
    assert set(re.findall(r'"(\w+)"', " ".join(channels))) == set(CHANNELS)


def test_filters_offer_every_reason_and_outcome() -> None:
    """What can be filtered by is what decisions can carry."""
    text = (SOURCES / "pages" / "decisions" / "filters.ts").read_text(encoding="utf-8")
    outcomes, reasons = re.findall(r"= \[(.*?)\] as const", text, re.DOTALL)
    assert re.findall(r'"(\w+)"', outcomes) == [str(one) for one in record.Outcome]
    assert sorted(re.findall(r'"(\w+)"', reasons)) == sorted(str(one) for one in record.Reason)


def test_event_types_are_those_that_are_stored() -> None:
    """The event log offers every stored type."""
    text = (SOURCES / "pages" / "system" / "eventTypes.ts").read_text(encoding="utf-8")
    types = re.search(r"EVENT_TYPES = \[(.*?)\]", text, re.DOTALL)
    assert types is not None
    assert sorted(re.findall(r'"(\w+)"', types[1])) == sorted(STORED)


def test_the_client_is_made_from_the_routes_as_they_are() -> None:
    """`openapi.json` says what the routes say; `python tests/web_api.py` writes it.

    That the client's types are those of `openapi.json` is a test of the web app (`npm test`).
    """
    assert json.loads(web_api.DOCUMENT.read_text(encoding="utf-8")) == web_api.document()


def test_the_client_covers_every_route_of_the_api() -> None:
    """The description and the table of rights name the same routes."""
    described = {
        (method.upper(), path)
        for path, item in json.loads(web_api.DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
        for method in item
    }
    wanted = {
        (method, path)
        for method, path in RIGHTS
        if path.startswith(web_api.ROOT) and method != "WEBSOCKET"
    }
    assert sorted(wanted ^ described) == []


def test_roles_and_scopes_are_those_of_the_server() -> None:
    """The pages know every role, and no role that does not exist."""
    session = (SOURCES / "state" / "session.ts").read_text(encoding="utf-8")
    admin = (SOURCES / "strings" / "admin.ts").read_text(encoding="utf-8")
    roles = re.search(r"export const ROLES = \[(.*?)\] as const", admin, re.DOTALL)
    assert roles is not None
    assert re.findall(r'"(\w+)"', roles[1]) == [str(role) for role in Role]
    for name, right in (("reader", READERS), ("administrator", ADMIN)):
        listed = re.search(rf"  {name}: \[(.*?)\]", session)
        assert listed is not None
        assert set(re.findall(r'"(\w+)"', listed[1])) == {str(role) for role in right}


def test_triggers_are_those_of_the_terminal_port(protocol: str) -> None:
    """A ticket offers no way to execute that the port does not have."""
    union = re.search(r"export type Trigger = ([^;]+);", protocol)
    assert union is not None
    assert re.findall(r'"(\w+)"', union[1]) == [trigger.value for trigger in Trigger]


def test_the_terminal_card_understands_what_the_terminal_says() -> None:
    """The sentences of the component `terminal` are those that the card takes apart."""
    text = (SOURCES / "api" / "terminal.ts").read_text(encoding="utf-8")
    account, link = (
        re.compile(pattern.replace("(?<", "(?P<")) for pattern in re.findall(r"= /(\^.*\$)/;", text)
    )
    said = account.match(health_of(StandIn(LinkState.UP))().detail)
    assert said is not None
    assert said.groupdict() == {"login": "7", "server": "Broker-Demo", "host": "desk-1"}
    for state in (LinkState.DEGRADED, LinkState.DOWN):
        said = link.match(health_of(StandIn(state))().detail)
        assert said is not None
        assert said.groupdict() == {"state": state.value, "reason": "no trade server"}


def test_problems_are_read_by_their_names(protocol: str) -> None:
    """Every member that the app reads of a refusal is one that the server writes."""
    assert set(members_of(protocol, "Problem")) <= set(Problem.__struct_fields__)
