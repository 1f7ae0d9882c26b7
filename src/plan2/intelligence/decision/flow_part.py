"""What a flow contributes to a decision: its signal, its size, its own limits and their figures."""

from typing import Final

import msgspec

from plan2.intelligence.risk.flow_limits import FlowFigures, FlowLimits

LONG: Final = "long"
SHORT: Final = "short"
EXIT: Final = "exit"


class FlowPart(msgspec.Struct, frozen=True, kw_only=True):
    """The flow behind a decision.

    `action` is LONG, SHORT or EXIT; distances in price units, 0 = none; `why` the condition with
    its values. `lots` and `risk_fraction` say how much it asks for. `exits` is what its position
    lives by: see `trading.flow_exits`. `uses_models`: whether forecasts stand behind it.
    `leaving`: positions of the symbol that it closes in the same breath.
    """

    name: str
    version: int
    digest: str
    action: str
    why: str = ""
    stop_loss: float = 0.0
    take_profit: float = 0.0
    lots: float = 0.0
    risk_fraction: float = 0.0
    uses_models: bool = False
    leaving: int = 0
    limits: FlowLimits = FlowLimits()
    figures: FlowFigures | None = None
    exits: dict[str, float] = {}

    @property
    def is_entry(self) -> bool:
        """Whether it wants a new position."""
        return self.action != EXIT

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"flow {self.name} {self.version}" if self.version else f"flow {self.name}"
