"""What events of Plan2 itself say: health, models, long work, people, starts and stops."""

from typing import Final

from plan2.foundation.events import jobs, learning, model, people, system
from plan2.interface.notify.said import INFO, WARNING, Context, Said

BAD_HEALTH: Final = frozenset({"down", "degraded"})


def health(event: system.ServiceHealthChanged, context: Context) -> Said | None:
    """A part of Plan2 failed or is well again."""
    say = context.say
    if event.status in BAD_HEALTH:
        grave = WARNING if event.status == "down" else INFO
        title = say("{part} is {status}", part=event.service_name, status=event.status)
    elif event.status == "ok":
        grave, title = INFO, say("{part} is well", part=event.service_name)
    else:
        return None
    key = f"health:{event.service_name}:{event.status}"
    detail = event.detail or say("No detail was given.")
    return Said("health", grave, title, detail, "/system", key)


def promoted(event: model.ModelPromoted, context: Context) -> Said:
    """A candidate serves now."""
    sentence = context.say("{candidate} serves {symbol}. {who}: {reason}", **_move(event, context))
    title = context.say("{symbol}: new champion", symbol=event.symbol)
    return Said("model", INFO, title, sentence, "/models")


def rolled_back(event: model.ModelRolledBack, context: Context) -> Said:
    """Earlier models serve again."""
    sentence = context.say(
        "{candidate} serves {symbol} again. {who}: {reason}", **_move(event, context)
    )
    title = context.say("{symbol}: models rolled back", symbol=event.symbol)
    return Said("model", WARNING, title, sentence, "/models")


def withdrawn(event: model.ModelWithdrawn, context: Context) -> Said:
    """Nobody serves a symbol any more."""
    sentence = context.say(
        "Nobody serves {symbol} any more. {who}: {reason}",
        symbol=event.symbol,
        who=context.who(event.by),
        reason=event.reason,
    )
    title = context.say("{symbol}: models withdrawn", symbol=event.symbol)
    return Said("model", WARNING, title, sentence, "/models")


def _move(event: model.ModelPromoted | model.ModelRolledBack, context: Context) -> dict[str, str]:
    return {
        "candidate": event.candidate_id,
        "symbol": event.symbol,
        "who": context.who(event.by),
        "reason": event.reason,
    }


def retraining(event: learning.RetrainingAsked, context: Context) -> Said:
    """A new candidate was asked for."""
    count = f"{event.labels_new:.0f}"
    sentence = context.say("{cause}, {count} new labels.", cause=event.cause, count=count)
    title = context.say("Retraining of {slot} asked for", slot=event.slot)
    return Said("retraining", INFO, title, sentence, "/learning")


def job(event: jobs.JobEnded, context: Context) -> Said:
    """Long work is over."""
    say = context.say
    took = f"{event.seconds / 60:.0f} min" if event.seconds >= 60 else f"{event.seconds:.0f} s"
    if event.state == "done":
        title = say("{kind} is done", kind=event.kind)
        return Said("job", INFO, title, say("It ended after {took}.", took=took), "/training")
    ended = say("It {state} after {took}.", state=event.state, took=took)
    grave = WARNING if event.state == "failed" else INFO
    title = f"{event.kind} {event.state}"
    return Said("job", grave, title, f"{ended} {event.message}".rstrip(), "/training")


def approval(event: people.ApprovalAsked, context: Context) -> Said:
    """A second person is needed."""
    who = context.who(event.proposed_by)
    sentence = context.say("{summary} Asked for by {who}.", summary=event.summary, who=who)
    title = context.say("A second person is needed")
    return Said("approval", WARNING, title, sentence, "/audit", f"approval:{event.approval_id}")


def signed_in(event: system.UserAuthenticated, context: Context) -> Said:
    """Somebody signed in as this person."""
    sentence = context.say(
        "If it was not you, end the session under Settings and change your password."
    )
    title = context.say("Somebody signed in as you")
    return Said("sign_in", WARNING, title, sentence, "/settings",
                f"session:{event.session_id}", event.user_id)  # fmt: skip


def credential(event: people.CredentialChanged, context: Context) -> Said | None:
    """A way to sign in was changed."""
    if event.change == "used":
        return None
    sentence = context.say(
        "{what}: {change}. If it was not you, tell your administrator.",
        what=event.credential,
        change=event.change,
    )
    key = f"credential:{event.credential}:{event.change}:{event.ts_ns}"
    title = context.say("A way to sign in as you was changed")
    return Said("sign_in", WARNING, title, sentence, "/settings", key, event.user_id)


def started(event: system.SystemStarted, context: Context) -> Said:
    """Plan2 started."""
    words = context.say("Version {version}, {mode}.", version=event.version, mode=event.mode)
    return Said("system", INFO, context.say("Plan2 started"), words, "/")


def stopped(event: system.SystemStopped, context: Context) -> Said:
    """Plan2 stopped."""
    words = context.say("Reason: {reason}.", reason=event.reason)
    return Said("system", INFO, context.say("Plan2 stopped"), words, "/")
