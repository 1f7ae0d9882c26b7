"""Webhooks and e-mail against servers of our own: what leaves, what is refused or tried again."""

import asyncio
import hashlib
import hmac
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from plan2.foundation.config.schema_alerts import Alerts
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.secret import Secret
from plan2.interface.alerts.delivery import Ways
from plan2.interface.alerts.mail import MailChannel, Post, checked_address
from plan2.interface.alerts.outbound import Outbound
from plan2.interface.alerts.webhook import Endpoint, WebhookChannel
from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from unit.alert_fixtures import MONDAY_NS, AlertRoom, default_ways, price, rule

NOTE = Notification(
    tenant_id="default",
    kind="alert",
    severity=Severity.WARNING,
    title="EURUSD high",
    sentence="EURUSD mid is 1.2.",
    at_ns=MONDAY_NS,
    dedup_key="a1:raised:0",
)
HOOK = Recipient("default", "desk")
DOC = Path(__file__).parents[2] / "docs" / "alerts.md"
LOOPBACK = ("127.0.0.0/8",)


class Seen:
    """What a web server got: head lines and body of each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.came = asyncio.Event()


@asynccontextmanager
async def web(*answers: str) -> AsyncIterator[tuple[int, Seen]]:
    """A server that gives these raw answers in turn, the last for ever; `hang` and `drop` too."""
    seen, left = Seen(), list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        seen.requests.append((headers, body))
        seen.came.set()
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer != "drop":
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


def webhook(url: str, outbound: Outbound | None = None) -> WebhookChannel:
    """A channel with the secret `key`."""
    room = AlertRoom()

    async def endpoint() -> Endpoint:
        return Endpoint(url=Secret(url), key=Secret("key"))

    return WebhookChannel("desk", endpoint, outbound or Outbound(LOOPBACK), room.clock)


async def test_a_webhook_is_signed_and_carries_its_time_and_id() -> None:
    """The signature is computed here as a receiver would, from the bytes that came."""
    sample = re.search(r"```python\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    assert sample is not None
    receiver: dict[str, Any] = {}
    exec(sample[1], receiver)  # noqa: S102 - what our own page tells receivers to run
    async with web("204 No Content") as (port, seen):
        channel = webhook(f"http://127.0.0.1:{port}/hook?a=b")
        assert await channel.send(HOOK, NOTE) == Delivered()
        assert await channel.send(HOOK, NOTE) == Delivered()
    (headers, body), (again, _) = seen.requests
    signed = f"{headers['x-plan2-timestamp']}.{headers['x-plan2-id']}.".encode() + body
    expected = hmac.new(b"key", signed, hashlib.sha256).hexdigest()
    assert headers["x-plan2-signature"] == f"v1={expected}"
    assert int(headers["x-plan2-timestamp"]) == MONDAY_NS // 10**9
    assert headers["x-plan2-id"] == again["x-plan2-id"]
    named = {name.title(): value for name, value in headers.items()}
    receiver["time"] = SimpleNamespace(time=lambda: MONDAY_NS / 1e9 + 299)
    assert receiver["is_genuine"]("key", named, body)
    assert not receiver["is_genuine"]("key", named, body + b" ")
    receiver["time"] = SimpleNamespace(time=lambda: MONDAY_NS / 1e9 + 301)
    assert not receiver["is_genuine"]("key", named, body)
    assert msgspec.json.decode(body)["text"] == "EURUSD mid is 1.2."


@pytest.mark.parametrize(
    ("answer", "retry_s"),
    [
        ("500 Oops", 0.0),
        ("503 Later\r\nRetry-After: 7", 7.0),
        ("429 Slow down\r\nRetry-After: 99999999", 3600.0),
        ("drop", 0.0),
        ("404 Not Found", None),
        ("302 Found\r\nLocation: http://127.0.0.1/elsewhere", None),
    ],
)
async def test_what_may_pass_is_tried_again_and_nothing_else(answer, retry_s) -> None:
    """A redirect is not followed: one request, and no second try."""
    async with web(answer) as (port, seen):
        found = await webhook(f"http://127.0.0.1:{port}/").send(HOOK, NOTE)
    assert isinstance(found, Failed)
    assert found.retry_after_s == retry_s
    assert len(seen.requests) == 1


INSIDE = [
    "127.0.0.1", "::1", "169.254.169.254", "10.1.2.3", "192.168.0.1", "172.16.0.1", "198.18.0.1",
    "::ffff:127.0.0.1", "fd00::1", "fe80::1", "100.64.0.1", "224.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_no_address_inside_is_reached(address) -> None:
    """R-095: loopback, private, link-local, also behind a public name (DNS rebinding)."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", address]

    with pytest.raises(InputError, match="inside this network"):
        await Outbound((), resolve).target("https://innocent.example/hook")


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """The name is asked once; it goes into Host and the certificate check."""
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"]

    target = await Outbound((), resolve).target("https://hooks.example:8443/a?b=c")
    assert target.url == "https://93.184.216.34:8443/a?b=c"
    assert (target.host, target.name) == ("hooks.example:8443", "hooks.example")
    assert asked == ["hooks.example"]
    with pytest.raises(InputError, match="Only https"):
        await Outbound((), resolve).target("http://hooks.example/")


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "https://user:pw@a.example/", "https:///x", "https://a.example/#f", "x",
     "https://a.example:99999/", "https://a.example/\r\nHost: b"],
)  # fmt: skip
async def test_what_is_no_plain_url_is_refused(url) -> None:
    """No user, no fragment, nothing that could split a request."""
    with pytest.raises(InputError):
        await Outbound(LOOPBACK).target(url)


