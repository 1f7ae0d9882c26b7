"""Routes of language models: how they stand, a decision in plain words, a report, tagged news.

What they say is marked as generated, with provider and model; figures in it were copied by code.
When nobody answers, or the answer is refused, our own sentence stands in its place.
"""

from collections.abc import Callable
from typing import Annotated, Final, Protocol

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.values import TenantId
from plan2.intelligence.assistants import daily, explanation
from plan2.intelligence.assistants.errand import Attempt, Question
from plan2.intelligence.assistants.news import NEWS_MAX, NewsTags, question_of, tags_of
from plan2.intelligence.assistants.service import AssistantDesk, Reply
from plan2.intelligence.assistants.wording import Fact, question_about, worded
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.risk.news import NewsShade
from plan2.interface.api.desk import Desk, Desks
from plan2.interface.api.paging import ItemId
from plan2.interface.api.ports import EventLog
from plan2.interface.screen import to_us

PATH: Final = "/api/v1/assistants"
TAGS: Final = ("assistants",)
CONSENT: Final = "assistants"
BODY_MAX_BYTES: Final = 65_536


class ProviderItem(msgspec.Struct, frozen=True, kw_only=True):
    """A provider in its place of the order; `is_resting` after repeated failures."""

    name: str
    model: str
    is_resting: bool


class ShadeItem(msgspec.Struct, frozen=True, kw_only=True):
    """What news leaves of entries of a symbol, until a market time (microseconds UTC)."""

    symbol: str
    factor: float
    until_us: int


class AssistantsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How assistants stand for your tenant today; an empty order means that nobody is asked."""

    providers: list[ProviderItem]
    tokens_used: int
    tokens_allowed: int
    cost_used: str
    cost_allowed: str
    has_consent: bool
    shades_entries: bool
    shades: list[ShadeItem]


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """A text; `is_generated` says that a language model worded it, `refused` why not."""

    text: str
    is_generated: bool
    provider: str
    model: str
    refused: str


class NewsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of news about a symbol; `source_id` names it, so that it counts once."""

    symbol: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._#-]{1,32}$")]
    source_id: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,64}$")]
    text: Annotated[str, Meta(min_length=1, max_length=NEWS_MAX)]


