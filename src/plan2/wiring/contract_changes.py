"""Contract data that a broker changes while Plan2 runs: taken over, told, and kept.

The terminal's host reads them again when it reconnects, each broker day, and after a refusal that
hints at it; here they are asked for once a minute, never on a tick's way. Margin, leverage,
volumes, distances, costs and a tick's value are taken over between two ticks. A symbol whose lot or
prices mean something else now is not: new risk is halted until a start takes it over.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plan2.dataflow.terminals.port import LinkState
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import Clock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.events.account import ContractChanged
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import IdSource
from plan2.foundation.instrument import (
    IN_PASSING,
    NATURE,
    EarlierContract,
    Instrument,
    changed_terms,
)
from plan2.foundation.scheduler import Job
from plan2.foundation.values import TenantId
from plan2.intelligence.trading.summary import account_stream
from plan2.wiring.live_account import FOLDER, read_account, renewed, write_account
from plan2.wiring.tenant_folder import folder_of
from plan2.wiring.tenant_run import TenantRun

EVERY: Final = "every 60 s"
ANSWER_S: Final = 10.0


class ContractChanges:
    """Looks after the contract data of every account at a broker.

    Args:
        runs: every open tenant, the main one too. folder: the data folder. clock: tells when.
        ids: of events. show: shows the main account's new contract on screens.
    """

    def __init__(
        self,
        runs: Callable[[], list[TenantRun]],
        folder: Path,
        clock: Clock,
        ids: IdSource,
        show: Callable[[Instrument], None],
    ) -> None:
        self._runs = runs
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._show = show
        self._refused: dict[tuple[TenantId, str], Instrument] = {}

    def jobs(self) -> list[Job]:
        """Name, times and command."""
        return [Job("learn_contracts", self.learn, EVERY)]

    async def learn(self) -> None:
        """Ask every connected terminal, and take over what is different."""
        for run in self._runs():
            terminal = run.market.terminal
            if not isinstance(terminal, RemoteTerminal):
                continue
            if terminal.status().state is not LinkState.DOWN:
                with contextlib.suppress(TerminalUnavailable):  # asked again in a minute
                    await terminal.wait_ready(ANSWER_S)
            self.take(run, terminal.instruments())
            await asyncio.to_thread(self._keep, run)

    def take(self, run: TenantRun, told: dict[str, Instrument]) -> None:
        """Go by what a terminal tells, symbol by symbol."""
        for symbol, known in list(run.market.instruments.items()):
            new = told.get(symbol)
            changed = changed_terms(new, known) if new is not None else frozenset()
            if new is None or not changed:
                continue
            if changed & NATURE:
                self._refuse(run, new, known, changed)
            else:
                self._adopt(run, new, known, changed)

    def _adopt(
        self, run: TenantRun, new: Instrument, known: Instrument, changed: frozenset[str]
    ) -> None:
        if changed - IN_PASSING:
            now_ns = run.market.clock.now_ns()
            run.market.earlier.append(EarlierContract(until_ns=now_ns, instrument=known))
        run.market.instruments[new.symbol] = new
        run.account.portfolio.take_contract(new)
        if run.tenant_id == MAIN_TENANT:
            self._show(new)
        self._tell(run, new, known, changed, is_adopted=True)

    def _refuse(
        self, run: TenantRun, new: Instrument, known: Instrument, changed: frozenset[str]
    ) -> None:
        key = (run.tenant_id, new.symbol)
        if self._refused.get(key) == new:
            return  # it was told
        self._refused[key] = new
        self._tell(run, new, known, changed, is_adopted=False)
        what = ", ".join(sorted(changed & NATURE))
        run.halt(f"{new.symbol}: the broker changed its {what}; start Plan2 anew to go by it")

    def _tell(
        self,
        run: TenantRun,
        new: Instrument,
        known: Instrument,
        changed: frozenset[str],
        *,
        is_adopted: bool,
    ) -> None:
        account_id = run.market.account_id
        event = ContractChanged(
            ts_ns=run.market.clock.now_ns(),
            account_id=account_id,
            tenant_id=run.tenant_id,
            symbol=new.symbol,
            before={name: str(getattr(known, name)) for name in sorted(changed)},
            after={name: str(getattr(new, name)) for name in sorted(changed)},
            is_adopted=is_adopted,
        )
        run.appender.put(
            NewEvent(
                stream_id=account_stream(account_id),
                event=event,
                event_id=self._ids.next_id("event"),
            )
        )

    def _keep(self, run: TenantRun) -> None:
        """Write down what the account goes by now, where it differs from what is kept."""
        is_main = run.tenant_id == MAIN_TENANT
        home = self._folder if is_main else folder_of(self._folder, run.tenant_id)
        path = home / FOLDER / f"{run.market.account_id}.json"
        known = read_account(path)
        if known is None:
            return
        told = {**known.instruments, **run.market.instruments}
        if any(changed_terms(told[symbol], one) for symbol, one in known.instruments.items()):
            write_account(path, renewed(known, told, self._clock.now_ns()))
