"""Which flows may be backtested for somebody at the other end of a network, and researched."""

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


def check_researched(flow: Flow) -> None:
    """Refuse a flow that is not made of rules: what varies must be its numbers.

    Raises:
        InputError: it says why.
    """
    if flow.policy.kind != "rules":
        raise InputError(
            f"{flow.name} is no flow of rules, and research varies the numbers of rules.",
            remedy="`plan2 backtest` runs it as it is.",
        )
    write_source(flow)


def policy_of(flow: Flow) -> Policy | None:
    """The installed policy that decides; None for the flow's rules.

    Raises:
        InputError: as `check_asked`.
    """
    check_asked(flow)
    return find_policy(flow.policy.plugin) if flow.policy.kind == "python" else None
