"""How the way to a broker is, for people."""

from plan2.dataflow.terminals.port import LinkState
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.health import Check, Health, Status


def health_of(terminal: RemoteTerminal) -> Check:
    """How the way to the broker is; nothing else says it to a person who does not trade."""

    def check() -> Health:
        now = terminal.status()
        metrics = {
            "latency_ms": now.latency_ms,
            "clock_offset_ms": now.offset_ms,
            "dropped_ticks": float(now.dropped_ticks),
            "waiting_updates": float(now.waiting_updates),
        }
        if now.state is LinkState.UP:
            whose = f"Account {now.login} at {now.server}"
            return Health(Status.OK, f"{whose} through {now.host}", metrics)
        return Health(Status.DEGRADED, f"Link {now.state.value}: {now.reason}", metrics)

    return check