def test_a_network_that_is_none_stops_the_start() -> None:
    """The key is named."""
    with pytest.raises(ConfigError, match=r"alerts\.private_networks"):
        Outbound(("ten",))


# --- e-mail -------------------------------------------------------------------------------


class Box:
    """An SMTP server's handler that keeps what came, or refuses."""

    def __init__(self, refusal: str = "") -> None:
        self.mails: list[Message] = []
        self.refusal = refusal

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: object
    ) -> str:
        """Who a mail is for."""
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: object, envelope: Envelope
    ) -> str:
        """The mail itself."""
        self.mails.append(message_from_bytes(bytes(envelope.content or b"")))
        return "250 OK"


@asynccontextmanager
async def smtp(box: Box, **options: object) -> AsyncIterator[int]:
    """A mail server in this loop; the client works in a thread."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, **options), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def mailbox(port: int, *, agrees: bool = True, **config: object) -> MailChannel:
    """Anna's mailbox."""

    async def address() -> str:
        return "anna@example.com"

    settings = {
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none",
        "smtp_from": "plan2@example.com",
    } | config  # fmt: skip
    post = Post(
        config=msgspec.convert(settings, Alerts),
        password=lambda: Secret("pass"),
        context=lambda: ssl.create_default_context(cafile=None),
    )
    return MailChannel("anna", "u1", address, lambda: agrees, post)


ANNA = Recipient("default", "u1")


async def test_a_mail_says_what_happened() -> None:
    """Read back by the standard library's parser; a title cannot smuggle a header in."""
    box = Box()
    async with smtp(box) as port:
        bad = msgspec.structs.replace(NOTE, title="High\r\nBcc: evil@example.com")
        assert await mailbox(port).send(ANNA, bad) == Delivered()
    [mail] = box.mails
    assert mail["To"] == "anna@example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[Plan2 warning] High  Bcc: evil@example.com"
    assert "EURUSD mid is 1.2." in mail.get_payload()


async def test_a_mail_is_in_the_language_of_its_reader() -> None:
    """Subject, head and text; the same thing stays the same, so it is not told twice."""
    box = Box()
    known = msgspec.structs.replace(NOTE, translated={"id": ("Uji", "Sampai.")})
    spoken = known.in_language("id")
    assert spoken.key == known.key
    async with smtp(box) as port:
        assert await mailbox(port).send(ANNA, spoken) == Delivered()
    [mail] = box.mails
    assert mail["Subject"] == "[Plan2 peringatan] Uji"
    assert mail["Content-Language"] == "id"
    assert "Sampai." in mail.get_payload()


