"""The part of the data map that is about nobody: tables without a person's data."""

from typing import Final

IMPERSONAL: Final[dict[str, tuple[str, ...]]] = {
    "schema_revision": ("version_num",),
    "log_head": ("hash",),
    "stream_head": ("stream_id",),
    "event": (
        "stream_id",
        "type",
        "actor",
        "correlation_id",
        "causation_id",
        "payload",
        "sealed",
        "key_id",
        "prev",
        "hash",
    ),
    "seen_event": (),
    "snapshot": ("stream_id", "state", "hash"),
    "checkpoint": ("projection", "code_fingerprint"),
    "parked_event": ("projection", "reason"),
    "decision_view": ("decision_id", "symbol", "outcome", "reason", "item"),
    "order_view": ("order_id", "decision_id", "item"),
    "fill_view": ("fill_id", "order_id", "position_id", "item"),
    "position_view": ("position_id", "decision_id", "item"),
    "equity_view": ("account_id",),
    "terminal_key": ("key_id", "secret_hash", "account_id", "label"),
    "signing_key": ("key_id", "sealed"),
    "tenant_key": ("key_id", "root_key", "wrapped"),
    "subject_key": ("subject", "key_id", "tenant_key", "wrapped"),
    "erased_subject": ("subject",),
    "key_rotation": ("rotation_id", "level", "old_key", "new_key", "started_by"),
    "archived_month": ("month", "last_hash", "frontier", "file_name", "file_sha256"),
    "candidate": (
        *("home", "candidate_id", "symbols", "model_ids", "schema_id", "state", "verdict"),
        *("flags", "parent"),
    ),
    "flow_step": ("from_state", "to_state"),
    "candidate_step": ("from_state", "to_state"),
    "assistant_use": ("day",),
    "tenant_broker": ("account_id", "mode", "sealed", "bound_by"),
    "news_shade": ("symbol", "source_id"),
    "legal_hold": ("hold_id", "reason", "placed_by", "lifted_by"),
}
"""Tables that say nothing about a person beyond the pseudonym, and their text columns."""
