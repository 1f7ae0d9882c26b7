"""A local Bot API server: real HTTP, the real protocol, and faults on demand.

It keeps what a bot sent and lets people write to it. Source: https://core.telegram.org/bots/api
"""

import email.parser
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

TOKEN = "123456789:AAEhBP0av28FrFhYp3nGz5UoQXn_fake_token"
BOT_NAME = "plan2_test_bot"
WAIT_S = 60.0
LOOK_AGAIN_S = 0.02
TAGS = frozenset({"b", "i", "code", "pre"})
MARKS = re.compile(r"</?(?:b|i|code|pre)>")
Fields = dict[str, Any]


class Fault:
    """What a call meets in place of its answer: an HTTP status, a hang, or a closed connection."""

    def __init__(
        self, status: int = 0, *, retry_after: int = 0, hang_s: float = 0.0, is_closed: bool = False
    ) -> None:
        self.status, self.retry_after = status, retry_after
        self.hang_s, self.is_closed = hang_s, is_closed


class TelegramServer:
    """The server; use as a context manager.

    Attributes:
        calls: (method, fields) of every call that was let in.
        sent: messages of the bot by id, as they stand now.
        faults: by method, what its next calls meet. put: how many updates people caused.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Fields]] = []
        self.sent: dict[int, Fields] = {}
        self.deleted: list[tuple[int, int]] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.webhook: Fields = {}
        self.put = 0
        self._updates: list[Fields] = []
        self._last_id = 100
        self._changed = threading.Condition()
        self._polling = 0
        self._server = _Server(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        """Its address, for `telegram.base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what people do ---------------------------------------------------------------------

    def says(
        self, chat_id: int, text: str, date: int, *, name: str = "Siti", group: int = 0
    ) -> int:
        """Somebody writes to the bot at a time (s), in private or in a group; the message's id."""
        chat: Fields = {"id": group or chat_id, "type": "group" if group else "private"}
        message = {
            "message_id": self._next_id(),
            "date": date,
            "chat": chat,
            "from": {"id": chat_id, "is_bot": False, "first_name": name},
            "text": text,
        }
        self._put({"message": message})
        return int(message["message_id"])

    def press(self, chat_id: int, data: str, message_id: int = 0) -> None:
        """Somebody touches a button under a message of the bot."""
        under = message_id or max(self.sent)
        message = {
            "message_id": under,
            "date": 1,
            "chat": {"id": chat_id, "type": "private"},
            "text": "…",
        }
        self._put(
            {
                "callback_query": {
                    "id": f"press-{self._next_id()}",
                    "from": {"id": chat_id, "is_bot": False, "first_name": "Siti"},
                    "chat_instance": "1",
                    "message": message,
                    "data": data,
                }
            }
        )

    def fail(self, method: str, *faults: Fault) -> None:
        """Let the next calls of a method meet these."""
        self.faults[method] = deque(faults)

    def wait(self, until: Callable[[], object], what: str = "") -> None:
        """Return once something is true of the server or the bot; blocks its thread.

        What the bot changes in itself wakes nobody here, so it is looked at again after a while.
        """
        deadline = time.monotonic() + WAIT_S
        with self._changed:
            while not until():
                assert time.monotonic() < deadline, what or "the bot did not do it"
                self._changed.wait(LOOK_AGAIN_S)

    def heal(self, method: str) -> None:
        """Let no call of a method fail any more."""
        self.faults.pop(method, None)

    def texts(self, chat_id: int) -> list[str]:
        """What a chat shows of the bot, oldest first."""
        return [each["text"] for each in self.sent.values() if each["chat_id"] == chat_id]

    def buttons(self, message_id: int) -> dict[str, str]:
        """The buttons under a message: what is written on them, and their data."""
        markup = json.loads(self.sent[message_id].get("reply_markup") or "{}")
        rows = markup.get("inline_keyboard", [])
        return {button["text"]: button["callback_data"] for row in rows for button in row}

    def updates(self) -> list[Fields]:
        """What waits for the bot, as a webhook would bring it."""
        with self._changed:
            waiting, self._updates = self._updates, []
        return waiting

    # --- the server's side ------------------------------------------------------------------

    def answer(self, token: str, method: str, fields: Fields) -> tuple[int, Any]:
        """Status and result, or description, of a call."""
        if token != TOKEN:
            return 401, "Unauthorized"
        found = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "sendMessage": self._send_message,
            "sendPhoto": self._send_photo,
            "editMessageText": self._edit,
            "answerCallbackQuery": self._note,
            "setMyCommands": self._note,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._set_webhook,
            "deleteMessage": self._delete,
        }.get(method)
        if found is None:
            return 404, "Not Found"
        with self._changed:
            status, result = found(fields)
            self.calls.append((method, fields))
            self._changed.notify_all()
        return status, result

    def _get_me(self, _: Fields) -> tuple[int, Any]:
        return 200, {"id": 1, "is_bot": True, "first_name": "Plan2", "username": BOT_NAME}

    def _get_updates(self, fields: Fields) -> tuple[int, Any]:
        if self.webhook.get("url"):
            return 409, "Conflict: can't use getUpdates method while webhook is active"
        if self._polling:
            return 409, "Conflict: terminated by other getUpdates request"
        offset = int(fields.get("offset", 0))
        self._updates = [each for each in self._updates if each["update_id"] >= offset]
        self._polling += 1
        try:
            self._changed.wait_for(lambda: self._updates, float(fields.get("timeout", 0)))
        finally:
            self._polling -= 1
        return 200, list(self._updates)

    def _send_message(self, fields: Fields) -> tuple[int, Any]:
        problem = _fault_of(fields)
        if problem:
            return 400, problem
        return self._keep(fields)

    def _send_photo(self, fields: Fields) -> tuple[int, Any]:
        if not bytes(fields.get("photo", b"")).startswith(b"\x89PNG\r\n\x1a\n"):
            return 400, "Bad Request: IMAGE_PROCESS_FAILED"
        return self._keep({**fields, "text": "[photo]"})

    def _edit(self, fields: Fields) -> tuple[int, Any]:
        message_id = int(fields["message_id"])
        problem = _fault_of(fields)
        if message_id not in self.sent or problem:
            return 400, problem or "Bad Request: message to edit not found"
        if self.sent[message_id]["text"] == fields["text"]:
            return 400, "Bad Request: message is not modified"
        self.sent[message_id] = {**fields, "chat_id": int(fields["chat_id"])}
        return 200, self._message(message_id)

    def _delete(self, fields: Fields) -> tuple[int, Any]:
        self.deleted.append((int(fields["chat_id"]), int(fields["message_id"])))
        return 200, True

    def _note(self, _: Fields) -> tuple[int, Any]:
        return 200, True

    def _set_webhook(self, fields: Fields) -> tuple[int, Any]:
        self.webhook = fields
        return 200, True

    def _keep(self, fields: Fields) -> tuple[int, Any]:
        message_id = self._next_id()
        self.sent[message_id] = {**fields, "chat_id": int(fields["chat_id"])}
        return 200, self._message(message_id)

    def _message(self, message_id: int) -> Fields:
        chat_id = self.sent[message_id]["chat_id"]
        return {
            "message_id": message_id,
            "date": 1,
            "chat": {"id": chat_id, "type": "private"},
            "text": "x",
        }

    def _put(self, update: Fields) -> None:
        with self._changed:
            self._updates.append({"update_id": self._next_id(), **update})
            self.put += 1
            self._changed.notify_all()

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                """Answer one call of the Bot API."""
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                _, bot, method = self.path.split("/", 2)
                waiting = world.faults.get(method)
                fault = waiting.popleft() if waiting else Fault()
                if fault.is_closed:
                    self.connection.close()
                    self.close_connection = True
                    return
                if fault.hang_s:
                    threading.Event().wait(fault.hang_s)
                if fault.status:
                    self._reply(fault.status, "fault", fault.retry_after)
                    return
                fields = _fields(self.headers["content-type"] or "", body)
                self._reply(*world.answer(bot.removeprefix("bot"), method, fields))

            def _reply(self, status: int, result: Any, retry_after: int = 0) -> None:
                shown: Fields = {"ok": status == 200}
                if status == 200:
                    shown["result"] = result
                else:
                    shown |= {"error_code": status, "description": str(result)}
                    if retry_after:
                        shown["parameters"] = {"retry_after": retry_after}
                body = json.dumps(shown).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # the bot went away meanwhile

            do_POST = answer  # noqa: N815 - the library's name

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    """A connection that the bot closes is nothing to tell about."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


class Markup(HTMLParser):
    """Reads a message as Telegram does: known tags, closed in order; collects the plain text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.problem = "", ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag not in TAGS or attrs:
            self.problem = f'Unsupported start tag "{tag}"'
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        if not self._open or self._open.pop() != tag:
            self.problem = f'Unexpected end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        """Plain text."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """There are no comments."""
        self.problem = "Unsupported start tag"

    def handle_decl(self, decl: str) -> None:
        """There are no declarations."""
        self.problem = "Unsupported start tag"

    def finish(self) -> str:
        """The problem, "" when there is none."""
        self.close()
        return self.problem or (f'Can\'t find end tag "{self._open[-1]}"' if self._open else "")


def read_markup(html: str) -> Markup:
    """A message's text and its problem."""
    markup = Markup()
    markup.feed(html)
    markup.problem = markup.finish()
    if "<" in MARKS.sub("", html):
        markup.problem = "Unsupported start tag"
    return markup


def _fault_of(fields: Fields) -> str:
    """Why Telegram would refuse a message, "" when it would not."""
    text = str(fields.get("text", ""))
    if fields.get("parse_mode") == "HTML":
        markup = read_markup(text)
        if markup.problem:
            return f"Bad Request: can't parse entities: {markup.problem}"
        text = markup.text
    if not text.strip():
        return "Bad Request: message text is empty"
    if len(text.encode("utf-16-le")) // 2 > 4096:
        return "Bad Request: message is too long"
    return ""


def _fields(content_type: str, body: bytes) -> Fields:
    """The fields of a form, also one with files."""
    if content_type.startswith("multipart/"):
        head = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
        parts = email.parser.BytesParser().parsebytes(head + body).get_payload()
        found: Fields = {}
        for part in parts:
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            found[name] = value if part.get_filename() else value.decode()
        photo = str(found.get("photo", ""))
        if photo.startswith("attach://"):
            found["photo"] = found[photo.removeprefix("attach://")]
        return found
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}