class NewsItem(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of a piece of news and what it does; without an opinion `refused` says why."""

    tags: tuple[str, ...]
    score: float | None
    factor: float
    until_us: int
    is_applied: bool
    provider: str
    model: str
    refused: str


class Agreement(Protocol):
    """Who agreed that what they ask is sent to a provider."""

    def is_given(self, tenant_id: TenantId, user_id: str) -> bool:
        """Whether a person agreed; only to be shown."""
        ...

    def allows(self, tenant_id: TenantId, user_id: str) -> bool:
        """Whether something of a person may be sent now; a refusal is logged."""
        ...


class PutNews(Protocol):
    """Takes tags in force."""

    async def __call__(
        self, tenant_id: TenantId, body: NewsBody, tags: NewsTags, answer: Attempt, by: str
    ) -> tuple[NewsShade, bool]:
        """What the tags do, and whether it bears on entries.

        Raises:
            StoreBusy: it holds now, but a restart would not know.
        """
        ...


class NewsDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What tagged news does in a tenant.

    Attributes:
        put: takes tags in force. in_force: the shades of a tenant now.
        shades_entries: whether the configuration lets news bear on entries at all.
    """

    put: PutNews
    in_force: Callable[[TenantId], list[NewsShade]]
    shades_entries: bool


class AssistantRoutes:
    """`/api/v1/assistants…` and the explanation of a decision.

    Args:
        desk: asks the providers. desks, events: a tenant's records and figures.
        agreement: who agreed to be helped by a language model.
        pip: of a symbol, in quote currency. news: what tagged news does.
    """

    def __init__(
        self,
        desk: AssistantDesk,
        desks: Desks,
        events: EventLog,
        agreement: Agreement,
        pip: Callable[[str], float],
        news: NewsDesk,
    ) -> None:
        self._desk = desk
        self._desks = desks
        self._events = events
        self._agreement = agreement
        self._pip = pip
        self._news = news

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        explain = "/api/v1/decisions/{decision_id:str}/explain"
        return [
            get(PATH, tags=TAGS)(self.status),
            post(explain, status_code=200, tags=TAGS)(self.explain),
            post(PATH + "/report", status_code=200, tags=TAGS)(self.report),
            post(PATH + "/news", status_code=200, tags=TAGS, request_max_body_size=BODY_MAX_BYTES)(
                self.tag
            ),
        ]

    async def status(self, request: SignedRequest) -> AssistantsInfo:
        """Providers in their order, the day's use, your consent, and news that bears on entries."""
        tenant = TenantId(request.auth.user.tenant_id)
        found = await self._desk.status(tenant)
        return AssistantsInfo(
            providers=[
                ProviderItem(name=name, model=found.models[name], is_resting=name in found.resting)
                for name in found.order
            ],
            tokens_used=found.used.tokens,
            tokens_allowed=found.allowed.tokens,
            cost_used=f"{found.used.cost:.4f}",
            cost_allowed=f"{found.allowed.cost}",
            has_consent=self._agreement.is_given(tenant, request.auth.user.user_id),
            shades_entries=self._news.shades_entries,
            shades=[
                ShadeItem(symbol=each.symbol, factor=each.factor, until_us=to_us(each.until_ns))
                for each in self._news.in_force(tenant)
            ],
        )

    async def explain(self, request: SignedRequest, decision_id: ItemId) -> Generated:
        """A decision of yours in plain words, from its record alone."""
        desk = self._desks.of(request.auth)
        record = msgspec.convert(await self._record(desk, decision_id), DecisionRecord)
        facts = explanation.facts_of(record, self._pip(record.symbol))
        return await self._worded(request, explanation.TASK, facts, record.sentence)

    async def report(self, request: SignedRequest) -> Generated:
        """The day's figures in plain words."""
        desk = self._desks.of(request.auth)
        info = desk.books.info()
        day = daily.DayFigures(
            currency=desk.info.currency,
            equity=info.equity,
            balance=info.balance,
            day_pnl=info.day_pnl,
            drawdown=info.drawdown,
            open_positions=info.open_positions,
            trading_state=info.trading_state,
            limits=tuple((each.rule, each.value, each.limit) for each in info.limits),
        )
        facts = daily.facts_of_day(day)
        return await self._worded(request, daily.TASK, facts, daily.plain_report(day))

    async def tag(self, request: SignedRequest, data: NewsBody) -> NewsItem:
        """Tags and a bounded score of a piece of news; it can only shrink or veto entries."""
        reply = await self._ask(request, "news", question_of(data.symbol, data.text))
        tags = tags_of(reply.answer.text) if reply.answer is not None else None
        if tags is None or reply.answer is None:
            refused = reply.refused or "The answer has not the shape that was asked for."
            return _no_opinion(reply, refused)
        tenant = TenantId(request.auth.user.tenant_id)
        shade, is_applied = await self._news.put(
            tenant, data, tags, reply.answer, request.auth.actor
        )
        return _opinion(reply, tags, shade, is_applied=is_applied)

    async def _worded(
        self, request: SignedRequest, task: str, facts: dict[str, Fact], own: str
    ) -> Generated:
        reply = await self._ask(request, "words", question_about(task, facts))
        answer = reply.answer
        if answer is None:
            return Generated(
                text=own, is_generated=False, provider="", model="", refused=reply.refused
            )
        wording = worded(answer.text, facts)
        return Generated(
            text=wording.text or own,
            is_generated=not wording.refused,
            provider=answer.provider,
            model=answer.model,
            refused=f"The text was not used: {wording.refused}." if wording.refused else "",
        )

    async def _ask(self, request: SignedRequest, purpose: str, question: Question) -> Reply:
        session = request.auth
        tenant = TenantId(session.user.tenant_id)
        if self._desk.is_on and not self._agreement.allows(tenant, session.user.user_id):
            raise RequestRefused(
                403,
                "consent_missing",
                "You have not agreed that what you ask is sent to a language model.",
                remedy="Agree to “Assistants” in the settings under Privacy.",
            )
        return await self._desk.ask(tenant, purpose, question, session.actor)

    async def _record(self, desk: Desk, decision_id: str) -> object:
        position = await desk.views.decision_position(decision_id)
        found = (
            await self._events.read_all(desk.info.tenant_id, after=position - 1, limit=1)
            if position is not None
            else ()
        )
        if not found:
            raise RequestRefused(404, "not_found", f"There is no decision {decision_id!r}.")
        record: object = found[0].data["record"]
        return record


def _no_opinion(reply: Reply, refused: str) -> NewsItem:
    answer = reply.answer
    return NewsItem(
        tags=(),
        score=None,
        factor=1.0,
        until_us=0,
        is_applied=False,
        provider=answer.provider if answer is not None else "",
        model=answer.model if answer is not None else "",
        refused=refused,
    )


def _opinion(reply: Reply, tags: NewsTags, shade: NewsShade, *, is_applied: bool) -> NewsItem:
    return msgspec.structs.replace(
        _no_opinion(reply, ""),
        tags=tags.tags,
        score=tags.score,
        factor=shade.factor,
        until_us=to_us(shade.until_ns),
        is_applied=is_applied,
    )
