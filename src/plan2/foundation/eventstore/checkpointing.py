"""Signs checkpoints of every tenant while events are stored: each 1,000 events or 50 seconds.

Before it signs, it looks whether the log still begins with what it signed before; a log that was
cut or changed meanwhile is never signed, and the health board says so. The event that tells of a
checkpoint does not ask for another one.
"""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import Recoverable
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import CheckpointSigned
from plan2.foundation.eventstore.checkpoints import (
    Checkpoint,
    CheckpointFile,
    Signer,
    is_signed,
    line_of,
    signed_text,
)
from plan2.foundation.eventstore.log_reading import boundary_of
from plan2.foundation.eventstore.merkle import Frontier, leaf_hash
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.health import Health, Status
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, TenantId

EVENTS_MAX: Final = 1_000
AGE_NS: Final = 50 * NS_PER_SECOND
LATE_NS: Final = 60 * NS_PER_SECOND
LOOK_EVERY_S: Final = 1.0
TOLD_EVERY_NS: Final = NS_PER_HOUR
PAGE: Final = 500
FRONTIER: Final = ".frontier"


class CheckpointFolders(msgspec.Struct, frozen=True, kw_only=True):
    """Where checkpoints are kept; `second` is best on another disk."""

    first: Path
    second: Path | None = None

    def files(self, tenant: TenantId) -> list[CheckpointFile]:
        """The files of a tenant, the first one is read."""
        return [CheckpointFile(each, tenant) for each in (self.first, self.second) if each]


class _Progress(msgspec.Struct):
    """How far a tenant's log is signed, and what waits since when."""

    frontier: Frontier
    head_hash: bytes
    last: Checkpoint | None
    archived: int
    waiting: int = 0
    since_ns: int = 0
    told_ns: int = 0
    fault: str = ""
    copy_fault: str = ""


