"""What the sentences about events are made of."""

from collections.abc import Callable
from typing import NamedTuple

from plan2.interface.language.say import ENGLISH, Say
from plan2.interface.notify.notification import Severity

INFO, WARNING, CRITICAL = Severity


class Context(NamedTuple):
    """What a sentence needs beside its event: tenant, currency, who an actor is, the language."""

    tenant_id: str
    currency: str
    who: Callable[[str], str]
    say: Say = ENGLISH


class Said(NamedTuple):
    """What an event says; `user_id` is the one person it is for."""

    kind: str
    severity: Severity
    title: str
    sentence: str
    link: str = ""
    key: str = ""
    user_id: str = ""
