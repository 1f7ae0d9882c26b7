"""The part of the data map that is about alerts."""

from typing import Final

from plan2.connectivity.identity.privacy_terms import CONTRACT, LAW, Fate, TableMap

TABLES: Final[tuple[TableMap, ...]] = (
    TableMap(
        table="alert_rule",
        subject="changed_by in (%(subject)s, %(actor)s)",
        personal=("changed_by", "changed_ns"),
        plain=("rule_id", "name", "rule", "memory"),
        category="actions of people",
        purpose="what somebody wants to be told, and who declared it",
        basis=LAW,
        retention="until the rule is removed; as an event as long as the log",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="alert",
        subject="acted_by in (%(subject)s, %(actor)s)",
        personal=("acted_by", "raised_ns"),
        plain=("alert_id", "rule_id", "state", "alert"),
        category="actions of people",
        purpose="what was raised, and who acknowledged it",
        basis=LAW,
        retention="the newest 5,000 of a tenant",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="alert_channel",
        subject="user_id = %(subject)s and way = 'email'",
        personal=("user_id", "name", "created_ns"),
        secret=("target", "secret"),
        plain=("way",),
        category="contact",
        purpose="telling a person by e-mail what they asked to be told",
        basis=CONTRACT,
        retention="until the channel is removed",
        fate=Fate.REMOVED,
    ),
)
