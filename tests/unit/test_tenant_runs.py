"""Tenants that cannot be opened or served keep no other from it, and are tried again."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from plan2.connectivity.identity.directory import TenantDirectory
from plan2.foundation.errors import StoreBusy
from plan2.foundation.health import Status
from plan2.foundation.values import TenantId
from plan2.wiring.tenant_run import TenantRun
from plan2.wiring.tenant_runs import Ground, TenantRuns

ACME = TenantId("acme")


class Away:
    """A database that does not answer when a tenant is to be opened."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def admit(self, tenant_id: TenantId) -> None:
        """Fail, and count."""
        self.asked.append(tenant_id)
        raise StoreBusy("The database does not answer.")


def runs_on(away: Away) -> TenantRuns:
    """All tenants of a process that could open none but the main one."""
    nothing: Any = None  # what an opening that fails at its first step never touches
    ground = Ground(
        settings_of=nothing, seal_of=nothing, admit=away.admit, follow=nothing, count=nothing,
        folder=nothing, market=nothing, venue=nothing, pipeline=nothing, lag=nothing,
    )  # fmt: skip
    main = cast("TenantRun", SimpleNamespace(tenant_id=TenantId("default")))
    return TenantRuns(main, nothing, ground, print)


async def test_a_tenant_that_could_not_be_opened_is_tried_again() -> None:
    """Health names it until it is open, or nobody wants it any more."""
    away, served = Away(), {ACME}
    runs = runs_on(away)
    runs.follow(
        cast(
            "TenantDirectory",
            SimpleNamespace(
                all=list, on_change=lambda _: None, is_served=lambda tenant: tenant in served
            ),
        )
    )
    await runs.drain(ACME)
    assert runs.check().status is Status.DEGRADED
    assert "acme" in runs.check().detail
    await runs.retry_failed()
    assert away.asked == [ACME, ACME]
    served.clear()
    await runs.retry_failed()
    assert away.asked == [ACME, ACME]
    assert runs.check().status is Status.OK


async def test_a_chore_that_fails_for_one_tenant_is_done_for_the_others() -> None:
    """All are tried; the error names who failed."""
    runs, done = runs_on(Away()), []
    runs.all = lambda: [  # type: ignore[method-assign]
        cast("TenantRun", SimpleNamespace(tenant_id=name)) for name in ("a", "broken", "c")
    ]

    async def act(run: TenantRun) -> None:
        if run.tenant_id == "broken":
            raise StoreBusy("Its tables are in use.")
        done.append(run.tenant_id)

    with pytest.raises(StoreBusy, match="broken: Its tables are in use"):
        await runs.on_each(act)
    assert done == ["a", "c"]
