"""The worker's side: asks one provider after another until one answers.

A provider that did not take the request (429, 503, not reachable) is asked once more after a pause.
One that took it and said nothing is not: it may have been billed. Then it is the next one's turn.
"""

import os
import time
from pathlib import Path
from typing import Final

import httpx

from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import Secret
from plan2.intelligence.assistants.errand import (
    KEY_VARIABLES,
    Attempt,
    Errand,
    Outcome,
    ProviderPlan,
)
from plan2.intelligence.assistants.providers import ask_provider

PAUSE_S: Final = 2.0


def carry_out(errand: Errand, pause_s: float = PAUSE_S) -> Outcome:
    """Ask in order; the outcome names every attempt."""
    attempts: list[Attempt] = []
    with httpx.Client(follow_redirects=False, trust_env=False) as client:
        for plan in errand.providers:
            attempts += _asked(client, plan, errand, pause_s)
            if attempts[-1].ending == "answered":
                break
    return Outcome(attempts=tuple(attempts))


def _asked(
    client: httpx.Client, plan: ProviderPlan, errand: Errand, pause_s: float
) -> list[Attempt]:
    try:
        key = key_of(plan)
    except ConfigError as error:
        return [_without_key(plan, error.message)]
    if not key:
        return [_without_key(plan, f"There is no key: set {KEY_VARIABLES[plan.name]}.")]
    first = ask_provider(client, plan, key, errand.question, errand.timeout_s)
    if first.ending != "busy":
        return [first]
    time.sleep(pause_s)
    return [first, ask_provider(client, plan, key, errand.question, errand.timeout_s)]


def key_of(plan: ProviderPlan) -> Secret:
    """A provider's key; empty when there is none.

    Raises:
        ConfigError: its file cannot be read.
    """
    if not plan.key_file:
        return Secret(os.environ.get(KEY_VARIABLES[plan.name], ""))
    try:
        return Secret(Path(plan.key_file).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The key file of {plan.name} cannot be read.") from error


def _without_key(plan: ProviderPlan, reason: str) -> Attempt:
    return Attempt(provider=plan.name, model=plan.model, ending="refused", reason=reason)
