/**
 * The wire contract: stream frames, channel rows and REST answers.
 *
 * Mirrors the msgspec structs of `plan2.interface`; times are integer microseconds UTC (`*_us`),
 * money is a decimal string in account currency, prices are numbers in quote currency.
 */

import type { Json } from "./api";

export type { Json };

// ---- stream -------------------------------------------------------------------------------

export const SUBPROTOCOL = "plan2.v1";
export const PROTOCOL_VERSION = 1;

/** First element of every frame. */
export const Kind = {
  hello: 0,
  snapshot: 1,
  delta: 2,
  event: 3,
  heartbeat: 4,
  reply: 5,
  error: 6,
  resync: 7,
  bye: 8,
  clientHello: 64,
  subscribe: 65,
  unsubscribe: 66,
  ack: 67,
  ping: 68,
  rate: 69,
} as const;

/** `[kind, channel number, sequence, time in microseconds, body]`. */
export type Frame = readonly [kind: number, ch: number, seq: number, t_us: number, body: unknown];

export type RateClass = "live" | "normal" | "saver" | "background";

export type Hello = {
  protocol: number;
  epoch: string;
  ui_hash?: string;
  user?: string;
  tenant?: string;
};
export type SubscribeReply = { ch: number; channel: string; seq?: number };
export type ErrorBody = { code: string; detail: string };

export const CloseCode = {
  protocol: 4400,
  signedOut: 4401,
  forbidden: 4403,
  slow: 4408,
  version: 4409,
} as const;

/** Channels whose rows are keyed and replaced; all others are logs. */
export type StateChannelName =
  | "quotes"
  | "candle"
  | "forecast"
  | "positions"
  | "account"
  | "risk"
  | "feeds"
  | "health"
  | "broker"
  | "jobs"
  | "alerts";
export type LogChannelName = "decisions" | "orders" | "fills" | "events";

export type FeedState = "fresh" | "stale" | "closed" | "waiting";
export type TradingState = "armed" | "paused" | "reduce_only" | "halted";

export type AlertRow = readonly [
  alert_id: string,
  severity: string,
  state: string,
  title: string,
  words: string,
  raised_us: number,
];

export type JobRow = readonly [
  job_id: string,
  kind: string,
  state: string,
  fraction: number,
  message: string,
  asked_us: number,
  started_us: number,
];

export type QuoteRow = readonly [
  symbol: string,
  ts_us: number,
  bid: number,
  ask: number,
  spread_points: number,
  change_fraction: number | null,
  state: FeedState,
];
export type CandleRow = readonly [
  time_us: number,
  open: number,
  high: number,
  low: number,
  close: number,
  ticks: number,
];
export type ForecastRow = readonly [
  symbol: string,
  ts_us: number,
  p_up: number,
  disagreement: number,
  abstained: string | boolean,
  votes: readonly (readonly [family: string, calibrated: number, weight: number])[],
];
export type AccountRow = readonly [
  balance: string,
  equity: string,
  margin: string,
  day_pnl: string,
  drawdown: number,
  trading_state: TradingState,
];
export type PositionRow = readonly [
  position_id: string,
  symbol: string,
  direction: string,
  quantity: number,
  open_price: number,
  close_price: number | null,
  stop_loss: number,
  take_profit: number,
  opened_us: number,
  closed_us: number | null,
  profit: string,
  commission: string,
  swap: string,
  reason: string | null,
  decision_id: string,
  is_managed: boolean,
  expires_us: number,
  flow_id: string,
];

// ---- REST ---------------------------------------------------------------------------------

export type Problem = {
  title: string;
  status: number;
  detail?: string;
  code?: string;
  remedy?: string;
  request_id?: string;
  errors?: { field: string; source: string; message: string }[];
  rule?: string;
  value?: number | null;
  limit?: number | null;
};
export type Page<T> = { items: T[]; next_cursor: string | null };

export type Session = {
  user: string;
  user_id: string;
  role: string;
  tenant: string;
  is_operator: boolean;
  via: string;
  csrf: string;
  expires_us: number;
  proven_us: number;
  has_password: boolean;
  has_second_factor: boolean;
};