@pytest.mark.parametrize(
    ("refusal", "retry_s"), [("550 no such user", None), ("451 try later", 60.0)]
)
async def test_a_refused_address_is_given_up_only_for_good_reasons(refusal, retry_s) -> None:
    """5xx is final, 4xx is not."""
    async with smtp(Box(refusal)) as port:
        found = await mailbox(port).send(ANNA, NOTE)
    assert isinstance(found, Failed)
    assert found.retry_after_s == retry_s


async def test_sign_in_goes_with_user_and_password() -> None:
    """A wrong one holds the channel: nothing else would get through either."""
    given = []

    def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given.append((data.login, data.password))
        return AuthResult(success=data.password == b"pass")

    box = Box()
    options = {"authenticator": authenticate, "auth_require_tls": False, "auth_required": True}
    async with smtp(box, **options) as port:
        assert await mailbox(port, smtp_user="bot").send(ANNA, NOTE) == Delivered()
    assert given[-1] == (b"bot", b"pass")


async def test_no_plain_text_where_encryption_is_asked_for() -> None:
    """A server without STARTTLS, or with a certificate that nobody signed, gets no mail."""
    box = Box()
    async with smtp(box) as port:
        for security in ("starttls", "tls"):
            found = await mailbox(port, smtp_security=security).send(ANNA, NOTE)
            assert isinstance(found, Failed)
    assert box.mails == []


async def test_nobody_is_written_to_without_consent_or_server() -> None:
    """Consent that was withdrawn meanwhile counts at the moment of sending."""
    box = Box()
    async with smtp(box) as port:
        channel = mailbox(port, agrees=False)
        assert not channel.reaches(ANNA)
        assert isinstance(await channel.send(ANNA, NOTE), Failed)
    assert box.mails == []
    found = await mailbox(1, smtp_host="").send(ANNA, NOTE)
    assert isinstance(found, Failed)
    assert found.retry_after_s is None


@pytest.mark.parametrize("address", ["anna", "a@b", "a b@c.de", "a@c.de\r\nX: y", "a@c.de,b@c.de"])
def test_what_is_no_address_is_refused(address) -> None:
    """One mailbox, no list, no header."""
    with pytest.raises(InputError):
        checked_address(address)


# --- channels of a tenant -----------------------------------------------------------------


async def test_channels_are_sealed_and_shown_once() -> None:
    """What lies in the table tells nothing; another row's seal does not open here."""
    room = AlertRoom()
    row, secret = await room.service.add_channel(
        "desk", "webhook", "https://hooks.example/t0ken", "u1", "user:u1"
    )
    assert secret
    assert b"t0ken" not in row.target
    assert row.secret is not None
    assert secret.encode() not in row.secret
    endpoint = await room.book.endpoint(row)
    assert endpoint.url.reveal() == "https://hooks.example/t0ken"
    assert endpoint.key.reveal() == secret
    assert all("t0ken" not in repr(event) for event, _ in room.facts)
    with pytest.raises(InputError, match="already"):
        await room.service.add_channel("desk", "webhook", "https://x.example/", "u1", "user:u1")
    await room.delivery.close()


async def test_an_erased_person_is_not_written_to_any_more() -> None:
    """Their mailbox goes at once, the webhook that they added stays."""
    room = AlertRoom()
    await room.service.add_channel("anna", "email", "anna@example.com", "u1", "user:u1")
    await room.service.add_channel("desk", "webhook", "https://x.example/", "u1", "user:u1")
    room.service.forget("u1")
    assert set(room.book.rows) == {"desk"}
    assert set(room.delivery.healths()) == {"desk"}
    await room.delivery.close()


