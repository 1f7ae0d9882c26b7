"""Alerts by e-mail: the standard library's SMTP client in a thread, one message a connection."""

import asyncio
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import msgspec

from plan2.foundation.config.schema_alerts import Alerts
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.sealing import KeyGone
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.language.say import Say
from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)

TIMEOUT_S: Final = 15.0
SUBJECT_MAX: Final = 150
GRAVE: Final = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "critical",
}


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server; `password` is read for each message. `context` verifies its certificate."""

    config: Alerts
    password: Callable[[], Secret]
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context


class MailChannel:
    """One person's mailbox; implements `Channel`.

    Args:
        name: the channel's. user_id: whose mailbox it is. address: opens the address.
        allows: whether the person agrees now to be written to.
        post: the mail server.
    """

    def __init__(
        self,
        name: str,
        user_id: str,
        address: Callable[[], Awaitable[str]],
        allows: Callable[[], bool],
        post: Post,
    ) -> None:
        self._name = name
        self._user_id = user_id
        self._address = address
        self._allows = allows
        self._post = post

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return f"email {self._name}"

    def reaches(self, person: Recipient) -> bool:
        """See `Channel.reaches`: only with the consent of the person."""
        return person.user_id == self._user_id and self._allows()

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """See `Channel.send`."""
        if not self._post.config.smtp_host:
            return Failed("No mail server is configured (alerts.smtp_host).", retry_after_s=None)
        if not self.reaches(person):
            return Failed("The person does not agree to be written to.", retry_after_s=None)
        try:
            message = _letter(self._post.config.smtp_from, await self._address(), notification)
        except KeyGone:
            return Failed("The address was erased.", retry_after_s=None)
        except Plan2Error as error:
            return Failed(error.message, retry_after_s=60.0, holds_channel=True)
        return await asyncio.to_thread(_hand_over, self._post, message)


def checked_address(address: str) -> str:
    """A mail address that may be kept.

    Raises:
        InputError: it is none.
    """
    local, at, domain = address.rpartition("@")
    is_plain = address.isascii() and address.isprintable() and not set(address) & set(' ,;:<>"()')
    if not (local and at and "." in domain and is_plain) or len(address) > 254:
        raise InputError("A mail address is expected, such as trader@example.com.")
    return address


def _letter(sender: str, address: str, notification: Notification) -> EmailMessage:
    message = EmailMessage()
    title = "".join(each if each.isprintable() else " " for each in notification.title)
    message["From"], message["To"] = sender, address
    grave = Say(notification.language)(GRAVE[notification.severity])
    message["Subject"] = f"[Plan2 {grave}] {title}"[:SUBJECT_MAX]
    message["Date"] = format_datetime(
        datetime.fromtimestamp(notification.at_ns // NS_PER_SECOND, UTC)
    )
    message["Message-ID"] = f"<{notification.notification_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{notification.title}\n\n{notification.sentence}\n")
    message["Content-Language"] = notification.language  # setting the text takes it away
    return message


def _hand_over(post: Post, message: EmailMessage) -> Delivered | Failed:
    """One connection, one message; runs in a thread."""
    config = post.config
    where = f"The mail server {config.smtp_host}"
    try:
        with _connection(post) as server:
            if config.smtp_user:
                server.login(config.smtp_user, post.password().reveal())
            server.send_message(message)
    except smtplib.SMTPAuthenticationError:
        return Failed(f"{where} does not accept our user and password.", 300.0, holds_channel=True)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        final = all(code >= 500 for code in codes)
        return Failed(f"{where} refuses the address.", retry_after_s=None if final else 60.0)
    except smtplib.SMTPResponseException as error:
        final = error.smtp_code >= 500
        return Failed(f"{where} answers {error.smtp_code}.", retry_after_s=None if final else 30.0)
    except Plan2Error as error:
        return Failed(error.message, retry_after_s=None)
    except (smtplib.SMTPException, OSError) as error:
        return Failed(f"{where} does not answer: {type(error).__name__}.", 5.0, holds_channel=True)
    return Delivered()


def _connection(post: Post) -> smtplib.SMTP:
    config = post.config
    if config.smtp_security == "tls":
        return smtplib.SMTP_SSL(
            config.smtp_host, config.smtp_port, timeout=TIMEOUT_S, context=post.context()
        )
    server = smtplib.SMTP(config.smtp_host, config.smtp_port, timeout=TIMEOUT_S)
    if config.smtp_security == "starttls":
        with ExitStack() as unfinished:
            unfinished.callback(server.close)
            server.starttls(context=post.context())
            unfinished.pop_all()
    return server
