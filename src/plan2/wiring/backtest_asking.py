"""Which flows may be backtested on behalf of somebody at the other end of a network."""

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.policies import Policy, find_policy
from plan2.intelligence.flows.source import write_source


def check_asked(flow: Flow) -> None:
    """Refuse what nobody may ask for over the network, and what cannot be run.

    Raises:
        InputError: an expression cannot be used, or the policy is none that is installed.
    """
    if flow.policy.kind != "models":
        write_source(flow)
    if flow.policy.kind == "python" and ":" in flow.policy.plugin:
        # A module or a file would be any code of this machine.
        raise InputError(
            f"{flow.policy.plugin!r} is no installed policy.",
            remedy="Name an entry point of the group plan2.policies.",
        )


def policy_of(flow: Flow) -> Policy | None:
    """The installed policy that decides; None for the flow's rules.

    Raises:
        InputError: as `check_asked`.
    """
    check_asked(flow)
    return find_policy(flow.policy.plugin) if flow.policy.kind == "python" else None
