"""Facts of assistants: what was asked of a language model, and what news does to entries."""

from plan2.foundation.events.base import Event


class AssistantAsked(Event, frozen=True, kw_only=True, gc=False):
    """A language model was asked; neither the question nor the answer is kept here.

    `provider` is who answered, empty when nobody did; `cost` is money, a decimal string; `refused`
    says why the answer was not used, or why nobody was asked.
    """

    purpose: str
    provider: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: str
    attempts: tuple[str, ...]
    refused: str
    by: str


class NewsShaded(Event, frozen=True, kw_only=True, gc=False):
    """Tagged news shrinks or vetoes entries of a symbol until a market time (UTC ns)."""

    symbol: str
    source_id: str
    tags: tuple[str, ...]
    score: float
    factor: float
    until_ns: int
    provider: str
    model: str
    by: str
