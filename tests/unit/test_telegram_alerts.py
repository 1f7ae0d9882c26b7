"""/alerts and /ack: what a tenant's rules raised, told and acknowledged in the chat."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from plan2.connectivity.identity.rights import Role
from plan2.foundation.values import TenantId
from plan2.interface.api.alert_items import RuleBody
from plan2.interface.telegram.answers_alerts import SHOWN_MAX
from unit.alert_fixtures import price
from unit.interface_fixtures import TENANT
from unit.telegram_fixtures import SITI, BotStage, bot_at_work


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotStage]:
    """A bot that answers an analyst, who may acknowledge and do nothing else."""
    async with bot_at_work(tmp_path) as stage:
        await stage.pair((await stage.person("siti", Role.ANALYST)).user, SITI)
        yield stage


async def raised(bot: BotStage, count: int = 1) -> list[str]:
    """Let a rule fire so often; the ids of its alerts, oldest first."""
    room = bot.stage.alerts
    body = RuleBody(name="high", condition=price("above", 1.1), cooldown_s=0, note="See the plan.")
    await room.service.put_rule(body.rule(), "user:u-budi")
    for _ in range(count):
        assert room.see(1.2) == 1
        room.see(1.0)
    await room.service.save()
    return [each.alert.alert_id for each in room.told]


def states(bot: BotStage) -> list[str]:
    """How the alerts stand, newest first."""
    return [msgspec.json.decode(each)["state"] for each in bot.stage.alerts.table.raised.values()]


async def test_without_an_alert_it_says_so(bot: BotStage) -> None:
    """And where one chooses how messages come."""
    answer = await bot.asked(SITI, "/alerts")
    assert "No alert waits." in answer
    assert "/messages" in answer
    assert "limit_breached" in await bot.asked(SITI, "/messages")


async def test_open_alerts_are_shown_newest_first_and_a_button_acknowledges_them(bot) -> None:
    """The button does it once, in its person's name."""
    first, second = await raised(bot, 2)
    answer = await bot.asked(SITI, "/alerts")
    assert "2 open alerts" in answer
    assert "warning: high" in answer
    assert "See the plan." in answer
    assert answer.index(second) < answer.index(first)
    await bot.press(SITI, "Acknowledge these 2")
    assert states(bot) == ["acknowledged", "acknowledged"]
    assert {
        by for event, by in bot.stage.alerts.facts if "Acknowledged" in type(event).__name__
    } == {"user:u-siti"}
    assert "No alert waits." in await bot.asked(SITI, "/alerts")


async def test_one_is_acknowledged_by_its_id_and_all_by_a_word(bot: BotStage) -> None:
    """What does not wait is a sentence, not a success."""
    first, *_ = await raised(bot, 3)
    assert "Acknowledged: high." in await bot.asked(SITI, f"/ack {first}")
    assert sorted(states(bot)) == ["acknowledged", "open", "open"]
    assert f"No alert '{first}' waits." in await bot.asked(SITI, f"/ack {first}")
    assert "high, high." in await bot.asked(SITI, "/ack all")
    assert states(bot) == ["acknowledged"] * 3
    assert "needs the id" in await bot.asked(SITI, "/ack")


async def test_a_button_acknowledges_no_more_than_was_shown(bot: BotStage) -> None:
    """Of many the newest are shown; the rest keeps waiting."""
    ids = await raised(bot, SHOWN_MAX + 2)
    answer = await bot.asked(SITI, "/alerts")
    assert f"the newest of {SHOWN_MAX + 2}" in answer
    assert ids[0] not in answer
    await bot.press(SITI, f"Acknowledge these {SHOWN_MAX}")
    waiting = await bot.stage.alerts.table.waiting(TenantId(TENANT))
    assert sorted(each.alert_id for each in waiting) == sorted(ids[:2])
