"""What a command works with: who asks, the routes in their name, and the shapes of answers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo
from typing import Any, Final

import msgspec

from plan2.connectivity.gateway.inside import Answer, Inside, at
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.right_table import Route, rule_for
from plan2.foundation.errors import InputError, Plan2Error
from plan2.interface.language.say import Say
from plan2.interface.notify.preferences import Preferences
from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.text import Line

V1: Final = "/api/v1"


class Refused(Plan2Error):
    """A route said no; the message is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.refusal or f"Plan2 refused it ({answer.status}).")
        self.code = answer.code or "refused"


class Reply(msgspec.Struct, frozen=True):
    """Words, and a picture with them if there is one."""

    lines: list[Line]
    picture: Picture | None = None


class Wish(msgspec.Struct, frozen=True):
    """One request that is carried out once its person agreed; `values` fill the path in."""

    route: Route
    values: dict[str, str] = {}
    body: Any = None  # the route owns the shape

    @property
    def path(self) -> str:
        """The path with its values."""
        return at(self.route[1], **self.values)


class Ask(msgspec.Struct, frozen=True):
    """Something that happens only after a button: its exact effect, and what carries it out."""

    effect: list[Line]
    button: str
    wishes: tuple[Wish, ...]
    done: str


Answered = Reply | Ask


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One command as it came.

    Attributes:
        session: whose rights hold. arguments: the words after the command.
        now_us: wall time. preferences: how the person wants to be told.
    """

    inside: Inside
    session: Session
    arguments: tuple[str, ...]
    now_us: int
    correlation_id: str
    preferences: Preferences

    @property
    def zone(self) -> tzinfo:
        """The person's time zone."""
        return self.preferences.zone

    @property
    def say(self) -> Say:
        """Sentences in the person's language."""
        return self.preferences.say

    async def get(self, path: str, **query: object) -> Any:  # the route owns the shape
        """What a reading route answers.

        Raises:
            Refused: the route said no. Recoverable: no answer in time.
        """
        answer = await self.inside.ask(
            self.session,
            "GET",
            path if path.startswith("/") else f"{V1}/{path}",
            query=query,
            headers=self._headers(),
        )
        if not answer.is_ok:
            raise Refused(answer)
        return answer.data

    async def carry_out(self, wish: Wish, key: str) -> Answer:
        """Send a wish once; the key makes a repetition harmless."""
        return await self.inside.ask(
            self.session,
            wish.route[0],
            wish.path,
            body=wish.body,
            headers={**self._headers(), "idempotency-key": key},
        )

    async def currency(self) -> str:
        """The account's currency."""
        return str((await self.get("system"))["currency"])

    def number(self, default: int, most: int) -> int:
        """The first argument as a whole number from 1 to `most`.

        Raises:
            InputError: it is something else.
        """
        if not self.arguments:
            return default
        word = self.arguments[0]
        if not word.isdecimal() or not 1 <= int(word[:9]) <= most:
            said = self.say(
                "{word} is no number from 1 to {most}.", word=repr(word[:40]), most=most
            )
            raise InputError(said)
        return int(word)

    def reason(self, default: str, after: int = 0) -> str:
        """The words from an argument on as a reason of one line; a default without any."""
        return (" ".join(self.arguments[after:]) or default)[:200]

    def _headers(self) -> Mapping[str, str]:
        return {"x-correlation-id": self.correlation_id}


Handler = Callable[[Call], Awaitable[Answered]]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command: its words for /help, what it does, and the routes it needs.

    Whoever may use all of the routes may use the command. `palette`: the actions of the web app's
    palette that it stands for.
    """

    name: str
    summary: str
    group: str
    handler: Handler
    routes: tuple[Route, ...]
    usage: str = ""
    aliases: tuple[str, ...] = ()
    palette: tuple[str, ...] = ()

    def is_open_to(self, session: Session) -> bool:
        """Whether the table of rights lets this person use it."""
        rules = [rule_for(*route) for route in self.routes]
        return all(rule is not None and session.user.role in rule.roles for rule in rules)