class Paired:
    """Telegram's side: who was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notify(self, notification: Notification) -> int:
        """Everybody."""
        self.told.append("everybody")
        return 1

    def tell(self, person: Recipient, notification: Notification) -> bool:
        """One."""
        self.told.append(person.user_id)
        return True

    def language_of(self, person: Recipient) -> str:
        """Everybody here reads Indonesian."""
        assert person.user_id
        return "id"


async def test_telegram_is_told_through_the_notifier() -> None:
    """Everybody who paired, or one person."""
    paired = Paired()

    def ways(room: AlertRoom) -> Ways:
        return msgspec.structs.replace(default_ways(room), people=lambda: paired)

    room = AlertRoom(ways=ways)
    to = [{"way": "telegram"}, {"way": "telegram", "to": "u7"}, {"way": "web"}]
    await room.service.put_rule(rule(price("above", 1.1), recipients=to), "user:u1")
    assert room.see(1.2) == 1
    assert paired.told == ["everybody", "u7"]


async def test_a_mailbox_hears_its_owners_language_and_a_webhook_english() -> None:
    """The same test message on both ways."""
    box = Box()
    async with smtp(box) as port, web("204 OK") as (hook_port, seen):

        def ways(room: AlertRoom) -> Ways:
            config = Alerts(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
            return msgspec.structs.replace(
                default_ways(room),
                people=Paired,
                post=Post(config=config, password=lambda: Secret("")),
                outbound=Outbound(LOOPBACK),
            )

        room = AlertRoom(ways=ways)
        url = f"http://127.0.0.1:{hook_port}/hook"
        await room.service.add_channel("desk", "webhook", url, "u1", "user:u1")
        await room.service.add_channel("anna", "email", "anna@example.com", "u1", "user:u1")
        assert await room.service.test_channel("anna") == Delivered()
        assert await room.service.test_channel("desk") == Delivered()
        await room.delivery.close()
    [mail] = box.mails
    assert mail["Subject"] == "[Plan2 info] Uji coba saluran ini"
    [(_, body)] = seen.requests
    assert b"Test of this channel" in body


async def test_a_rule_names_channels_that_exist_and_holds_them() -> None:
    """A channel that a rule tells cannot be taken away under it."""
    room = AlertRoom()
    wanted = rule(price("above", 1.1), recipients=[{"way": "webhook", "to": "desk"}])
    with pytest.raises(InputError, match="no webhook channel 'desk'"):
        await room.service.put_rule(wanted, "user:u1")
    await room.service.add_channel("desk", "webhook", "https://x.example/", "u1", "user:u1")
    kept = await room.service.put_rule(wanted, "user:u1")
    with pytest.raises(Exception, match="tells channel 'desk'"):
        await room.service.remove_channel("desk", "user:u1")
    await room.desk.remove(kept.rule_id, "user:u1")
    await room.service.remove_channel("desk", "user:u1")
    assert room.book.rows == {}


async def test_a_broken_channel_holds_up_no_other_and_is_shown() -> None:
    """One webhook answers 500 again and again, the other gets its alert at once."""

    def ways(room: AlertRoom) -> Ways:
        return msgspec.structs.replace(default_ways(room), outbound=Outbound(LOOPBACK))

    async with web("500 Oops") as (bad_port, bad), web("200 OK") as (good_port, good):
        room = AlertRoom(ways=ways)
        for name, port in (("bad", bad_port), ("good", good_port)):
            url = f"http://127.0.0.1:{port}/"
            await room.service.add_channel(name, "webhook", url, "u1", "user:u1")
        to = [{"way": "webhook", "to": "bad"}, {"way": "webhook", "to": "good"}]
        await room.service.put_rule(rule(price("above", 1.1), recipients=to), "user:u1")
        assert room.see(1.2) == 1
        async with asyncio.timeout(5):
            await asyncio.gather(good.came.wait(), bad.came.wait(), room.failed.wait())
        await room.delivery.close()
    assert {type(event).__name__ for event in room.recorded} >= {"NotificationFailed"}