class Checkpointer:
    """Keeps the checkpoints of every tenant up to date.

    Args:
        open_unit: opens a unit of work of a tenant.
        clock: wall clock.
        signer: signs. folders: where the lines go.
        record: tells the log of a checkpoint, at most once an hour and tenant.
    """

    def __init__(
        self,
        open_unit: OpenUnit,
        clock: Clock,
        signer: Signer,
        folders: CheckpointFolders,
        record: Record,
    ) -> None:
        self.signer = signer
        self.folders = folders
        self._unit = open_unit
        self._clock = clock
        self._record = record
        self._tenants: dict[TenantId, _Progress] = {}
        self._wake = asyncio.Event()

    async def load(self, tenant: TenantId) -> None:
        """Begin to watch a tenant's log; reads once what is not signed yet.

        Raises:
            InputError: the file of its checkpoints is damaged.
            StoreBusy: the database does not answer.
        """
        file = self.folders.files(tenant)[0]
        newest = await asyncio.to_thread(file.newest)
        async with self._unit(tenant) as uow:
            boundary = await boundary_of(uow)
        progress = _Progress(boundary.frontier.copy(), boundary.hash, None, boundary.position)
        if newest:
            progress.last = line = newest[0]
            if not is_signed(self.signer.public_key, signed_text(line), line.signature):
                progress.fault = "the last checkpoint was not signed with this key"
            known = await asyncio.to_thread(_remembered, file.path, line)
            if known is not None:
                progress.frontier, progress.head_hash = known, bytes.fromhex(line.head_hash)
            await self._extend(tenant, progress, line.size)
            _compare(progress, line)
        self._tenants[tenant] = progress
        self._note_fault(tenant, progress)
        async with self._unit(tenant) as uow:
            row = await (await uow.raw.execute("select pos from log_head")).fetchone()
        head = int(row[0]) if row else 0
        if head > progress.frontier.size:
            progress.waiting, progress.since_ns = EVENTS_MAX, self._clock.now_ns()

    def forget(self, tenant: TenantId) -> None:
        """Stop watching a tenant, such as one that was deleted."""
        self._tenants.pop(tenant, None)

    def on_stored(self, tenant: TenantId, event_type: str) -> None:
        """Count an event that was stored; called for each one, cheap."""
        progress = self._tenants.get(tenant)
        if progress is None or event_type == CheckpointSigned.__name__:
            return
        if progress.waiting == 0:
            progress.since_ns = self._clock.now_ns()
        progress.waiting += 1
        if progress.waiting == EVENTS_MAX:
            self._wake.set()

    async def run(self) -> None:
        """Sign whatever is due, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.sign_due()

    async def sign_due(self) -> None:
        """Sign the logs with 1,000 new events, or whose oldest unsigned event is 50 s old."""
        now_ns = self._clock.now_ns()
        for tenant, progress in list(self._tenants.items()):
            is_old = abs(now_ns - progress.since_ns) >= AGE_NS
            if progress.waiting and (progress.waiting >= EVENTS_MAX or is_old):
                try:
                    await self.sign(tenant)
                except (Recoverable, OSError) as error:
                    logger("audit").warning("checkpoint_late", tenant_id=tenant, reason=str(error))

    async def sign(self, tenant: TenantId) -> Checkpoint | None:
        """Sign a tenant's log as it is now; None when nothing is new, or it was changed.

        Raises:
            StoreBusy: the database does not answer. OSError: the disk refused.
        """
        progress = self._tenants[tenant]
        taken = progress.waiting
        if not progress.fault:
            await self._extend(tenant, progress)
            self._note_fault(tenant, progress)
        signed = progress.last.size if progress.last else 0
        if progress.fault:
            return None
        if progress.frontier.size == signed:
            progress.waiting = max(0, progress.waiting - taken)
            return None
        checkpoint = self.signer.signed(
            Checkpoint(
                tenant=tenant,
                size=progress.frontier.size,
                head_hash=progress.head_hash.hex(),
                root_hash=progress.frontier.root().hex(),
                at_us=self._clock.now_ns() // 1_000,
                previous=(
                    hashlib.sha256(line_of(progress.last)).hexdigest() if progress.last else ""
                ),
            )
        )
        first, *others = self.folders.files(tenant)
        await asyncio.to_thread(first.append, checkpoint)
        progress.last = checkpoint
        await asyncio.to_thread(_remember, first.path, progress.frontier)
        for other in others:
            try:
                await asyncio.to_thread(other.copy_missing, first)
                progress.copy_fault = ""
            except OSError as error:
                progress.copy_fault = f"no second copy of the checkpoints of {tenant}: {error}"
        progress.waiting = max(0, progress.waiting - taken)
        progress.since_ns = self._clock.now_ns()
        self._tell(tenant, progress, checkpoint)
        return checkpoint

    def check(self) -> Health:
        """The worst of all tenants, see `check_of`."""
        found = [self.check_of(tenant) for tenant in self._tenants]
        metrics = {"tenants": float(len(found))}
        for status in (Status.DOWN, Status.DEGRADED):
            details = [each.detail for each in found if each.status is status]
            if details:
                return Health(status, "; ".join(details[:3]), metrics)
        return Health(Status.OK, "", metrics)

    def check_of(self, tenant: TenantId) -> Health:
        """DOWN when a tenant's log is not what was signed, DEGRADED when a checkpoint is late."""
        progress = self._tenants.get(tenant)
        if progress is None:
            return Health(Status.DEGRADED, f"The log of {tenant} is not watched.")
        if progress.fault:
            return Health(Status.DOWN, f"The log of {tenant} was changed: {progress.fault}")
        if progress.waiting and self._clock.now_ns() - progress.since_ns > LATE_NS:
            return Health(Status.DEGRADED, f"No checkpoint of {tenant} for over 60 s")
        if progress.copy_fault:
            return Health(Status.DEGRADED, progress.copy_fault)
        return Health(Status.OK)

    async def _extend(self, tenant: TenantId, progress: _Progress, size: int = 2**62) -> None:
        """Take in the events after those signed, up to `size`; each must follow the one before."""
        frontier = progress.frontier
        async with self._unit(tenant) as uow:
            while True:
                cursor = await uow.raw.execute(
                    "select pos, prev, hash from event where pos >= %s and pos <= %s "
                    "order by pos limit %s",
                    (frontier.size, size, PAGE),
                )
                rows = await cursor.fetchall()
                if frontier.size > progress.archived:
                    if not rows or rows[0][0] != frontier.size or rows[0][2] != progress.head_hash:
                        progress.fault = f"event {frontier.size} is gone or was changed"
                        return
                    rows = rows[1:]
                for position, prev, hash_ in rows:
                    if position != frontier.size + 1 or prev != progress.head_hash:
                        progress.fault = f"event {frontier.size + 1} does not follow"
                        return
                    frontier.append(leaf_hash(hash_))
                    progress.head_hash = hash_
                if len(rows) < PAGE - 1:
                    return

    def _tell(self, tenant: TenantId, progress: _Progress, checkpoint: Checkpoint) -> None:
        now_ns = self._clock.now_ns()
        if progress.told_ns and now_ns - progress.told_ns < TOLD_EVERY_NS:
            return
        progress.told_ns = now_ns
        event = CheckpointSigned(
            ts_ns=now_ns,
            size=checkpoint.size,
            head_hash=checkpoint.head_hash,
            root_hash=checkpoint.root_hash,
            target=self.folders.files(tenant)[0].path.name,
            signature=checkpoint.signature,
        )
        self._record(tenant, "audit", event)

    def _note_fault(self, tenant: TenantId, progress: _Progress) -> None:
        if progress.fault:
            logger("audit").error("log_was_changed", tenant_id=tenant, reason=progress.fault)


def _compare(progress: _Progress, line: Checkpoint) -> None:
    """Hold what was read against a checkpoint of that size."""
    if progress.fault:
        return
    if progress.frontier.size < line.size:
        progress.fault = (
            f"a checkpoint covers {line.size} events, the log ends at {progress.frontier.size}"
        )
    elif (progress.head_hash.hex(), progress.frontier.root().hex()) != (
        line.head_hash,
        line.root_hash,
    ):
        progress.fault = f"the log's first {line.size} events are not what was signed"


def _remembered(path: Path, line: Checkpoint) -> Frontier | None:
    """The frontier of the last checkpoint, if the file beside it still fits."""
    try:
        known = msgspec.msgpack.decode(path.with_suffix(FRONTIER).read_bytes(), type=Frontier)
    except (OSError, msgspec.MsgspecError):
        return None
    fits = known.is_sound and known.size == line.size and known.root().hex() == line.root_hash
    return known if fits else None


def _remember(path: Path, frontier: Frontier) -> None:
    """Keep the frontier, so that a start need not read the whole log; only a cache."""
    fresh = path.with_suffix(FRONTIER + ".new")
    fresh.write_bytes(msgspec.msgpack.encode(frontier))
    fresh.replace(path.with_suffix(FRONTIER))
