"""First-party pages that work without the built app and without scripts: sign-in, docs, fallback.

Everything a caller or a file supplied is escaped; styles are inline, which the CSP allows.
"""

from html import escape
from typing import Final

import msgspec

from plan2.foundation.database.tenancy import MAIN_TENANT

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;
background:#101418;color:#e8eaed}a{color:#8ab4f8}code,pre{background:#1d232a;padding:.1em .3em}
pre{padding:.6em;overflow-x:auto;white-space:pre-wrap}table{border-collapse:collapse}
td,th{text-align:left;padding:.3em .8em .3em 0;vertical-align:top}
input,button{font:inherit;padding:.5em .8em;min-height:44px}
button.danger{background:#8f1414;color:#fff;border:1px solid #ff8a80}
"""


class FallbackState(msgspec.Struct, frozen=True, kw_only=True):
    """What the page without the app shows of a running system, and the kill form's secrets."""

    trading_state: str
    open_positions: int
    csrf: str
    command_key: str


def html_page(title: str, body: str) -> bytes:
    """A whole page; `body` is HTML, already escaped."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="/favicon.svg">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    ).encode()


def signin_page(message: str = "") -> bytes:
    """The forms that take a password or a printed token; `message` says why nobody came in."""
    note = f'<p role="alert"><strong>{escape(message)}</strong></p>' if message else ""
    return html_page(
        "Plan2: sign in",
        f'<h1>Sign in</h1>{note}<form method="post" action="/signin">'
        + _field("Tenant", "tenant", "organization", f'value="{escape(MAIN_TENANT)}" required')
        + _field("Name", "name", "username", "required")
        + _field("Password", "password", "current-password", 'type="password" required')
        + _field("Code, if you have a second factor", "code", "one-time-code", "")
        + "<p><button>Sign in</button></p></form>"
        "<h2>With a printed token</h2>"
        "<p>Open the address that <code>plan2 serve</code> printed, or paste its token. "
        "A token works once and for 15 minutes; every start prints a new one.</p>"
        '<form method="post" action="/signin"><label>Token '
        '<input name="token" type="password" required autocomplete="one-time-code" size="48">'
        "</label> <button>Sign in with the token</button></form>",
    )


def _field(label: str, name: str, autocomplete: str, more: str) -> str:
    return (
        f'<p><label>{label}<br><input name="{name}" autocomplete="{autocomplete}" {more} '
        'size="40"></label></p>'
    )


def fallback_page(reason: str, state: FallbackState | None) -> bytes:
    """The page when the app was not built: why, how to build it, and the kill switch."""
    inner = _kill_form(state) if state else '<p><a href="/signin">Sign in</a> to see more.</p>'
    return html_page(
        "Plan2",
        "<h1>Plan2 is running without its web app</h1>"
        f"<pre>{escape(reason)}</pre>"
        "<p>Build it with <code>PLAN2_UI=require pip install .</code> in the source folder, then "
        "restart. The API, the stream and the command line work without it: "
        '<a href="/api/docs">list of operations</a>.</p>' + inner,
    )


def killed_page(trading_state: str) -> bytes:
    """What the kill form answers."""
    return html_page(
        "Plan2: stopped",
        "<h1>Kill switch used</h1>"
        f"<p>Trading is now <strong>{escape(trading_state)}</strong>; working orders of Plan2 are "
        "being withdrawn and its positions closed. Where the market is closed, that is tried again "
        'when quotes return. <a href="/">Back</a></p>',
    )


def docs_page(title: str, operations: list[tuple[str, str, str]]) -> bytes:
    """All operations as method, path and summary."""
    rows = "".join(
        f"<tr><td><code>{escape(method)}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(summary)}</td></tr>"
        for method, path, summary in operations
    )
    return html_page(
        title,
        f"<h1>{escape(title)}</h1><p>Machine-readable: "
        '<a href="/api/openapi.json">/api/openapi.json</a>. Times are integer microseconds UTC, '
        "money is decimal strings, errors are <code>application/problem+json</code>.</p>"
        f"<table><thead><tr><th>Method</th><th>Path</th><th>What it does</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>",
    )


def _kill_form(state: FallbackState) -> str:
    return (
        f"<h2>State</h2><p>Trading is <strong>{escape(state.trading_state)}</strong>, "
        f"{state.open_positions} open positions.</p>"
        '<h2>Kill switch</h2><form method="post" action="/kill">'
        f'<input type="hidden" name="csrf" value="{escape(state.csrf)}">'
        f'<input type="hidden" name="key" value="{escape(state.command_key)}">'
        "<label>Type <code>KILL</code> to halt trading, withdraw Plan2's working orders and close "
        "its positions "
        '<input name="word" required pattern="KILL" autocomplete="off"></label> '
        '<button class="danger">Kill</button></form>'
    )