export type SystemInfo = {
  version: string;
  mode: "simulated" | "replay" | "live";
  simulated: boolean;
  market_us: number;
  speed: number;
  run_id: string;
  tenant_id: string;
  account_id: string;
  currency: string;
  ui_hash: string;
  started_us: number;
  trading_state: TradingState;
  symbols: string[];
  attribution: string[];
};

export type SymbolInfo = {
  symbol: string;
  description: string;
  base: string;
  quote: string;
  digits: number;
  point: number;
  contract_size: number;
  lot_units: number;
  volume_min: number;
  volume_step: number;
  volume_max: number;
  stops_level_points: number;
  quote_rate: number | null;
  bid: number | null;
  ask: number | null;
  spread_points: number | null;
  ts_us: number | null;
  state: FeedState;
};

export type Bars = {
  symbol: string;
  period_s: number;
  time_us: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  ticks: number[];
};
export type Indicators = {
  symbol: string;
  period_s: number;
  time_us: number[];
  values: Record<string, (number | null)[]>;
};

export type Vote = {
  model_id: string;
  family: string;
  raw: number;
  calibrated: number;
  weight: number;
  abstained: string;
};
export type Forecast = {
  symbol: string;
  ts_us: number;
  p_up: number;
  barrier: number;
  horizon_s: number;
  disagreement: number;
  standard_error: number;
  calibration_id: string;
  abstained: string;
  votes: Vote[];
};

export type Outcome = "traded" | "not_traded" | "denied";
export type DecisionItem = {
  decision_id: string;
  ts_us: number;
  symbol: string;
  outcome: Outcome;
  reason: string;
  sentence: string;
  side: string | null;
  p: number | null;
  ev: number | null;
  cost: number | null;
  quantity: number | null;
  order_id: string | null;
};

/** Records keep nanoseconds (`ts_ns`); the API may give `ts_us` beside them. */
export type RecordTime = { ts_ns?: number; ts_us?: number };
export type TickPart = RecordTime & { symbol: string; bid: number; ask: number; seq: number };
export type EdgePart = {
  side: number;
  p: number;
  p_lcb: number;
  spread: number;
  commission: number;
  cost: number;
  ev: number;
  ev_lcb: number;
  margin: number;
};
export type SizePart = { quantity: number; caps: Record<string, number>; binding: string };
export type Check = { rule: string; passed: boolean; value: number; limit: number };
export type DecisionRecord = RecordTime & {
  decision_id: string;
  tenant_id: string;
  account_id: string;
  symbol: string;
  outcome: Outcome;
  reason: string;
  sentence: string;
  tick: TickPart;
  features: { schema_id: string; values: (number | null)[]; sha256: string };
  feature_names: string[];
  forecast: (Omit<Forecast, "ts_us"> & RecordTime) | null;
  edge: EdgePart | null;
  size: SizePart | null;
  checks: Check[];
  risk_inputs: Record<string, number>;
  parameters: Record<string, number>;
  /** The economic event that stood in the way. */
  scheduled?: { at_us: number; currency: string; name: string; impact: string };
  order_id: string;
  config_hash: string;
  orders: OrderItem[];
  fills: FillItem[];
  position: PositionItem | null;
};

export type OrderItem = {
  order_id: string;
  decision_id: string;
  ts_us: number;
  symbol: string;
  side: string;
  kind: string;
  quantity: number;
  state: string;
  price: number | null;
  stop_loss: number | null;
  take_profit: number | null;
  filled_price: number | null;
  filled_quantity: number;
  reason: string | null;
  trigger: string;
  limit_price: number | null;
  expires_us: number;
  position_id: string;
  target_ticket: string;
  ticket: string;
  flow_id: string;
  decided_by: string;
  why: string;
};
export type FillItem = RecordTime & {
  fill_id: string;
  order_id: string;
  position_id: string;
  symbol: string;
  side: string;
  executed_price: number;
  executed_quantity: number;
  commission: string;
  swap: string;
  profit: string;
  reason: string;
  is_exit: boolean;
};
export type PositionItem = {
  position_id: string;
  symbol: string;
  direction: string;
  quantity: number;
  open_price: number;
  close_price: number | null;
  stop_loss: number;
  take_profit: number;
  opened_us: number;
  closed_us: number | null;
  profit: string;
  commission: string;
  swap: string;
  reason: string | null;
  decision_id: string;
  is_managed: boolean;
  expires_us: number;
  flow_id: string;
};

