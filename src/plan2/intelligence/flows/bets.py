"""The policy `kind = "models"`: takes the bets of the ensemble as the account's own decision does.

The bet is taken when its expected value after cost, at the lower confidence bound, exceeds the
margin; stop and target lie at the forecast's barrier.
"""

from collections.abc import Callable

from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, Tick
from plan2.intelligence.decision.policy import edge_of, verdict_of
from plan2.intelligence.decision.record import EdgePart, Reason
from plan2.intelligence.flows.policy import NO_SIGNAL, Signal
from plan2.intelligence.models.forecast import Forecast


class BetPolicy:
    """Bets of one symbol.

    Args:
        rate: account currency per unit of the symbol's quote currency, now; NaN = unknown.
    """

    def __init__(
        self, instrument: Instrument, config: DecisionConfig, rate: Callable[[], float]
    ) -> None:
        self._instrument = instrument
        self._config = config
        self._rate = rate
        self._edge: EdgePart | None = None
        self.bars = 0
        """Ticks that were forecast on: each is a bar of its own."""

    def step(self, tick: Tick, forecast: Forecast | None, features: Float64Array) -> Signal:  # noqa: ARG002
        """See `FlowPolicy.step`."""
        rate = self._rate()
        if forecast is None or forecast.abstained or not rate > 0.0:
            return NO_SIGNAL
        self.bars += 1
        edge = edge_of(tick, forecast, self._instrument, rate, self._config)
        if verdict_of(edge) is not Reason.EXPECTED_VALUE:
            return NO_SIGNAL
        self._edge = edge
        return Signal(entry=edge.side, stop_loss=forecast.barrier, take_profit=forecast.barrier)

    def why(self) -> str:
        """See `FlowPolicy.why`."""
        if self._edge is None:
            return "no bet is worth its cost"
        edge, pip = self._edge, self._instrument.pip
        word = "up" if edge.side > 0 else "down"
        return (
            f"{edge.p:.1%} {word}, worth {edge.ev / pip:+.2f} pips after cost "
            f"({edge.ev_lcb / pip:+.2f} at the lower confidence bound)"
        )
