"""What a worker is asked: a question, and whom to ask in which order; and what came of it.

No key is in an errand. The worker reads each provider's key itself, from the environment or a file.
"""

from typing import Final, Literal

import msgspec

ProviderName = Literal["openai", "deepseek", "google"]
KEY_VARIABLES: Final[dict[ProviderName, str]] = {
    "openai": "PLAN2_OPENAI_API_KEY",
    "deepseek": "PLAN2_DEEPSEEK_API_KEY",
    "google": "PLAN2_GOOGLE_API_KEY",
}
"""Where the key is when no file is named."""
Ending = Literal["answered", "busy", "refused", "silent", "broken"]
"""`busy`: not taken, may be asked again; `refused`: our key or request; `silent`: no answer in
time; `broken`: an answer that is none."""
TRANSIENT: Final[frozenset[Ending]] = frozenset({"busy", "silent", "broken"})
"""Endings that speak against the provider's health, not against our request."""


class ProviderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One provider: where, which model, and the file with its key ("" = the environment)."""

    name: ProviderName
    url: str
    model: str
    key_file: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: our instructions, and data that are no instructions. `tokens` bounds it."""

    instructions: str
    data: str
    tokens: int


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A question and whom to ask, in order; `timeout_s` is for each provider."""

    question: Question
    providers: tuple[ProviderPlan, ...]
    timeout_s: float


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider did; tokens as it counted them, 0 where it did not say."""

    provider: ProviderName
    model: str
    ending: Ending
    reason: str = ""
    text: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Every attempt, in order; the last one answered, or nobody did."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def answer(self) -> Attempt | None:
        """The attempt that answered."""
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.ending == "answered" else None
