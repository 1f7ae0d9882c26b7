"""Configuration of language models; without an order nobody is ever asked."""

from typing import Annotated, Literal

from msgspec import Meta

from plan2.foundation.config.section import Count, Money, NonNegative, Section

Url = Annotated[str, Meta(pattern=r"^https?://[^\s@]{3,200}$")]
ModelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]{1,100}$")]


class Assistants(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked and how much it may cost; prices are money for a million tokens.

    Keys come from PLAN2_OPENAI_API_KEY, PLAN2_DEEPSEEK_API_KEY and PLAN2_GOOGLE_API_KEY, or files.
    """

    order: tuple[Literal["openai", "deepseek", "google"], ...] = ()
    timeout_s: Annotated[float, Meta(gt=0, le=20)] = 20.0
    budget_per_day: Money = "1.00"
    tokens_per_day: Count = 200_000
    shade_entries: bool = False
    openai_url: Url = "https://api.openai.com/v1"
    openai_model: ModelName = "gpt-5-mini"
    openai_key_file: str = ""
    openai_price_in: NonNegative = 0.25
    openai_price_out: NonNegative = 2.0
    deepseek_url: Url = "https://api.deepseek.com"
    deepseek_model: ModelName = "deepseek-chat"
    deepseek_key_file: str = ""
    deepseek_price_in: NonNegative = 0.28
    deepseek_price_out: NonNegative = 0.42
    google_url: Url = "https://generativelanguage.googleapis.com"
    google_model: ModelName = "gemini-2.5-flash"
    google_key_file: str = ""
    google_price_in: NonNegative = 0.3
    google_price_out: NonNegative = 2.5
