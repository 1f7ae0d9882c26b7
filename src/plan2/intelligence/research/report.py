"""What a piece of research found, as it is kept and shown; partial while it goes on."""

from typing import Literal

import msgspec

from plan2.intelligence.research.detectors import Detection
from plan2.intelligence.research.diagnosis.finding import Finding
from plan2.intelligence.research.random_entries import EntryTest
from plan2.intelligence.research.resampling import Drawn, Fan
from plan2.intelligence.research.stress import Stress
from plan2.intelligence.research.sweep_result import SweepResult
from plan2.intelligence.research.walk_forward import WalkForward
from plan2.intelligence.research.wish import Kind


class JudgedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that is judged: the best point, the times after, or the flow as it is."""

    point: dict[str, float]
    trades: int
    net: float
    gross: float
    max_drawdown: float
    start_balance: float
    log_digest: str


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """The trades of that run by chance; None where there were too few.

    `skips`: each trade missed with a probability of `skip_share`.
    """

    fan: Fan
    blocks: Drawn
    skips: Drawn
    skip_share: float
    entries: EntryTest | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a wish; times UTC ns.

    Attributes:
        state: `running` reports have no judgement yet.
        fraction: how far it is. message: what it does.
        sweep, walk_forward, stress: by kind; the others are None.
        detections, findings: empty while it runs.
        verdict: a sentence.
    """

    research_id: str
    kind: Kind
    state: Literal["running", "done"]
    flow_name: str
    flow_digest: str
    symbol: str
    start_ns: int
    end_ns: int
    ticks: int
    data_id: str
    code: str
    written_ns: int
    fraction: float = 1.0
    message: str = ""
    verdict: str = ""
    run: JudgedRun | None = None
    sweep: SweepResult | None = None
    walk_forward: WalkForward | None = None
    stress: Stress | None = None
    chance: Chance | None = None
    detections: tuple[Detection, ...] = ()
    findings: tuple[Finding, ...] = ()
