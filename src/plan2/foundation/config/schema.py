"""Every configuration key, its type, its default and its range; units are in the names.

Structs are frozen and refuse unknown keys. Defaults live here and nowhere else; `config.toml` in
the repository shows the same values with explanations, and a test holds the two together.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from plan2.foundation.config.schema_alerts import Alerts
from plan2.foundation.config.schema_assistants import Assistants
from plan2.foundation.config.schema_backtests import Backtests
from plan2.foundation.config.schema_flows import Flows
from plan2.foundation.config.schema_notify import Notify
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.config.schema_tenant_brokers import TenantBrokers
from plan2.foundation.config.section import (
    Count,
    EventMinutes,
    Fraction,
    Money,
    NonNegative,
    Port,
    PositiveFloat,
    PositiveFraction,
    PositiveInt,
    Section,
    TimeOfDay,
)


class Server(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the web page and the API listen."""

    host: str = "127.0.0.1"
    port: Port = 8420
    public_names: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    tls_min: Literal["1.3", "1.2"] = "1.3"
    session_hours: PositiveInt = 12
    body_max_bytes: PositiveInt = 1_048_576


class Data(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where everything that Plan2 keeps lies; empty = the user's data folder."""

    dir: str = ""


class Database(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PostgreSQL; an empty URL starts the embedded server.

    `admin_url` prepares an external server (roles, schemas) and may be removed afterwards;
    `run_as` is the user for an embedded server that is started by root.
    """

    url: str = ""
    admin_url: str = ""
    run_as: str = ""
    pool_size: PositiveInt = 6
    start_deadline_s: PositiveInt = 120
    statement_timeout_ms: PositiveInt = 15_000


class Market(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which symbols are watched and when a quote is too old to act on."""

    symbols: tuple[str, ...] = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
    stale_after_ms: PositiveInt = 60_000
    spike_sigmas: PositiveFloat = 20.0
    bar_period_s: PositiveInt = 60


class Simulated(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The simulated market and the paper broker."""

    seed: Count = 20_260
    speed: PositiveFloat = 10.0
    history_days: PositiveInt = 30
    strength: NonNegative = 1.0
    balance: Money = "10000.00"
    currency: Literal["USD"] = "USD"
    order_latency_ms: Count = 40
    leverage: PositiveFloat = 30.0


class Terminal(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which broker connection is traded on.

    `simulated` needs nothing; `mt5` runs the package of [mt5] in a child process on this machine;
    `remote` waits for `plan2 terminal` on another one. `account` is Plan2's name for the account.
    """

    kind: Literal["simulated", "mt5", "remote"] = "simulated"
    account: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "live"
    start_deadline_s: PositiveInt = 150


class Mt5(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """MetaTrader 5 on this machine; the password comes from PLAN2_MT5_PASSWORD or a file.

    Empty login, server or mode take what the terminal is signed in to at first and pin it.
    """

    package: str = "MetaTrader5"
    path: str = ""
    login: Count = 0
    server: str = ""
    mode: Literal["", "demo", "contest", "real"] = ""
    password_file: str = ""
    portable: bool = False
    connect_timeout_ms: PositiveInt = 60_000
    server_clock: str = "newyork+7"
    commission_per_lot: Money = "3.50"
    settle_s: PositiveFloat = 30.0
    symbol_names: dict[str, str] = field(default_factory=dict)


class Management(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done with open positions; `_r` is in multiples of the initial risk."""

    trailing_distance_r: NonNegative = 0.0
    trailing_step_r: PositiveFloat = 0.1
    break_even_after_r: NonNegative = 0.0
    stop_changes_every_s: PositiveFloat = 10.0
    unprotected_max_s: PositiveFloat = 5.0
    emergency_stop_fraction: Fraction = 0.01
    close_again_after_s: PositiveFloat = 2.0
    close_again_max_s: PositiveFloat = 60.0
    stop_answer_max_s: PositiveFloat = 10.0


FamilyName = Literal[
    "xgboost", "lightgbm", "random_forest", "logistic", "lstm", "cnn", "transformer"
]


class Models(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is forecast and by which families."""

    families: tuple[
        Literal["xgboost", "lightgbm", "random_forest", "logistic", "lstm", "cnn", "transformer"],
        ...,
    ] = ("xgboost", "lstm")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    horizon_minutes: PositiveInt = 120
    train_on_first_start: bool = True
    expiry_days: PositiveInt = 30
    suspend_days: PositiveInt = 45
    feature_set: str = ""


class Learning(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What follows from the outcomes of forecasts."""

    retrain: bool = True
    retrain_every_days: PositiveFloat = 7.0
    retrain_labels: NonNegative = 500.0
    retrain_pause_hours: PositiveFloat = 24.0
    refit_calibration: bool = True
    canaries_trade: bool = True
    skew_at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "02:20"


class Decision(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a forecast is worth acting on."""

    margin_fraction_of_cost: NonNegative = 0.0
    uncertainty_weight: NonNegative = 0.5
    record_reason_change_after_s: NonNegative = 120.0
    cooldown_s: NonNegative = 300.0
    explore_after_s: NonNegative = 14_400.0
    novelty_veto_percentile: Fraction = 0.99
    event_minutes_before: EventMinutes = 15.0
    event_minutes_after: EventMinutes = 15.0
    event_least_impact: Literal["low", "medium", "high"] = "high"


class Risk(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits that no order can pass; fractions are of equity."""

    positions_max: PositiveInt = 4
    positions_per_symbol_max: PositiveInt = 1
    exposure_max_fraction: PositiveFloat = 6.0
    order_value_max_fraction: PositiveFloat = 4.0
    daily_loss_max_fraction: Fraction = 0.03
    weekly_loss_max_fraction: Fraction = 0.06
    drawdown_max_fraction: Fraction = 0.10
    spread_max_fraction_of_stop: Fraction = 0.25
    tick_age_max_ms: PositiveInt = 30_000
    stop_distance_min_spreads: NonNegative = 2.0
    orders_per_minute_max: PositiveInt = 10
    duplicate_window_s: NonNegative = 5.0
    risk_per_trade_fraction: Fraction = 0.005
    volatility_target_fraction: PositiveFloat = 0.02
    expected_shortfall_max_fraction: PositiveFloat = 0.10
    stress_move_fraction: PositiveFraction = 0.02
    currency_exposure_max_fraction: PositiveFloat = 5.0
    symbols_permitted: tuple[str, ...] = ("*",)
    order_volume_max_lots: PositiveFloat = 20.0
    order_volume_max_lots_by_symbol: dict[str, PositiveFloat] = field(default_factory=dict)
    collar_max_fraction: Fraction = 0.01
    collar_max_points: PositiveFloat = 2_000.0
    collar_pending_max_fraction: Fraction = 0.05
    collar_window_s: PositiveInt = 60
    collar_window_max_fraction: Fraction = 0.05
    collar_reference_max_age_ms: PositiveInt = 30_000
    messages_per_second_max: PositiveInt = 20
    messages_per_minute_max: PositiveInt = 200
    executions_max: PositiveInt = 60
    executions_window_s: PositiveInt = 3_600
    warn_fractions: tuple[Fraction, ...] = (0.5, 0.8)


class Quota(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant may use; an operator may give single tenants more or less.

    Attributes:
        requests_per_second: REST requests, each class by its share; messages ten times as many.
        orders_per_minute: new and changed orders by people and programs.
        sockets: open WebSockets. connections: of the database, at once.
        storage_mb: database and files together.
        flows: flows that are not retired. jobs: trainings, backtests and exports
            that wait or run.
        users: people who are not blocked. keys: live API keys.
    """

    requests_per_second: PositiveInt = 200
    orders_per_minute: PositiveInt = 120
    sockets: PositiveInt = 50
    connections: PositiveInt = 3
    storage_mb: PositiveInt = 5_120
    flows: PositiveInt = 50
    jobs: PositiveInt = 5
    users: PositiveInt = 50
    keys: PositiveInt = 50


class Load(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on requests are slowed down, so that trading is not."""

    loop_lag_ms: PositiveFloat = 100.0
    decision_ms: PositiveFloat = 25.0


class Workers(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Child processes for long work; `timeout_s` and `memory_mb` (resident MiB) are for each."""

    slots: PositiveInt = 1
    timeout_s: PositiveInt = 14_400
    memory_mb: PositiveInt = 4_096


class Security(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules about people that a firm may want stricter than a single trader."""

    four_eyes: bool = False


class Secrets(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the root key lies that wraps every other key.

    `file`: in the data folder, sealed with PLAN2_KEY_PASSPHRASE when that is set; `keyring`: the
    operating system's; `vault`: Transit of Vault or OpenBao, token in PLAN2_VAULT_TOKEN or a file.
    """

    provider: Literal["file", "keyring", "vault"] = "file"
    remember_s: PositiveInt = 3_600
    vault_url: str = ""
    vault_mount: str = "transit"
    vault_key: str = "plan2"
    vault_namespace: str = ""
    vault_token_file: str = ""
    vault_ca_file: str = ""
    vault_timeout_ms: PositiveInt = 2_000


class Audit(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the log's head is noted down outside the database, and whose clock is believed."""

    second_folder: str = ""
    time_servers: tuple[str, ...] = ()


Lei = Annotated[str, Meta(pattern=r"^$|^[A-Z0-9]{20}$")]


class Records(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who reports, in records for a regulator; empty leaves these fields blank."""

    lei: Lei = ""
    broker_lei: Lei = ""


class Ui(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sees first; a tenant may set it for everybody, a person for themselves."""

    theme: Literal["system", "light", "dark"] = "system"
    language: Literal["en", "id"] = "en"
    quiet_from: TimeOfDay = ""
    quiet_until: TimeOfDay = ""
    time_zone: Annotated[str, Meta(max_length=64)] = ""


class Log(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logging to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration; each component receives only its own section."""

    server: Server = Server()
    data: Data = Data()
    database: Database = Database()
    market: Market = Market()
    simulated: Simulated = Simulated()
    terminal: Terminal = Terminal()
    mt5: Mt5 = Mt5()
    models: Models = Models()
    learning: Learning = Learning()
    decision: Decision = Decision()
    management: Management = Management()
    flows: Flows = Flows()
    risk: Risk = Risk()
    quota: Quota = Quota()
    load: Load = Load()
    workers: Workers = Workers()
    backtests: Backtests = Backtests()
    security: Security = Security()
    secrets: Secrets = Secrets()
    audit: Audit = Audit()
    records: Records = Records()
    ui: Ui = Ui()
    notify: Notify = Notify()
    telegram: Telegram = Telegram()
    alerts: Alerts = Alerts()
    assistants: Assistants = Assistants()
    tenant_brokers: TenantBrokers = TenantBrokers()
    log: Log = Log()
