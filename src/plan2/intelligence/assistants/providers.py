"""How each provider is asked over HTTP; runs in a worker only.

OpenAI and DeepSeek speak "chat completions", Google "generateContent" (Gemini). Both are asked for
a JSON object, without tools. Redirects are not followed; answers are bounded in bytes and time.
"""

import json
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.secret import Secret
from plan2.intelligence.assistants.errand import Attempt, Ending, ProviderPlan, Question

ANSWER_MAX_BYTES: Final = 1 << 20
NOT_TAKEN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""HTTP states of a provider that is busy or broken itself."""


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Message(msgspec.Struct, frozen=True):
    content: str


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Chat(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    usage: _Usage = _Usage()


class _Part(msgspec.Struct, frozen=True):
    text: str = ""


class _Content(msgspec.Struct, frozen=True):
    parts: list[_Part]


class _Candidate(msgspec.Struct, frozen=True):
    content: _Content


class _Count(msgspec.Struct, frozen=True, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0


class _Gemini(msgspec.Struct, frozen=True, rename="camel"):
    candidates: list[_Candidate]
    usage_metadata: _Count = _Count()


Read = Callable[[bytes], tuple[str, int, int]]
"""Text, tokens in and tokens out of an answer's bytes."""


def ask_provider(
    client: httpx.Client, plan: ProviderPlan, key: Secret, question: Question, timeout_s: float
) -> Attempt:
    """Ask once; whatever happens is an attempt, never an exception."""
    started_ns = stopwatch_ns()
    url, headers, body, read = _request(plan, key, question)
    ending: Ending
    try:
        status, content = _sent(client, url, headers, body, timeout_s)
    except httpx.TimeoutException:
        return _attempt(plan, "silent", f"No answer within {timeout_s:.0f} s.", started_ns)
    except httpx.ConnectError:
        return _attempt(plan, "busy", "It cannot be reached.", started_ns)
    except httpx.HTTPError as error:
        return _attempt(plan, "broken", f"It broke off: {type(error).__name__}.", started_ns)
    if status != httpx.codes.OK:
        ending = "busy" if status in NOT_TAKEN else "refused"
        return _attempt(plan, ending, f"It answers {status}.", started_ns)
    try:
        text, tokens_in, tokens_out = read(content)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return _attempt(plan, "broken", "Its answer is not what its API promises.", started_ns)
    return msgspec.structs.replace(
        _attempt(plan, "answered", "", started_ns),
        text=text,
        tokens_in=max(tokens_in, 0),
        tokens_out=max(tokens_out, 0),
    )


def _sent(
    client: httpx.Client, url: str, headers: dict[str, str], body: bytes, timeout_s: float
) -> tuple[int, bytes]:
    """State and content of the answer, bounded in bytes and in time as a whole."""
    deadline_ns = stopwatch_ns() + int(timeout_s * 1e9)
    with client.stream("POST", url, headers=headers, content=body, timeout=timeout_s) as answer:
        content = bytearray()
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > ANSWER_MAX_BYTES:
                raise httpx.DecodingError("the answer is too long")
            if stopwatch_ns() > deadline_ns:
                raise httpx.ReadTimeout("the answer drips")
        return answer.status_code, bytes(content)


def _request(
    plan: ProviderPlan, key: Secret, question: Question
) -> tuple[str, dict[str, str], bytes, Read]:
    base = plan.url.rstrip("/")
    headers = {"Content-Type": "application/json"}
    if plan.name == "google":
        body: dict[str, Any] = {
            "systemInstruction": {"parts": [{"text": question.instructions}]},
            "contents": [{"role": "user", "parts": [{"text": question.data}]}],
            "generationConfig": {
                "maxOutputTokens": question.tokens,
                "temperature": 0,
                "responseMimeType": "application/json",
            },
        }
        headers["x-goog-api-key"] = key.reveal()
        url = f"{base}/v1beta/models/{plan.model}:generateContent"
        return url, headers, json.dumps(body).encode(), _read_gemini
    limit = "max_completion_tokens" if plan.name == "openai" else "max_tokens"
    body = {
        "model": plan.model,
        "messages": [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.data},
        ],
        "response_format": {"type": "json_object"},
        limit: question.tokens,
    }
    headers["Authorization"] = f"Bearer {key.reveal()}"
    return f"{base}/chat/completions", headers, json.dumps(body).encode(), _read_chat


def _read_chat(content: bytes) -> tuple[str, int, int]:
    chat = msgspec.json.decode(content, type=_Chat)
    usage = chat.usage
    return chat.choices[0].message.content, usage.prompt_tokens, usage.completion_tokens


def _read_gemini(content: bytes) -> tuple[str, int, int]:
    found = msgspec.json.decode(content, type=_Gemini)
    text = "".join(part.text for part in found.candidates[0].content.parts)
    count = found.usage_metadata
    return text, count.prompt_token_count, count.candidates_token_count + count.thoughts_token_count


def _attempt(plan: ProviderPlan, ending: Ending, reason: str, started_ns: int) -> Attempt:
    return Attempt(
        provider=plan.name,
        model=plan.model,
        ending=ending,
        reason=reason,
        seconds=(stopwatch_ns() - started_ns) / 1e9,
    )
