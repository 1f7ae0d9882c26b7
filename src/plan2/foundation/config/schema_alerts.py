"""Configuration of the ways on which alerts leave: the mail server, and where webhooks may go."""

from typing import Annotated, Literal

from msgspec import Meta

from plan2.foundation.config.section import Port, Section


class Alerts(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mail server and webhooks; the password comes from PLAN2_SMTP_PASSWORD or a file."""

    smtp_host: Annotated[str, Meta(max_length=253)] = ""
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: Annotated[str, Meta(max_length=254)] = ""
    smtp_password_file: str = ""
    smtp_from: Annotated[str, Meta(max_length=254)] = "plan2@localhost"
    private_networks: tuple[str, ...] = ()
