"""The three roles of the database, and the check that ours is harmless.

`p2_owner` owns every object and cannot log in; `p2_app` reads and writes rows and nothing else;
`p2_admin_job` may cross tenants, for backups only. The service works as `p2_app`.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from plan2.foundation.database.cluster import SUPERUSER
from plan2.foundation.database.control import ensure_control
from plan2.foundation.database.server import Endpoint
from plan2.foundation.database.tenancy import (
    ADMIN_JOB_ROLE,
    APP_ROLE,
    DATABASE,
    OWNER_ROLE,
)
from plan2.foundation.errors import ConfigError, StoreBusy

DRIVER = "postgresql+psycopg"

SERVER_ROLES = (
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
)
FAULTS = (
    "a superuser",
    "exempt from row security (BYPASSRLS)",
    f"a member of {OWNER_ROLE}",
    "allowed to make roles (CREATEROLE)",
    "allowed to copy the whole cluster (REPLICATION)",
    "allowed to reach the files of the server",
    "the owner of tables of Plan2",
)
DANGERS = """
with may_be as (
    select oid, rolname, rolsuper, rolbypassrls, rolcreaterole, rolreplication from pg_roles
    where pg_has_role(current_user, oid, 'MEMBER') or pg_has_role(session_user, oid, 'MEMBER'))
select session_user, coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolbypassrls), false),
       coalesce(bool_or(rolname = %s), false), coalesce(bool_or(rolcreaterole), false),
       coalesce(bool_or(rolreplication), false), coalesce(bool_or(rolname = any(%s)), false),
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where (n.nspname = 'plan2' or n.nspname ~ '^t_') and c.relowner in
                     (select oid from may_be))
from may_be"""
"""One column per fault, in their order, for every role that the log-in is or can become."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the database is: as the application, and, if we may, as its administrator."""

    app: URL
    admin: URL | None


def embedded_access(endpoint: Endpoint) -> Access:
    """The addresses of our database in the embedded server."""

    def url(user: str, password: str) -> URL:
        return URL.create(
            DRIVER,
            username=user,
            password=password,
            database=DATABASE,
            query={"host": endpoint.host, "port": str(endpoint.port)},
        )

    return Access(url(APP_ROLE, endpoint.password_of(APP_ROLE)), url(SUPERUSER, endpoint.password))


def external_access(app_url: str, admin_url: str = "") -> Access:
    """The addresses of a server that somebody else runs.

    Raises:
        ConfigError: an address is not a PostgreSQL URL.
    """
    return Access(
        _parsed("database.url", app_url),
        _parsed("database.admin_url", admin_url) if admin_url else None,
    )


def connect(url: URL, *, autocommit: bool = False) -> psycopg.Connection:
    """A plain blocking connection, for preparations only.

    Raises:
        StoreBusy: nobody answers there, or the log-in is refused.
    """
    try:
        return psycopg.connect(libpq_url(url), autocommit=autocommit, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StoreBusy(
            f"The database at {url.render_as_string()} does not let us in: {str(error).strip()}",
            remedy="Check that it runs and that database.url is right.",
        ) from error


def libpq_url(url: URL) -> str:
    """The address as psycopg itself reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def prepare_database(access: Access) -> None:
    """Create database, roles and control schema, or bring them up to date, as the administrator.

    Raises:
        StoreBusy: the administrator cannot log in.
    """
    if access.admin is None:
        return
    if access.admin.username == SUPERUSER:
        with connect(access.admin.set(database="postgres"), autocommit=True) as connection:
            _create_database(connection)
    with connect(access.admin) as connection:
        _create_roles(connection, access.app)
        ensure_control(connection)


def check_role(access: Access) -> None:
    """Refuse to work as a role that could see more than one tenant's rows, by whatever path.

    Membership counts whether it is inherited or not, and so does the role of the log-in itself: a
    role that only has to say SET ROLE or RESET ROLE is as dangerous as one that need not.

    Raises:
        ConfigError: the role of `database.url` is, or can become, superuser, BYPASSRLS or owner,
            or may make roles, copy the cluster or reach the server's files.
    """
    with connect(access.app) as connection:
        row = connection.execute(DANGERS, [OWNER_ROLE, list(SERVER_ROLES)]).fetchone()
    if row is None:
        raise ConfigError("The database role could not be examined.")
    for is_so, fault in zip(row[1:], FAULTS, strict=True):
        if is_so:
            raise ConfigError(
                f"Plan2 must not work as database role {row[0]}: it is {fault}, so tenants would "
                "not be kept apart.",
                remedy=f"Put the role {APP_ROLE} into database.url; plan2 makes it when "
                "database.admin_url is set.",
            )


def _create_database(connection: psycopg.Connection) -> None:
    if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
        return
    connection.execute(
        sql.SQL("create database {} encoding 'UTF8' template template0").format(
            sql.Identifier(DATABASE)
        )
    )


def _create_roles(connection: psycopg.Connection, app: URL) -> None:
    have = {row[0] for row in connection.execute("select rolname from pg_roles")}
    is_super = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone() == (True,)
    if OWNER_ROLE not in have:
        connection.execute(f"create role {OWNER_ROLE} nologin nosuperuser nobypassrls")
    if not is_super:
        connection.execute(f"grant {OWNER_ROLE} to current_user")
    if APP_ROLE not in have:
        connection.execute(
            sql.SQL(
                "create role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}"
            ).format(sql.Identifier(APP_ROLE), sql.Literal(app.password or ""))
        )
    if ADMIN_JOB_ROLE not in have and is_super:
        connection.execute(f"create role {ADMIN_JOB_ROLE} nologin nosuperuser bypassrls")


def _parsed(key: str, text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(f"{key} is not a database URL.") from None
    if url.get_backend_name() != "postgresql":
        raise ConfigError(
            f"{key} names the database kind {url.get_backend_name()!r}; PostgreSQL is expected.",
            remedy="It should look like postgresql://p2_app:secret@host:5432/plan2.",
        )
    return url.set(drivername=DRIVER)
