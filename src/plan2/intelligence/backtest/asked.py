"""What a backtest is asked for, and the flows that were asked about, kept for their jobs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.foundation.private_file import write_private
from plan2.intelligence.backtest.kept.files import FOLDER
from plan2.intelligence.flows.flow import Flow, with_parameters

NAME: Final = "backtest"
"""The kind of job."""
FLOWS_MAX: Final = 1_000
"""Flows that are kept for repeating their jobs."""

_Share = Annotated[float, Meta(ge=0, le=1)]
_Amount = Annotated[float, Meta(ge=0, le=1e6)]


class CostChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions of a run other than the flow's own; null leaves what the flow says.

    As in `flows.flow.Execution`.
    """

    latency_ms: _Amount | None = None
    slippage_points: _Amount | None = None
    commission_per_lot: Annotated[str, Meta(pattern=r"^\d+(\.\d{1,4})?$")] | None = None
    swap: bool | None = None
    reject_fraction: _Share | None = None
    partial_fraction: _Share | None = None


class BacktestWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A backtest that was asked for, complete: a repetition of it runs the same.

    Attributes:
        tenant_id: whose. flow: name. flow_key: of the flow in `AskedFlows`.
        parameters: as they are used. start_ns, end_ns: of the ticks, UTC; 0 = all there are.
    """

    tenant_id: str
    flow: str
    flow_key: str
    symbol: str
    parameters: dict[str, float]
    seed: int
    start_ns: int = 0
    end_ns: int = 0


def flow_as_asked(
    flow: Flow, *, symbol: str, parameters: dict[str, float], seed: int, costs: CostChange
) -> Flow:
    """The flow with what was chosen for this run; an empty symbol leaves the flow's own.

    Raises:
        InputError: a name is no parameter of it.
    """
    chosen = {
        name: value for name, value in msgspec.structs.asdict(costs).items() if value is not None
    }
    changed = with_parameters(flow, parameters)
    return msgspec.structs.replace(
        changed,
        source=msgspec.structs.replace(changed.source, symbol=symbol or changed.source.symbol),
        execution=msgspec.structs.replace(changed.execution, seed=seed, **chosen),
    )


def check_stretch(flow: Flow, archived: Sequence[str], start_ns: int, end_ns: int) -> None:
    """Hold a wish against what there is.

    Raises:
        InputError: the symbol is not archived, or there is no time in it.
    """
    if flow.source.symbol not in archived:
        raise InputError(
            f"No ticks are archived for {flow.source.symbol}; "
            f"archived symbols: {', '.join(archived) or 'none'}.",
            remedy="Bring ticks in with `plan2 import FILE…`.",
        )
    if end_ns and start_ns >= end_ns:
        raise InputError("The first time must be before the time to stop at.")


class AskedFlows:
    """Flows of a tenant's jobs, by the hash of their content.

    Args:
        tenant_folder: the tenant's own.
    """

    def __init__(self, tenant_folder: Path) -> None:
        self._folder = tenant_folder / FOLDER / ".flows"

    def put(self, flow: Flow) -> str:
        """Keep a flow; returns its key. The oldest ones go when there are too many."""
        content = msgspec.json.encode(flow, order="deterministic")
        key = hashlib.sha256(content).hexdigest()
        write_private(self._folder / f"{key}.json", content)
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-FLOWS_MAX]:
            file.unlink(missing_ok=True)
        return key

    def get(self, key: str) -> Flow:
        """The flow of a key.

        Raises:
            InputError: it is not kept any more.
        """
        try:
            return msgspec.json.decode((self._folder / f"{key}.json").read_bytes(), type=Flow)
        except (OSError, msgspec.DecodeError) as error:
            raise InputError(
                "The flow of this job is not kept any more.", remedy="Start the backtest anew."
            ) from error
