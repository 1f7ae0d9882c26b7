"""The one tree of exceptions; a business "no" is a value with a reason, never an exception.

Plan2Error
├── ConfigError          refuse to start: names the key, the value and what is allowed
├── InputError           a user's file or argument cannot be used; nothing of it was stored
├── Recoverable          the owner retries or degrades; trading may go on
│   ├── FeedStale
│   ├── TerminalUnavailable
│   └── StoreBusy
├── OutcomeUnknown       an order may or may not exist: never resent, always reconciled
├── VersionConflict      somebody else appended first
│   └── EventIdReused    an event id came again with other content
└── Unrecoverable        halt trading, keep reporting, stop in order
    ├── InvariantBroken
    ├── JournalLost
    └── ModelMismatch
"""


class Plan2Error(Exception):
    """Root of all our errors.

    Attributes:
        code: stable snake_case code for scripts and for HTTP problems.
        remedy: one sentence that says what to do; may be empty.
        exit_code: what the command line exits with.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigError(Plan2Error):
    """The configuration cannot be used; the message names key, value and allowed range."""

    code = "config_invalid"
    exit_code = 2


class InputError(Plan2Error):
    """A file or argument given by the user cannot be used; nothing of it was stored."""

    code = "input_invalid"
    exit_code = 3


class Recoverable(Plan2Error):
    """The owner retries or degrades; trading may go on."""

    code = "unavailable"
    exit_code = 4


class FeedStale(Recoverable):
    """No fresh tick within the allowed age."""

    code = "feed_stale"


class TerminalUnavailable(Recoverable):
    """An idempotent question to the terminal got no answer."""

    code = "terminal_unavailable"


class StoreBusy(Recoverable):
    """The database cannot take this write now; nothing was written."""

    code = "store_busy"


class OutcomeUnknown(Plan2Error):
    """An order may or may not exist at the broker: it is reconciled, never resent."""

    code = "outcome_unknown"
    exit_code = 5


class VersionConflict(Plan2Error):
    """A stream was appended to by somebody else since it was read."""

    code = "version_conflict"
    exit_code = 6


class EventIdReused(VersionConflict):
    """An event id that is in the store already came again with other content."""

    code = "event_id_reused"


class Unrecoverable(Plan2Error):
    """Trading halts, reporting goes on, the process stops in order."""

    code = "unrecoverable"
    exit_code = 7


class InvariantBroken(Unrecoverable):
    """Something that must always hold does not."""

    code = "invariant_broken"


class JournalLost(Unrecoverable):
    """The order journal cannot be written or read back."""

    code = "journal_lost"


class ModelMismatch(Unrecoverable):
    """A model does not belong to the features or the bytes it claims."""

    code = "model_mismatch"


def require(condition: bool, message: str) -> None:
    """Hold an invariant in production too.

    Raises:
        InvariantBroken: when `condition` is false; the message names the entity and what was found.
    """
    if not condition:
        raise InvariantBroken(message)
