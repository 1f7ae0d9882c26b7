"""The daily snapshot of an account: a cache whose absence changes no answer."""

from plan2.foundation.events.account import EquityRecorded, TradingStateChanged
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.eventstore.snapshots import save_snapshot, state_at
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.summary import SUMMARY, AccountSummary, account_stream

STREAM = account_stream("paper")


def equity(ts_ns: int, amount: str) -> EquityRecorded:
    """An equity figure."""
    return EquityRecorded(
        ts_ns=ts_ns,
        account_id="paper",
        tenant_id="t",
        balance=amount,
        equity=amount,
        margin="0.00",
        day_start_equity="10000.00",
        day_end_ns=0,
        peak_equity="10050.00",
    )


def armed(ts_ns: int) -> TradingStateChanged:
    """The switch goes on."""
    return TradingStateChanged(
        ts_ns=ts_ns,
        account_id="paper",
        tenant_id="t",
        old_state="halted",
        new_state="armed",
        actor="tester",
        reason="test",
    )


async def test_snapshot_and_fold_give_the_same_account(
    database: Database, tenant: TenantId
) -> None:
    """With the snapshot, after more events, and after all snapshots are gone."""
    first = [armed(1), equity(2, "10050.00")]
    later = [equity(3, "10020.00")]

    async def store(events: list[EquityRecorded | TradingStateChanged]) -> None:
        await database.store.append(
            tenant,
            [
                NewEvent(stream_id=STREAM, event=event, event_id=derived_id("e", event.ts_ns))
                for event in events
            ],
        )

    await store(list(first))
    async with database.uow(tenant) as uow:
        await save_snapshot(uow, STREAM, SUMMARY, await state_at(uow, STREAM, SUMMARY))
    await store(list(later))
    expected = AccountSummary(
        trading_state="armed",
        balance="10020.00",
        equity="10020.00",
        peak_equity="10050.00",
        margin="0.00",
        ts_ns=3,
    )
    async with database.uow(tenant) as uow:
        kept = await uow.execute("select count(*) from snapshot")
        assert kept.scalar_one() == 1
        assert (await state_at(uow, STREAM, SUMMARY)).state == expected
        await uow.execute("delete from snapshot")
        assert (await state_at(uow, STREAM, SUMMARY)).state == expected