/** A pending order at the broker that Plan2 did not place. */
export type ForeignOrder = {
  ticket: string;
  symbol: string;
  side: string;
  trigger: string;
  quantity: number;
  price: number | null;
  limit_price: number | null;
  stop_loss: number | null;
  take_profit: number | null;
  expires_us: number;
  placed_us: number;
};
/** What only the broker tells; `missing` names our positions that it does not have. */
export type Broker = { account_id: string; foreign_orders: ForeignOrder[]; missing: string[] };

export type Equity = {
  time_us: number[];
  balance: (string | number)[];
  equity: (string | number)[];
};
export type RiskLimit = { rule: string; value: number; limit: number };
export type Account = {
  account_id: string;
  balance: string;
  equity: string;
  margin: string;
  day_pnl: string;
  drawdown: number;
  open_positions: number;
  trading_state: TradingState;
  limits: RiskLimit[];
};

export type ModelItem = {
  model_id: string;
  family: string;
  symbol: string;
  trained_us: number;
  sha256: string;
  metrics: Record<string, number | null>;
  status: string;
};
export type Manifest = { [key: string]: Json };

export type EventItem = {
  position: number;
  at_us: number;
  type: string;
  stream_id: string;
  actor: string;
  correlation_id: string;
  payload: { [key: string]: Json };
};

export type Component = {
  name: string;
  level: number | string;
  status: string;
  detail: string;
  since_us: number;
  metrics: Record<string, number | null>;
};
export type LatencyStage = {
  stage: string;
  count: number;
  p50_us: number;
  p95_us: number;
  p99_us: number;
  max_us: number;
  buckets: { le_us: number | null; count: number }[];
};
export type Health = {
  status: string;
  components: Component[];
  latency: LatencyStage[];
  loop_lag_ms_p99: number;
  ws_clients: number;
};

export type CommandName = "pause" | "resume" | "halt" | "reduce-only" | "kill";
export type CommandScope = "global" | "tenant" | "account" | "symbol" | "flow";
/** Without an account it is about every one; `target` names the symbol or flow of those scopes. */
export type CommandBody = {
  reason: string;
  scope: CommandScope;
  target: string;
  account_id: string;
  mode: string;
  closes_foreign: boolean;
};
export type CommandReply = { command_id: string; trading_state: TradingState };

export type SwitchItem = {
  scope: CommandScope;
  target: string;
  state: TradingState;
  actor: string;
  reason: string;
  at_us: number;
};
export type KillItem = {
  scope: CommandScope;
  target: string;
  actor: string;
  reason: string;
  begun_us: number;
  closes_foreign: boolean;
};
/** `holds` says why the account cannot be resumed yet; empty when it can. */
export type AccountSwitches = {
  account_id: string;
  trading_state: TradingState;
  mode: string;
  armed_mode: string;
  needs_mode: boolean;
  holds: string;
  switches: SwitchItem[];
  kills: KillItem[];
};
export type Trading = { accounts: AccountSwitches[] };

export type Trigger = "market" | "limit" | "stop" | "stop_limit";
/** A new order; prices in quote currency, 0 means none; `expires_us` 0 means never. */
export type OrderBody = {
  symbol: string;
  side: "buy" | "sell";
  quantity: number;
  reason: string;
  trigger?: Trigger;
  price?: number;
  limit_price?: number;
  stop_loss?: number;
  take_profit?: number;
  expires_us?: number;
  horizon_s?: number;
};
/** What is left out stays as it is. */
export type ChangeBody = {
  reason: string;
  price?: number;
  limit_price?: number;
  stop_loss?: number;
  take_profit?: number;
  expires_us?: number;
};
export type StopsBody = { reason: string; stop_loss?: number; take_profit?: number };
/** Without a quantity, the whole position. */
export type CloseBody = { reason: string; quantity?: number };
export type CloseByBody = { reason: string; opposite_id: string };
export type ClaimBody = { reason: string; horizon_s: number };
export type ReleaseBody = { reason: string };
export type OrderReceipt = { request_id: string; order_id: string; state: string };
