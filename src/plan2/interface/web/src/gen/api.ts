/** Made from openapi.json by `npm run api`: what the REST API takes and answers. Not edited by hand. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type AcceptBody = { reason: string };
export type Accepted = { closed: string[] };
export type AccountInfo = {
  account_id: string;
  balance: string;
  day_pnl: string;
  drawdown: number;
  equity: string;
  limits: LimitItem[];
  margin: string;
  open_positions: number;
  trading_state: string;
};
export type AccountState = {
  account_id: string;
  balance: string;
  breaches: number;
  differences: number;
  equity: string;
  margin: string;
  orders: OrderItem[];
  peak_equity: string;
  positions: PositionItem[];
  recorded_us: number;
  trading_state: string;
};
export type AccountSwitchesItem = {
  account_id: string;
  armed_mode: string;
  holds: string;
  kills: KillItem[];
  mode: string;
  needs_mode: boolean;
  switches: SwitchItem[];
  trading_state: string;
};
export type AlertItem = {
  alert_id: string;
  by: string;
  changed_us: number;
  due_us: number;
  market_us: number;
  note: string;
  raised_us: number;
  rule: string;
  rule_id: string;
  severity: string;
  state: string;
  step: number;
  title: string;
  value: number | null;
  words: string;
};
export type AnswerBody = { reason?: string };
export type ApprovalItem = {
  approval_id: string;
  ask_reason: string;
  content_hash: string;
  decided_by: string;
  decided_us: number | null;
  expires_us: number;
  kind: string;
  may_decide: boolean;
  outcome: string;
  payload: Record<string, Json>;
  proposed_by: string;
  proposed_us: number;
  reason: string;
  state: string;
  summary: string;
  why_not: string;
};
export type ApprovalList = { items: ApprovalItem[] };
export type ApproveBody = { content_hash: string; reason?: string };
export type ArchivedSymbol = {
  bars: number;
  days: number;
  first_us: number;
  last_us: number;
  symbol: string;
  ticks: number;
};
export type AssistantsInfo = {
  cost_allowed: string;
  cost_used: string;
  has_consent: boolean;
  providers: AssistantsProviderItem[];
  shades: ShadeItem[];
  shades_entries: boolean;
  tokens_allowed: number;
  tokens_used: number;
};
export type AuditDetail = {
  event: AuditItem;
  personal: Record<string, string>;
  personal_state: string;
  prev_hash: string;
  proof: InclusionProof | null;
};
export type AuditItem = {
  actor: string;
  at_us: number;
  causation_id: string;
  correlation_id: string;
  event_id: string;
  has_personal: boolean;
  hash: string;
  payload: Record<string, Json>;
  position: number;
  stream_id: string;
  subject: string;
  type: string;
  version: number;
};
export type BacktestBody = {
  costs?: CostChange;
  flow: string;
  from_us?: number | null;
  parameters?: Record<string, number>;
  seed?: number | null;
  symbol?: string;
  to_us?: number | null;
};
export type BacktestDetail = {
  costs: Costs;
  denials: Record<string, number>;
  evidence: Evidence;
  falls: FallItem[];
  flow: Record<string, Json>;
  groups: Record<string, Group[]>;
  metrics: MetricItem[];
  months: Month[];
  not_simulated: string[];
  pictures: PictureItems;
  rejects: Record<string, number>;
  run: BacktestRow;
  simulated: string[];
};
export type BacktestList = { damaged: DamagedItem[]; items: BacktestRow[]; size: number };
export type BacktestRow = {
  bars: number;
  code_hash: string;
  currency: string;
  data_id: string;
  end_balance: number;
  engine: string;
  first_us: number;
  flow_digest: string;
  headlines: Record<string, number | null>;
  is_bars: boolean;
  last_us: number;
  log_digest: string;
  made_us: number;
  max_drawdown: number;
  name: string;
  orders: number;
  other_paths: Record<string, number>;
  parameters: Record<string, number>;
  period: string;
  run_id: string;
  seconds: number;
  seed: number;
  sentence: string;
  start_balance: number;
  symbol: string;
  ticks: number;
  trades: number;
  verdict: string;
};
export type BackupCodes = { backup_codes: string[] };
export type Bars = {
  close: number[];
  high: number[];
  low: number[];
  open: number[];
  period_s: number;
  symbol: string;
  ticks: number[];
  time_us: number[];
};
export type BeatReceipt = { name: string };
export type Bin = { count: number; forecast: number; observed: number };
export type BindBody = {
  login: string;
  mode: "demo" | "contest" | "real";
  name: string;
  reason: string;
  server: string;
};
export type BrokerAccount = {
  account_id: string;
  bound_by: string;
  bound_us: number;
  keys: BrokerKey[];
  login: string;
  mode: string;
  server: string;
};
export type BrokerBound = {
  approval_id: string;
  broker: BrokerView;
  outcome: "bound" | "proposed";
};
export type BrokerItem = {
  account_id: string;
  foreign_orders: ForeignOrderItem[];
  missing: string[];
};
export type BrokerKey = {
  created_us: number;
  key_id: string;
  label: string;
  revoked_us: number | null;
};
export type BrokerKeyBody = { label?: string };
export type BrokerKeyMade = { account_id: string; key_id: string; secret: string };
export type BrokerSymbol = {
  age_ms: number | null;
  ask: number | null;
  bid: number | null;
  gap_spreads: number | null;
  symbol: string;
  terms: string;
};
export type BrokerView = {
  account: BrokerAccount | null;
  detail: string;
  link: string;
  needs_second_person: boolean;
  orders: number;
  positions: number;
  state: "none" | "waiting" | "open" | "closing" | "failed";
  symbols: BrokerSymbol[];
  tenant_id: string;
  why_not: string;
};
export type BucketItem = { count: number; le_us: number };
export type Calibration = { intercept: Interval; slope: Interval };
export type CandidateCard = {
  candidate: CandidateItem;
  gates: GateItem[];
  history: MoveItem[];
  seats: SeatItem[];
};
export type CandidateItem = {
  age_days: number;
  candidate_id: string;
  challenger_of: string[];
  champion_of: string[];
  created_us: number;
  flags: string[];
  last_good_of: string[];
  leads_to: string[];
  metrics: Record<string, number | null>;
  model_ids: string[];
  parent: string;
  schema_id: string;
  since_us: number;
  state: string;
  symbols: string[];
  verdict: string;
};
export type CandidateReceipt = { approval_id: string; candidate: CandidateItem; outcome: string };
export type Chance = {
  blocks: Drawn;
  entries: EntryTest | null;
  fan: Fan;
  skip_share: number;
  skips: Drawn;
};
export type ChangeBody = {
  expires_us?: number | null;
  limit_price?: number | null;
  price?: number | null;
  reason: string;
  stop_loss?: number | null;
  take_profit?: number | null;
};
export type ChannelBody = { name: string; target: string; way: "email" | "webhook" };
export type ChannelItem = {
  created_us: number;
  detail: string;
  name: string;
  status: string;
  user_id: string;
  way: string;
};
export type ChannelList = { has_mail_server: boolean; has_telegram: boolean; items: ChannelItem[] };
export type ChannelMade = { name: string; secret: string; way: string };
export type ChatItem = {
  is_own: boolean;
  label: string;
  paired_us: number;
  pairing_id: string;
  user: string;
  user_id: string;
};
export type CheckItem = {
  limit: number | null;
  passed: boolean;
  rule: string;
  value: number | null;
};
export type CheckReport = {
  bars: number;
  columns: ColumnReport[];
  findings: FeaturesSetCheckFinding[];
  schema_id: string;
  symbol: string;
  ticks: number;
};
export type Checkpoint = {
  at_us: number;
  head_hash: string;
  previous: string;
  root_hash: string;
  signature: string;
  size: number;
  tenant: string;
};
export type CheckpointList = {
  detail: string;
  items: Checkpoint[];
  public_key: string;
  state: string;
  statement: string;
};
export type ClaimBody = { horizon_s?: number; reason: string };
export type ClockReport = {
  is_compliant: boolean;
  measured_us: number;
  offset_us: number | null;
  source: string;
  state: ClockState;
};
export type ClockState = "synchronised" | "drifting" | "off" | "unknown";
export type CloseBody = { quantity?: number | null; reason: string };
export type CloseByBody = { opposite_id: string; reason: string };
export type CodeBody = { code: string };
export type ColumnReport = {
  high: number | null;
  low: number | null;
  name: string;
  settles_after_bars: number | null;
  undefined_share: number;
  unit: string;
  warmup_bars: number;
};
export type CommandBody = {
  account_id?: string;
  closes_foreign?: boolean;
  mode?: string;
  reason?: string;
  scope?: IntelligenceRiskSwitchScope;
  target?: string;
};
export type CommandReceipt = { command_id: string; trading_state: string };
export type ComparedItem = { best: number[]; definition: Definition; values: (number | null)[] };
export type ComponentItem = {
  detail: string;
  level: number;
  metrics: Record<string, number | null>;
  name: string;
  since_us: number;
  status: string;
};
export type ConditionItem = { is_met: boolean; name: string; sentence: string };
export type ConsentBody = { version: number };
export type ConsentFactItem = {
  actor: string;
  at_us: number;
  is_given: boolean;
  purpose: string;
  version: number;
};
export type ConsentItem = {
  changed_us: number;
  given_version: number;
  is_given: boolean;
  purpose: string;
  text: string;
  title: string;
  version: number;
};
export type ConsentList = { history: ConsentFactItem[]; items: ConsentItem[] };
export type ContestItem = {
  candidate_id: string;
  challenger_r: number;
  champion_ids: string[];
  champion_r: number;
  days: number;
  e_value: number | null;
  history_e: (number | null)[];
  history_us: number[];
  is_better: boolean;
  is_worse: boolean;
  labels_effective: number;
  mean_difference: number;
  pairs: number;
  proof_at: number;
  refused: string;
  state: string;
};
export type CorrelationItem = {
  first: string;
  high: number | null;
  hours: number;
  low: number | null;
  second: string;
  value: number | null;
};
export type CostChange = {
  commission_per_lot?: string | null;
  latency_ms?: number | null;
  partial_fraction?: number | null;
  reject_fraction?: number | null;
  slippage_points?: number | null;
  swap?: boolean | null;
};
export type Costs = {
  before: number;
  commission: number;
  net: number;
  slippage: number;
  spread: number;
  swap: number;
};
export type CurrencyExposure = { currency: string; fraction: number | null; net: number | null };
export type CurveItem = { time_us: number[]; values: number[] };
export type DamagedItem = { reason: string; run_id: string };
export type DataMap = { items: MapItem[] };
export type DecisionItem = {
  cost: number | null;
  decision_id: string;
  ev: number | null;
  order_id: string | null;
  outcome: string;
  p: number | null;
  quantity: number | null;
  reason: string;
  sentence: string;
  side: string | null;
  symbol: string;
  ts_us: number;
};
export type Definition = {
  better: "more" | "less" | "";
  formula: string;
  label: string;
  name: string;
  unit: "fraction" | "money" | "ratio" | "days" | "count" | "lots" | "probability";
};
export type DetectionItem = {
  at_us: number;
  check: "look_ahead" | "warm_up";
  compared: number;
  first_us: number;
  ok: boolean | null;
  says: string;
};
export type DetectorItem = {
  detector: string;
  events: number;
  is_on: boolean;
  is_second_opinion: boolean;
  limit: number | null;
  signal: string;
  statistic: number | null;
};
export type DifferenceItem = {
  cause: string;
  detail: string;
  live_net: string | null;
  opened_us: number;
  replay_net: string | null;
};
export type Drawn = { drawdown: Quantiles; losing: number; net: Quantiles };
export type Ended = { ended: number };
export type EntryTest = {
  actual: number;
  p_value: number;
  random: Quantiles;
  repetitions: number;
  trades: number;
};
export type EquityCurve = { balance: string[]; equity: string[]; time_us: number[] };
export type EquityLine = { balance: number[]; equity: number[]; lots: number[]; time_us: number[] };
export type EraseBody = { confirm: string; reason: string };
export type ErasureReport = {
  erased_us: number;
  kept: Kept[];
  key_destroyed: boolean;
  pseudonymised: Touched[];
  removed: Touched[];
  subject_id: string;
};
export type Escalation = { after_minutes: number; to: (Recipient | Json)[] };
export type EventItem = {
  actor: string;
  at_us: number;
  correlation_id: string;
  payload: Record<string, Json>;
  position: number;
  stream_id: string;
  type: string;
};
export type Evidence = {
  daily_sharpe: number | null;
  days: number;
  flags: string[];
  sentence: string;
  trades: number;
  trials: number;
  verdict: string;
};
export type Excursion = { mae: number; mfe: number; net: number; trade: number };
export type ExportFile = { file: string; made_us: number; size_bytes: number };
export type FactorBegun = {
  expires_us: number;
  qr_data_uri: string;
  qr_svg: string;
  secret: string;
  uri: string;
};
export type FactorInfo = {
  backup_codes_left: number;
  is_enrolled: boolean;
  is_required: boolean;
  must_enrol: boolean;
  since_us: number | null;
};
export type Failure = { code: string; message: string; remedy: string; type: "Failure" };
export type FallItem = { bottom_us: number; depth: number; end_us: number; start_us: number };
export type Fan = {
  actual: number[];
  actual_drawdown: number;
  at: number[];
  bands: number[][];
  drawdown: Quantiles;
};
export type FeatureBook = {
  bar_period_s: number;
  catalogue: FeatureEntry[];
  checked: CheckReport | null;
  in_use: FeatureEntry[];
  ready_after_bars: number;
  schema_id: string;
  set_name: string;
  set_version: number;
};
export type FeatureEntry = {
  formula: string;
  group: string;
  high: number | null;
  low: number | null;
  meaning: string;
  name: string;
  unit: string;
  waits: boolean;
  warmup_bars: number;
};
export type FeatureValues = {
  names: string[];
  ready: boolean;
  schema_id: string;
  symbol: string;
  ts_us: number;
  units: string[];
  values: (number | null)[];
};
export type Figure = {
  high: number | null;
  low: number | null;
  reason: string;
  value: number | null;
};
export type FlagBody = { is_on: boolean | null; reason?: string };
export type FlagItem = {
  default: boolean;
  doc: string;
  flag: string;
  is_on: boolean;
  levels: FlagLevel[];
  may_change: string[];
  origin: string;
  scopes: string[];
  used_by: string;
};
export type FlagLevel = { is_on: boolean; scope: string };
export type FlagsList = { items: FlagItem[] };
export type FlowBody = { flow: string };
export type FlowCard = {
  flow: FlowItem;
  gates: FlowGateItem[];
  history: FlowMoveItem[];
  text: string;
  versions: FlowItem[];
};
export type FlowConditionItem = {
  is_met: boolean;
  may_be_passed: boolean;
  name: string;
  sentence: string;
};
export type FlowDiff = { after: number; before: number; lines: string[]; name: string };
export type FlowGateItem = { conditions: FlowConditionItem[]; is_open: boolean; state: string };
export type FlowItem = {
  account_id: string;
  by: string;
  created_us: number;
  decided_us: number | null;
  description: string;
  digest: string;
  floating: string | null;
  leads_to: string[];
  name: string;
  newest: number;
  positions: string[];
  realised: string | null;
  sentence: string;
  since_us: number;
  state: string;
  symbol: string;
  trades: number | null;
  trouble: string;
  version: number;
};
export type FlowMoveBody = { account_id?: string; reason: string; to: FlowState; version: number };
export type FlowMoveItem = {
  account_id: string;
  at_us: number;
  by: string;
  evidence: string[];
  from_state: string;
  is_override: boolean;
  reason: string;
  to_state: string;
  version: number;
};
export type FlowOutline = {
  description: string;
  execution: Record<string, Json>;
  name: string;
  parameters: Record<string, number>;
  period: string;
  problem: string;
  symbol: string;
};
export type FlowReceipt = { approval_id: string; flow: FlowItem; outcome: string };
export type FlowState = "draft" | "backtested" | "paper" | "live" | "paused" | "retired";
export type FlowText = { text: string };
export type FlowVerdict = { is_usable: boolean; line: number; message: string; remedy: string };
export type FoldItem = {
  inside: number | null;
  max_drawdown: number;
  net: number;
  outside: number | null;
  point: Record<string, number> | null;
  test_end_us: number;
  test_start_us: number;
  trades: number;
  train_start_us: number;
};
export type ForecastItem = {
  abstained: string;
  barrier: number;
  calibration_id: string;
  disagreement: number;
  horizon_s: number;
  p_up: number;
  standard_error: number;
  symbol: string;
  ts_us: number;
  votes: VoteItem[];
};
export type ForeignOrderItem = {
  expires_us: number;
  limit_price: number | null;
  placed_us: number;
  price: number | null;
  quantity: number;
  side: string;
  stop_loss: number | null;
  symbol: string;
  take_profit: number | null;
  ticket: string;
  trigger: string;
};
export type GateItem = { conditions: ConditionItem[]; is_open: boolean; state: string };
export type Generated = {
  is_generated: boolean;
  model: string;
  provider: string;
  refused: string;
  text: string;
};
export type Group = {
  average: number;
  name: string;
  net: number;
  profit_factor: number | null;
  trades: number;
  wins: number;
};
export type HealthInfo = {
  components: ComponentItem[];
  latency: StageItem[];
  loop_lag_ms_p99: number;
  status: string;
  ws_clients: number;
};
export type HeatMap = {
  cells: (number | null)[][];
  x: string;
  xs: number[];
  y: string;
  ys: number[];
};
export type Histogram = { counts: number[]; edges: number[] };
export type Hours = {
  days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" | Json)[];
  end?: string;
  start?: string;
  zone?: string;
};
export type InclusionProof = {
  head_hash: string;
  leaf_hash: string;
  path: string[];
  previous: string;
  root_hash: string;
  signature: string;
  signed_us: number;
  size: number;
  tenant: string;
};
export type IndicatorValues = {
  period_s: number;
  symbol: string;
  time_us: number[];
  values: Record<string, (number | null)[]>;
};
export type Interval = { high: number; low: number; value: number };
export type InvitationItem = {
  expires_us: number | null;
  link: string;
  name: string;
  purpose: string;
  role: string;
  token: string;
  user_id: string;
};
export type InviteBody = { name: string; role: Role };
export type JobDetail = {
  asked_by: string;
  asked_us: number;
  ended_us: number;
  failure: Failure | null;
  fraction: number;
  job_id: string;
  kind: string;
  message: string;
  parameters: Record<string, Json>;
  result: Record<string, Json> | null;
  started_us: number;
  state: string;
  verdict: string;
};
export type JobItem = {
  asked_by: string;
  asked_us: number;
  ended_us: number;
  failure: Failure | null;
  fraction: number;
  job_id: string;
  kind: string;
  message: string;
  parameters: Record<string, Json>;
  started_us: number;
  state: string;
  verdict: string;
};
export type JobList = { items: JobItem[] };
export type JobLogItem = { dropped: number; lines: string[] };
export type JobStatus = "waiting" | "running" | "done" | "failed" | "cancelled" | "interrupted";
export type JoinBody = { name?: string; password: string; token: string };
export type JoinedItem = { name: string; tenant: string; user_id: string };
export type JudgedRun = {
  gross: number;
  log_digest: string;
  max_drawdown: number;
  net: number;
  point: Record<string, number>;
  start_balance: number;
  trades: number;
};
export type Kept = { basis: string; until: string; what: string };
export type KeyBody = {
  days?: number;
  label: string;
  networks?: string[];
  scopes: ConnectivityIdentityRightsScope[];
  user_id?: string;
};
export type KeyItem = {
  created_us: number;
  expires_us: number;
  key_id: string;
  label: string;
  last_used_us: number | null;
  networks: string[];
  prefix: string;
  revoked_us: number | null;
  scopes: string[];
  state: string;
  user: string;
  user_id: string;
  why: string;
};
export type KeyList = { items: KeyItem[] };
export type KeyMade = { item: KeyItem; key: string };
export type KeysInfo = {
  people: number;
  provider: SecretsProviderItem | null;
  provider_detail: string;
  provider_state: "ok" | "degraded" | "down";
  rotations: RotationItem[];
  tenant_keys: TenantKeyItem[];
};
export type KillItem = {
  actor: string;
  begun_us: number;
  closes_foreign: boolean;
  reason: string;
  scope: string;
  target: string;
};
export type KindItem = { kind: string; loudness: string; title: string };
export type Learning = {
  contests: ContestItem[];
  is_watching_only: boolean;
  labels_new: number;
  market_us: number;
  retraining: string;
  skew_mismatches: number;
  symbols: SymbolLearning[];
  unmatched_share: number | null;
};
export type LevelItem = {
  changed_by: string;
  changed_us: number;
  is_ignored: boolean;
  is_locked: boolean;
  reason: string;
  scope: string;
  value: boolean | number | string | (number | string)[] | Record<string, number | string> | null;
};
export type LimitItem = { limit: number; rule: string; value: number };
export type LimitUse = {
  effect: string;
  limit: number;
  resets_us: number | null;
  rule: string;
  setting: string;
  soft: number[];
  unit: string;
  used: number | null;
  window_s: number;
};
export type LoadState = {
  factors: Record<string, number>;
  level: string;
  score: number;
  since_us: number;
};
export type MapItem = {
  category: string;
  legal_basis: string;
  on_erasure: string;
  place: string;
  purpose: string;
  retention: string;
};
export type MetricItem = { definition: Definition; figure: Figure; section: string };
export type ModelItem = {
  family: string;
  metrics: Record<string, number | null>;
  model_id: string;
  sha256: string;
  status: string;
  symbol: string;
  trained_us: number;
};
export type Month = { earned: number; month: number; net: number; trades: number; year: number };
export type MoveBody = { reason: string; to: IntelligenceModelsLifecycleState };
export type MoveItem = {
  at_us: number;
  by: string;
  evidence: string[];
  from_state: string;
  is_override: boolean;
  reason: string;
  to_state: string;
};
export type NeighbourItem = {
  distance: number;
  net_r_long: number;
  net_r_short: number;
  ts_us: number;
};
export type NewTenant = { administrator: string; name: string; reason?: string; tenant_id: string };
export type NewsBody = { source_id: string; symbol: string; text: string };
export type NewsItem = {
  factor: number;
  is_applied: boolean;
  model: string;
  provider: string;
  refused: string;
  score: number | null;
  tags: string[];
  until_us: number;
};
export type OrderBody = {
  expires_us?: number;
  horizon_s?: number;
  limit_price?: number;
  price?: number;
  quantity: number;
  reason: string;
  side: "buy" | "sell";
  stop_loss?: number;
  symbol: string;
  take_profit?: number;
  trigger?: Trigger;
};
export type OrderItem = {
  decided_by: string;
  decision_id: string;
  expires_us: number;
  filled_price: number | null;
  filled_quantity: number;
  flow_id: string;
  kind: string;
  limit_price: number | null;
  order_id: string;
  position_id: string;
  price: number | null;
  quantity: number;
  reason: string | null;
  side: string;
  state: string;
  stop_loss: number | null;
  symbol: string;
  take_profit: number | null;
  target_ticket: string;
  ticket: string;
  trigger: string;
  ts_us: number;
  why: string;
};
export type OrderPage = { items: OrderRow[]; offset: number; total: number };
export type OrderPreview = { checks: CheckItem[]; passes: boolean };
export type OrderReceipt = { order_id: string; request_id: string; state: string };
export type OrderRecord = {
  account_id: string;
  algorithm_version: string;
  broker_order_id: string;
  calibration_id: string;
  client_id: string;
  client_order_id: string;
  clock_offset_us: number | null;
  clock_state: string;
  confidence: number | null;
  config_hash: string;
  correlation_id: string;
  decision_id: string;
  displayed_quantity: number;
  event_hash: string;
  event_time: string;
  event_type: string;
  execution_within_firm: string;
  features_as_of: string;
  features_hash: string;
  human_override: string;
  initial_quantity: number;
  instrument: string;
  investment_decision: string;
  is_clock_compliant: boolean;
  is_direct_electronic_access: boolean;
  is_liquidity_provision: boolean;
  is_self_execution_prevention: boolean;
  isin: string;
  limit_price: number | null;
  member_id: string;
  minimum_quantity: number | null;
  model_ids: string;
  models_hash: string;
  non_executing_broker: string;
  order_book: string;
  order_class: string;
  order_id: string;
  order_type: string;
  passive_or_aggressive: string;
  position_id: string;
  prediction: number | null;
  price_currency: string;
  price_notation: string;
  quantity_notation: string;
  reason: string;
  receipt_time: string;
  recorded_time: string;
  remaining_quantity: number;
  restriction: string;
  risk_checks: string;
  routing_strategy: string;
  rule_set_hash: string;
  sequence_number: number;
  side: string;
  status: string;
  stop_loss: number | null;
  stop_price: number | null;
  strategy_link_id: string;
  take_profit: number | null;
  trade_id: string;
  traded_quantity: number;
  trading_capacity: string;
  trading_phase: string;
  transaction_price: number | null;
  validity: string;
  validity_end: string;
  venue_mic: string;
};
export type OrderRow = {
  code: number;
  filled_lots: number;
  filled_us: number;
  kind: string;
  lots: number;
  order: number;
  price: number;
  reason: string;
  side: number;
  ts_us: number;
};
export type OutcomeForecast = {
  abstained: string;
  candidate_id: string;
  net_r: number | null;
  p_up: number;
  role: string;
  side: number;
};
export type OutcomeItem = {
  cost_r: number;
  forecasts: OutcomeForecast[];
  is_independent: boolean;
  net_r_long: number;
  net_r_short: number;
  position: number;
  reason: string;
  resolved_us: number;
  sample_id: string;
  sampled_us: number;
  side: number;
  status: string;
  symbol: string;
};
export type PageAlertAlertItem = { items: AlertItem[]; next_cursor: string | null };
export type PageAuditItem = { items: AuditItem[]; next_cursor: string | null };
export type PageLearningOutcomeItem = { items: OutcomeItem[]; next_cursor: string | null };
export type PageDecisionItem = { items: DecisionItem[]; next_cursor: string | null };
export type PageEventItem = { items: EventItem[]; next_cursor: string | null };
export type PageOrderOrderItem = { items: OrderItem[]; next_cursor: string | null };
export type PageOrderPositionItem = { items: PositionItem[]; next_cursor: string | null };
export type PairingBody = { user_id?: string };
export type PairingCode = {
  code: string;
  expires_us: number;
  link: string;
  qr_data_uri: string;
  qr_svg: string;
};
export type PasswordBody = { new: string; old: string };
export type PastState = { accounts: AccountState[]; at_us: number; position: number };
export type PeopleList = { items: PersonItem[] };
export type PersonItem = { name: string; role: string; user_id: string };
export type PictureItems = {
  daily_returns: Histogram;
  drawdown: CurveItem;
  equity: CurveItem;
  excursions: Excursion[];
  lots: CurveItem;
  rolling_sharpe: CurveItem;
  rolling_volatility: CurveItem;
  trade_results: Histogram;
};
export type PositionItem = {
  close_price: number | null;
  closed_us: number | null;
  commission: string;
  decision_id: string;
  direction: string;
  expires_us: number;
  flow_id: string;
  is_managed: boolean;
  open_price: number;
  opened_us: number;
  position_id: string;
  profit: string;
  quantity: number;
  reason: string | null;
  stop_loss: number;
  swap: string;
  symbol: string;
  take_profit: number;
};
export type ProofBody = { code?: string; password?: string };
export type ProposeBody = {
  kind: string;
  payload: Record<
    string,
    boolean | number | string | (number | string)[] | Record<string, number | string> | null
  >;
  reason: string;
};
export type Quantiles = { p05: number; p25: number; p50: number; p75: number; p95: number };
export type QuotaUse = {
  limit: number;
  quota: string;
  refused: number;
  refused_last_us: number;
  unit: string;
  used: number | null;
};
export type Quotas = { load: LoadState; quotas: QuotaUse[]; tenant_id: string };
export type ReasonBody = { reason?: string };
export type Recipient = { to?: string; way?: "web" | "telegram" | "email" | "webhook" };
export type RefreshBody = { refresh_token: string };
export type ReleaseBody = { reason: string };
export type ReplayResult = { differences: string[]; identical: boolean };
export type ReportRow = {
  events: number;
  families: string[];
  first_us: number;
  flags: string[];
  horizon_s: number;
  href: string;
  last_us: number;
  made_by: string;
  made_us: number;
  metrics: Record<string, number | null>;
  model_ids: string[];
  n_eff: number;
  n_required: number | null;
  note: string;
  report_id: string;
  symbols: string[];
  verdict: string;
};
export type ResearchBody = {
  flow: string;
  folds?: number;
  from_us?: number | null;
  jitter_runs?: number;
  kind: "sweep" | "walk_forward" | "stress";
  median_stop?: boolean;
  method?: "grid" | "random" | "tpe";
  metric?: string;
  minutes?: number | null;
  mode?: "rolling" | "anchored";
  noise_points?: number;
  noise_runs?: number;
  parameters?: Record<string, number>;
  patience?: number;
  processes?: number;
  ranges?: (string | Json)[];
  seed?: number;
  symbol?: string;
  to_us?: number | null;
  train_share?: number;
  trials?: number;
};
export type ResearchDetail = {
  chance: Chance | null;
  code: string;
  data_id: string;
  detections: DetectionItem[];
  end_us: number;
  findings: ResearchDiagnosisFindingFinding[];
  flow: string;
  flow_digest: string;
  flow_text: string;
  fraction: number;
  job_id: string;
  kind: "sweep" | "walk_forward" | "stress" | null;
  message: string;
  parameters: Record<string, number>;
  ranges: string[];
  research_id: string;
  run: JudgedRun | null;
  seed: number;
  serious: number;
  start_us: number;
  state: string;
  stress: Stress | null;
  sweep: SweepResult | null;
  symbol: string;
  ticks: number;
  verdict: string;
  walk_forward: WalkItem | null;
  warnings: number;
  written_us: number;
};
export type ResearchList = { items: ResearchOutline[] };
export type ResearchOutline = {
  flow: string;
  fraction: number;
  job_id: string;
  kind: "sweep" | "walk_forward" | "stress" | null;
  research_id: string;
  serious: number;
  state: string;
  symbol: string;
  verdict: string;
  warnings: number;
  written_us: number;
};
export type ResetBody = { second_factor?: boolean };
export type RestoreBody = { file: string; reason?: string };
export type RiskInfo = {
  account_id: string;
  currencies: CurrencyExposure[];
  currency_limit: number;
  equity: string;
  holds: string;
  limits: LimitUse[];
  market_us: number;
  symbols: SymbolExposure[];
  trading_state: string;
};
export type Role = "Tenant_Admin" | "Portfolio_Manager" | "Analyst" | "API_User";
export type RollbackBody = { reason: string; symbol: string };
export type RotateBody = { level: "root" | "tenant" };
export type RotateReceipt = { level: "root" | "tenant"; new_key: string; old_key: string };
export type RotationItem = {
  finished_us: number | null;
  level: "root" | "tenant";
  new_key: string;
  old_key: string;
  rewrapped: number;
  rotation_id: string;
  started_by: string;
  started_us: number;
};
export type RuleBody = {
  condition: Record<string, Json>;
  cooldown_s?: number;
  escalation?: (Escalation | Json)[];
  hours?: Hours;
  is_enabled?: boolean;
  name: string;
  note?: string;
  recipients?: (Recipient | Json)[];
  repeat?: "once" | "every_time";
  severity?: "info" | "warning" | "critical";
};
export type RuleItem = {
  changed_by: string;
  changed_us: number;
  condition: Record<string, Json>;
  cooldown_s: number;
  escalation: Escalation[];
  fired: number;
  hours: Hours;
  is_enabled: boolean;
  last_us: number;
  name: string;
  note: string;
  now: string;
  recipients: Recipient[];
  repeat: string;
  rule_id: string;
  severity: string;
  symbol: string;
  threshold: string;
  title: string;
  value: number | null;
};
export type RuleList = { items: RuleItem[] };
export type ScenarioItem = {
  at_us: number | null;
  count: number;
  fraction: number | null;
  kind: string;
  move: number | null;
  profit: number | null;
  reaches: string[];
  subject: string;
};
export type ScenarioReport = {
  account_id: string;
  correlations: CorrelationItem[];
  equity: string;
  market_us: number;
  positions: number;
  scenarios: ScenarioItem[];
  symbols: string[];
};
export type Scores = {
  abstained: number | null;
  abstained_r: Interval | null;
  accuracy: Interval | null;
  brier: Interval | null;
  calibration: Calibration | null;
  cost_r: number | null;
  events: number;
  independent: number;
  log_loss: Interval | null;
  n_eff: number;
  n_required: number | null;
  net_r: Interval | null;
  reliability: Bin[];
  sessions: Record<string, Calibration>;
  skill: Interval | null;
  verdict: string;
};
export type SeatItem = {
  alias: string;
  at_us: number;
  by: string;
  is_gained: boolean;
  is_rollback: boolean;
  other: string;
  reason: string;
  symbol: string;
};
export type Service = {
  address: string;
  detail: string;
  kind: ServiceKind;
  level: number;
  memory_mb: number | null;
  name: string;
  pid: number | null;
  since_us: number;
  state: string;
  tenant_id: string;
  version: string;
};
export type ServiceKind = "component" | "child" | "terminal" | "worker" | "node";
export type Services = { services: Service[]; version: string };
export type SessionInfo = {
  csrf: string;
  expires_us: number | null;
  has_password: boolean;
  has_second_factor: boolean;
  is_operator: boolean;
  proven_us: number | null;
  role: string;
  tenant: string;
  user: string;
  user_id: string;
  via: string;
};
export type SessionItem = {
  created_us: number;
  expires_us: number;
  ip_address: string;
  is_current: boolean;
  last_seen_us: number;
  session_id: string;
  user_agent: string;
  via: string;
};
export type SessionList = { sessions: SessionItem[] };
export type SettingBody = {
  locked?: boolean | null;
  reason?: string;
  value?: boolean | number | string | (number | string)[] | Record<string, number | string> | null;
};
export type SettingItem = {
  default: boolean | number | string | (number | string)[] | Record<string, number | string>;
  doc: string;
  is_limit: boolean;
  is_live: boolean;
  is_locked: boolean;
  key: string;
  levels: LevelItem[];
  locked_by: string;
  may_change: string[];
  origin: string;
  origin_scope: "default" | "file" | "global" | "tenant" | "user";
  scopes: string[];
  type: TypeItem;
  value: boolean | number | string | (number | string)[] | Record<string, number | string>;
};
export type SettingReceipt = {
  approval_id: string;
  key: string;
  outcome: "applied" | "proposed";
  value: boolean | number | string | (number | string)[] | Record<string, number | string>;
};
export type SettingsList = { items: SettingItem[]; tenant_id: string; user_id: string };
export type ShadeItem = { factor: number; symbol: string; until_us: number };
export type SignInBody = { code?: string; name: string; password: string; tenant: string };
export type SignalItem = { is_active: boolean; responses: string[]; signal: string };
export type SimilarItem = {
  distance_percentile: number | null;
  hit_rate: number | null;
  is_novel: boolean;
  n: number;
  n_eff: number;
  nearest: NeighbourItem[];
  net_r_high: number | null;
  net_r_low: number | null;
  net_r_mean: number | null;
  side: number;
  why_none: string;
};
export type SnoozeBody = { minutes?: number };
export type Spread = { losing: number; net: Quantiles; runs: number };
export type StageItem = {
  buckets: BucketItem[];
  count: number;
  max_us: number;
  p50_us: number;
  p95_us: number;
  p99_us: number;
  stage: string;
};
export type Step = {
  amount: number;
  kind: string;
  max_drawdown: number;
  net: number;
  trades: number;
};
export type StepItem = { is_done: boolean; step: string };
export type StopsBody = { reason: string; stop_loss?: number | null; take_profit?: number | null };
export type Stress = {
  break_even_factor: number | null;
  break_even_points: number | null;
  jitter: Spread;
  noise: Spread;
  noise_points: number;
  steps: Step[];
};
export type SweepResult = {
  best: TrialRow | null;
  cliff: number | null;
  counted: number;
  days: number;
  deflated: number | null;
  heat_maps: HeatMap[];
  method: string;
  metric: string;
  overfitting: number | null;
  parameters: string[];
  planned: number;
  rows: TrialRow[];
  rows_left_off: number;
  stopped: number;
  trials: number;
  verdict: string;
};
export type SwitchItem = {
  actor: string;
  at_us: number;
  reason: string;
  scope: string;
  state: string;
  target: string;
};
export type SymbolExposure = {
  fraction: number | null;
  lots: number;
  positions: number;
  profit: string;
  symbol: string;
  value: number | null;
};
export type SymbolInfo = {
  ask: number | null;
  base: string;
  bid: number | null;
  contract_size: number;
  description: string;
  digits: number;
  lot_units: number;
  point: number;
  quote: string;
  quote_rate: number | null;
  spread_points: number | null;
  state: string;
  stops_level_points: number;
  symbol: string;
  ts_us: number | null;
  volume_max: number;
  volume_min: number;
  volume_step: number;
};
export type SymbolLearning = {
  calibration_intercept: number;
  calibration_slope: number;
  calibration_version: number;
  candidate_id: string;
  detectors: DetectorItem[];
  matched: number;
  models: Record<string, Scores>;
  scores: Scores | null;
  signals: SignalItem[];
  size_factor: number;
  symbol: string;
  unmatched: number;
  waiting: number;
};
export type SystemInfo = {
  account_id: string;
  attribution: string[];
  currency: string;
  market_us: number;
  mode: string;
  run_id: string;
  simulated: boolean;
  speed: number;
  started_us: number;
  symbols: string[];
  tenant_id: string;
  trading_state: string;
  ui_hash: string;
  version: string;
};
export type TelegramInfo = {
  agrees: boolean;
  bot: string;
  chats: ChatItem[];
  detail: string;
  is_enabled: boolean;
  is_well: boolean;
  kinds: KindItem[];
  token: TelegramTokenItem | null;
};
export type TenantItem = {
  closing: string;
  created_us: number;
  detail: string;
  exports: ExportFile[];
  is_main: boolean;
  last_failure: string;
  name: string;
  revision: string;
  state: string;
  steps: StepItem[];
  tenant_id: string;
  work: WorkItem | null;
};
export type TenantKeyItem = {
  created_us: number;
  is_behind: boolean;
  is_current: boolean;
  key_id: string;
  root_key: string;
  version: number;
};
export type TenantList = { items: TenantItem[] };
export type TenantMade = { invitation: string; tenant: TenantItem };
export type TestResult = { detail: string; is_delivered: boolean };
export type TicketInfo = { expires_in_s: number; protocol: string; ticket: string };
export type Ticks = { ask: number[]; bid: number[]; symbol: string; time_us: number[] };
export type TokenBody = { token: string };
export type TokenTried = {
  base_url: string;
  bot: string;
  is_enabled: boolean;
  reason: string;
  source: "" | "file" | "environment" | "kept";
};
export type Told = { is_sent: boolean };
export type Touched = { rows: number; table: string };
export type TradeItem = {
  close_price: number;
  close_us: number;
  commission: number;
  decided_us: number;
  exit_reason: string;
  gross: number;
  lots: number;
  mae: number;
  mfe: number;
  net: number;
  open_price: number;
  open_us: number;
  side: number;
  slippage_cost: number;
  spread_cost: number;
  swap: number;
  trade: number;
};
export type TradePage = { items: TradeItem[]; net: number; offset: number; total: number };
export type TradeReport = {
  account_id: string;
  action_type: string;
  asset_class: string;
  close_price: number;
  closing_fills: string;
  closing_reason: string;
  collateral_portfolio: string;
  commission: string;
  contract_type: string;
  decision_id: string;
  delivery_type: string;
  direction: string;
  effective_date: string;
  event_hash: string;
  event_type: string;
  execution_time: string;
  expiration_date: string;
  is_cleared: boolean;
  is_intragroup: boolean;
  isin: string;
  level: string;
  notional_amount: number | null;
  notional_currency: string;
  open_price: number;
  opening_orders: string;
  other_counterparty: string;
  position_id: string;
  price_currency: string;
  profit: string;
  quantity_lots: number;
  reporting_counterparty: string;
  reporting_time: string;
  sequence_number: number;
  swap: string;
  termination_time: string;
  underlying: string;
  uti: string;
  valuation_amount: number | null;
  venue_mic: string;
};
export type TradedItem = {
  figures: Record<string, Figure>;
  first_us: number;
  last_us: number;
  open: number;
  state: string;
  version: number;
};
export type TradingItem = { accounts: AccountSwitchesItem[] };
export type TrainBody = {
  families?: (string | Json)[];
  from_us?: number | null;
  horizon_minutes?: number | null;
  seed?: number;
  symbols?: (string | Json)[];
  to_us?: number | null;
};
export type TrainingChoices = {
  families: string[];
  horizon_minutes: number;
  refusal: string;
  symbols: ArchivedSymbol[];
  usual_families: string[];
};
export type TrialItem = {
  now: string;
  threshold: string;
  value: number | null;
  would_fire: boolean;
};
export type TrialRow = {
  is_whole: boolean;
  max_drawdown: number;
  metrics: Record<string, number | null>;
  net: number;
  point: Record<string, number>;
  trades: number;
  value: number | null;
};
export type Trigger = "market" | "limit" | "stop" | "stop_limit";
export type TypeItem = {
  above: number | null;
  choices: string[];
  kind: "integer" | "number" | "text" | "boolean" | "choice" | "list" | "map";
  maximum: number | null;
  minimum: number | null;
  pattern: string;
};
export type UserChangeBody = {
  blocked?: boolean | null;
  name?: string | null;
  operator?: boolean | null;
  role?: Role | null;
};
export type UserItem = {
  created_us: number;
  has_password: boolean;
  has_second_factor: boolean;
  is_operator: boolean;
  name: string;
  role: string;
  state: string;
  user_id: string;
};
export type UserList = { items: UserItem[] };
export type VoteItem = {
  abstained: string;
  calibrated: number;
  family: string;
  model_id: string;
  raw: number;
  weight: number;
};
export type WalkItem = {
  curve: [number, number][];
  efficiency: number | null;
  folds: FoldItem[];
  metric: string;
  mode: string;
  net: number;
  planned: number;
  sharpe: number | null;
  trades: number;
  winning_folds: number;
};
export type WorkItem = {
  done_rows: number;
  kind: string;
  phase: string;
  started_us: number;
  total_rows: number;
};
export type AssistantsProviderItem = { is_resting: boolean; model: string; name: string };
export type BacktestItemsComparisonItem = {
  equity: CurveItem[];
  figures: ComparedItem[];
  notes: string[];
  parameters: Record<string, (number | null)[]>;
  runs: BacktestRow[];
};
export type ConnectivityIdentityProposalsState =
  "open" | "approved" | "refused" | "withdrawn" | "expired";
export type ConnectivityIdentityRightsScope = "read" | "trade" | "admin";
export type FeaturesSetCheckFinding = {
  feature: string;
  severity: "error" | "warning" | "note";
  text: string;
};
export type FlowItemsComparisonItem = {
  account_id: string;
  causes: Record<string, number>;
  day: string;
  differences: DifferenceItem[];
  live_net: string;
  live_trades: number;
  paired: number;
  replay_net: string;
  replay_trades: number;
  version: number;
};
export type IntelligenceModelsLifecycleState =
  | "draft"
  | "trained"
  | "validated"
  | "shadow"
  | "canary"
  | "champion"
  | "retired"
  | "suspended"
  | "rejected";
export type IntelligenceRiskSwitchScope = "global" | "tenant" | "account" | "symbol" | "flow";
export type ResearchDiagnosisFindingFinding = {
  advice: string;
  code: string;
  figures: Record<string, number>;
  says: string;
  severity: "serious" | "warning" | "note";
};
export type SecretsProviderItem = {
  current_key: string;
  keys: string[];
  kind: string;
  place: string;
  protection: string;
};
export type SessionsTokenItem = {
  access_token: string;
  expires_in_s: number;
  refresh_expires_us: number;
  refresh_token: string;
  session_id: string;
  token_type: string;
};
export type TelegramTokenItem = { is_kept: boolean; source: "" | "file" | "environment" | "kept" };

export type Paths = {
  "/api/v1/account": { get: { answer: AccountInfo } };
  "/api/v1/accounts/{account_id}/accept-broker-view": {
    post: { path: { account_id: string }; body: AcceptBody; answer: Accepted };
  };
  "/api/v1/alerts": {
    get: {
      query?: {
        cursor?: string;
        limit?: number;
        state?: "" | "open" | "acknowledged" | "snoozed" | "closed";
      };
      answer: PageAlertAlertItem;
    };
  };
  "/api/v1/alerts/channels": {
    get: { answer: ChannelList };
    post: { body: ChannelBody; answer: ChannelMade };
  };
  "/api/v1/alerts/channels/{name}": { delete: { path: { name: string }; answer: ChannelItem } };
  "/api/v1/alerts/channels/{name}/test": { post: { path: { name: string }; answer: TestResult } };
  "/api/v1/alerts/heartbeat/{name}": { post: { path: { name: string }; answer: BeatReceipt } };
  "/api/v1/alerts/rules": { get: { answer: RuleList }; post: { body: RuleBody; answer: RuleItem } };
  "/api/v1/alerts/rules/try": { post: { body: RuleBody; answer: TrialItem } };
  "/api/v1/alerts/rules/{rule_id}": {
    put: { path: { rule_id: string }; body: RuleBody; answer: RuleItem };
    delete: { path: { rule_id: string }; answer: RuleItem };
  };
  "/api/v1/alerts/{alert_id}/acknowledge": {
    post: { path: { alert_id: string }; answer: AlertItem };
  };
  "/api/v1/alerts/{alert_id}/snooze": {
    post: { path: { alert_id: string }; body: SnoozeBody; answer: AlertItem };
  };
  "/api/v1/approvals": {
    get: { query?: { state?: ConnectivityIdentityProposalsState | null }; answer: ApprovalList };
    post: { body: ProposeBody; answer: ApprovalItem };
  };
  "/api/v1/approvals/{approval_id}/approve": {
    post: { path: { approval_id: string }; body: ApproveBody; answer: ApprovalItem };
  };
  "/api/v1/approvals/{approval_id}/refuse": {
    post: { path: { approval_id: string }; body: AnswerBody; answer: ApprovalItem };
  };
  "/api/v1/approvals/{approval_id}/withdraw": {
    post: { path: { approval_id: string }; body: AnswerBody; answer: ApprovalItem };
  };
  "/api/v1/assistants": { get: { answer: AssistantsInfo } };
  "/api/v1/assistants/news": { post: { body: NewsBody; answer: NewsItem } };
  "/api/v1/assistants/report": { post: { answer: Generated } };
  "/api/v1/audit": {
    get: {
      query?: {
        actor?: string;
        after?: number;
        before?: number;
        from_us?: number | null;
        limit?: number;
        stream?: string;
        to_us?: number | null;
        types?: string;
      };
      answer: PageAuditItem;
    };
  };
  "/api/v1/audit/checkpoints": { get: { answer: CheckpointList } };
  "/api/v1/audit/state": { get: { query: { at_us: number }; answer: PastState } };
  "/api/v1/audit/{position}": { get: { path: { position: number }; answer: AuditDetail } };
  "/api/v1/backtests": {
    get: { answer: BacktestList };
    post: { body: BacktestBody; answer: JobItem };
  };
  "/api/v1/backtests/check": { post: { body: FlowBody; answer: FlowOutline } };
  "/api/v1/backtests/compare": {
    get: { query: { runs: string }; answer: BacktestItemsComparisonItem };
  };
  "/api/v1/backtests/{run_id}": {
    get: { path: { run_id: string }; answer: BacktestDetail };
    delete: { path: { run_id: string }; answer: undefined };
  };
  "/api/v1/backtests/{run_id}/bars": {
    get: {
      path: { run_id: string };
      query: { from_us: number; period_s?: number; to_us: number };
      answer: Bars;
    };
  };
  "/api/v1/backtests/{run_id}/equity": {
    get: {
      path: { run_id: string };
      query?: { from_us?: number | null; points?: number; to_us?: number | null };
      answer: EquityLine;
    };
  };
  "/api/v1/backtests/{run_id}/export": {
    get: {
      path: { run_id: string };
      query?: {
        format?: "json" | "csv" | "parquet";
        what?: "trades" | "orders" | "equity" | "metrics";
      };
      answer: string;
    };
  };
  "/api/v1/backtests/{run_id}/live": { get: { path: { run_id: string }; answer: TradedItem[] } };
  "/api/v1/backtests/{run_id}/orders": {
    get: {
      path: { run_id: string };
      query?: {
        from_us?: number | null;
        limit?: number;
        offset?: number;
        reason?: string;
        to_us?: number | null;
      };
      answer: OrderPage;
    };
  };
  "/api/v1/backtests/{run_id}/report": { get: { path: { run_id: string }; answer: Blob } };
  "/api/v1/backtests/{run_id}/trades": {
    get: {
      path: { run_id: string };
      query?: {
        descending?: boolean;
        from_us?: number | null;
        limit?: number;
        offset?: number;
        reason?: string;
        side?: "long" | "short" | null;
        sort?: "trade" | "open" | "close" | "net" | "lots" | "mae" | "mfe" | "commission" | "swap";
        to_us?: number | null;
      };
      answer: TradePage;
    };
  };
  "/api/v1/bars": {
    get: {
      query: {
        from_us?: number | null;
        limit?: number;
        period_s?: 60 | 300 | 900 | 1800 | 3600 | 14400 | 86400;
        symbol: string;
        to_us?: number | null;
      };
      answer: Bars;
    };
  };
  "/api/v1/broker": { get: { answer: BrokerItem } };
  "/api/v1/broker-account": {
    get: { answer: BrokerView };
    put: { body: BindBody; answer: BrokerBound };
    delete: { query?: { reason?: string }; answer: BrokerView };
  };
  "/api/v1/broker-account/keys": { post: { body: BrokerKeyBody; answer: BrokerKeyMade } };
  "/api/v1/broker-account/keys/{key_id}": {
    delete: { path: { key_id: string }; answer: BrokerView };
  };
  "/api/v1/candidates": { get: { answer: CandidateItem[] } };
  "/api/v1/candidates/rollback": { post: { body: RollbackBody; answer: CandidateReceipt } };
  "/api/v1/candidates/{candidate_id}": {
    get: { path: { candidate_id: string }; answer: CandidateCard };
  };
  "/api/v1/candidates/{candidate_id}/move": {
    post: { path: { candidate_id: string }; body: MoveBody; answer: CandidateReceipt };
  };
  "/api/v1/candidates/{candidate_id}/override": {
    post: { path: { candidate_id: string }; body: MoveBody; answer: CandidateReceipt };
  };
  "/api/v1/commands/halt": { post: { body: CommandBody; answer: CommandReceipt } };
  "/api/v1/commands/kill": { post: { body: CommandBody; answer: CommandReceipt } };
  "/api/v1/commands/pause": { post: { body: CommandBody; answer: CommandReceipt } };
  "/api/v1/commands/reduce-only": { post: { body: CommandBody; answer: CommandReceipt } };
  "/api/v1/commands/resume": { post: { body: CommandBody; answer: CommandReceipt } };
  "/api/v1/consents": { get: { answer: ConsentList } };
  "/api/v1/consents/{purpose}": {
    put: { path: { purpose: string }; body: ConsentBody; answer: ConsentList };
    delete: { path: { purpose: string }; answer: ConsentList };
  };
  "/api/v1/decisions": {
    get: {
      query?: {
        cursor?: string;
        limit?: number;
        outcome?: string;
        reason?: string;
        symbol?: string;
      };
      answer: PageDecisionItem;
    };
  };
  "/api/v1/decisions/{decision_id}": {
    get: { path: { decision_id: string }; answer: Record<string, Json> };
  };
  "/api/v1/decisions/{decision_id}/explain": {
    post: { path: { decision_id: string }; answer: Generated };
  };
  "/api/v1/decisions/{decision_id}/replay": {
    get: { path: { decision_id: string }; answer: ReplayResult };
  };
  "/api/v1/decisions/{decision_id}/similar": {
    get: { path: { decision_id: string }; answer: SimilarItem };
  };
  "/api/v1/equity": { get: { query?: { limit?: number }; answer: EquityCurve } };
  "/api/v1/events": {
    get: {
      query?: {
        cursor?: string;
        from_position?: number;
        limit?: number;
        type?:
          | ""
          | "AbstentionsReported"
          | "ActionTaken"
          | "AlertAcknowledged"
          | "AlertChannelChanged"
          | "AlertEscalated"
          | "AlertRaised"
          | "AlertRuleChanged"
          | "AlertSnoozed"
          | "ApprovalAsked"
          | "ApprovalDecided"
          | "AssistantAsked"
          | "BalanceAdjusted"
          | "CalibrationRefitted"
          | "CandidateMoved"
          | "CheckpointSigned"
          | "ClockMeasured"
          | "ConfigurationChanged"
          | "ConsentGiven"
          | "ConsentWithdrawn"
          | "ContractChanged"
          | "CredentialChanged"
          | "DataImported"
          | "DecisionMade"
          | "DriftStateChanged"
          | "EquityRecorded"
          | "FeatureCalculated"
          | "FeatureDriftMeasured"
          | "FlagChanged"
          | "FlowMoved"
          | "FlowRegistered"
          | "ForecastSampled"
          | "JobEnded"
          | "JobStarted"
          | "KeyIssued"
          | "KeyRevoked"
          | "KeyRotated"
          | "KillBegun"
          | "KillFinished"
          | "LimitExceeded"
          | "LiveComparisonMade"
          | "ModelAccuracyUpdated"
          | "ModelPredictionGenerated"
          | "ModelPromoted"
          | "ModelRegistered"
          | "ModelRolledBack"
          | "ModelWithdrawn"
          | "NewsShaded"
          | "NotificationFailed"
          | "NotifyUser"
          | "OnboardingStep"
          | "OrderAccepted"
          | "OrderAmended"
          | "OrderCancelled"
          | "OrderCompleted"
          | "OrderDenied"
          | "OrderExecuted"
          | "OrderExpired"
          | "OrderOutcomeUnknown"
          | "OrderPlaced"
          | "OrderRejected"
          | "OrderSent"
          | "OutcomeRecorded"
          | "PositionClaimed"
          | "PositionClosed"
          | "PositionOpened"
          | "PositionProtected"
          | "PromotionJudged"
          | "ReconciliationDifference"
          | "RecordsExported"
          | "RetrainModel"
          | "RetrainingAsked"
          | "RiskLimitBreached"
          | "RiskLimitNeared"
          | "ServiceHealthChanged"
          | "SessionEnded"
          | "SettingChanged"
          | "SignInRefused"
          | "SkewMeasured"
          | "SubjectErased"
          | "SubjectExported"
          | "SystemStarted"
          | "SystemStopped"
          | "TenantBrokerChanged"
          | "TenantChanged"
          | "TerminalKeyChanged"
          | "TerminalLinkChanged"
          | "TradingStateChanged"
          | "UserAuthenticated"
          | "UserChanged"
          | "UserInvited";
      };
      answer: PageEventItem;
    };
  };
  "/api/v1/features": { get: { query: { symbol: string }; answer: FeatureValues } };
  "/api/v1/features/book": { get: { answer: FeatureBook } };
  "/api/v1/flags": { get: { answer: FlagsList } };
  "/api/v1/flags/global/{flag}": {
    put: { path: { flag: string }; body: FlagBody; answer: FlagItem };
  };
  "/api/v1/flags/tenant/{flag}": {
    put: { path: { flag: string }; body: FlagBody; answer: FlagItem };
  };
  "/api/v1/flags/user/{flag}": {
    put: { path: { flag: string }; query?: { user?: string }; body: FlagBody; answer: FlagItem };
  };
  "/api/v1/flows": { get: { answer: FlowItem[] }; post: { body: FlowText; answer: FlowItem } };
  "/api/v1/flows/check": { post: { body: FlowText; answer: FlowVerdict } };
  "/api/v1/flows/{name}": {
    get: { path: { name: string }; query?: { version?: number }; answer: FlowCard };
  };
  "/api/v1/flows/{name}/comparisons": {
    get: { path: { name: string }; answer: FlowItemsComparisonItem[] };
  };
  "/api/v1/flows/{name}/diff": {
    get: { path: { name: string }; query?: { after?: number; before?: number }; answer: FlowDiff };
  };
  "/api/v1/flows/{name}/move": {
    post: { path: { name: string }; body: FlowMoveBody; answer: FlowReceipt };
  };
  "/api/v1/flows/{name}/override": {
    post: { path: { name: string }; body: FlowMoveBody; answer: FlowReceipt };
  };
  "/api/v1/forecasts": {
    get: { query: { limit?: number; symbol: string }; answer: ForecastItem[] };
  };
  "/api/v1/health": { get: { answer: HealthInfo } };
  "/api/v1/indicators": {
    get: {
      query: {
        from_us?: number | null;
        limit?: number;
        names: string;
        period_s?: 60 | 300 | 900 | 1800 | 3600 | 14400 | 86400;
        symbol: string;
        to_us?: number | null;
      };
      answer: IndicatorValues;
    };
  };
  "/api/v1/jobs": {
    get: { query?: { kind?: string; limit?: number; state?: JobStatus | null }; answer: JobList };
  };
  "/api/v1/jobs/train": { post: { body: TrainBody; answer: JobItem } };
  "/api/v1/jobs/{job_id}": { get: { path: { job_id: string }; answer: JobDetail } };
  "/api/v1/jobs/{job_id}/again": { post: { path: { job_id: string }; answer: JobItem } };
  "/api/v1/jobs/{job_id}/cancel": { post: { path: { job_id: string }; answer: JobDetail } };
  "/api/v1/jobs/{job_id}/log": { get: { path: { job_id: string }; answer: JobLogItem } };
  "/api/v1/join": { post: { body: JoinBody; answer: JoinedItem } };
  "/api/v1/keys": {
    get: { query?: { all?: boolean }; answer: KeyList };
    post: { body: KeyBody; answer: KeyMade };
  };
  "/api/v1/keys/{key_id}": { delete: { path: { key_id: string }; answer: undefined } };
  "/api/v1/learning": { get: { answer: Learning } };
  "/api/v1/learning/outcomes": {
    get: {
      query?: { cursor?: string; limit?: number; symbol?: string };
      answer: PageLearningOutcomeItem;
    };
  };
  "/api/v1/models": { get: { answer: ModelItem[] } };
  "/api/v1/models/{model_id}": {
    get: { path: { model_id: string }; answer: Record<string, Json> };
  };
  "/api/v1/models/{model_id}/export": {
    get: { path: { model_id: string }; answer: Record<string, Json> };
  };
  "/api/v1/orders": {
    get: {
      query?: { cursor?: string; limit?: number; status?: "all" | "open" };
      answer: PageOrderOrderItem;
    };
    post: { body: OrderBody; answer: OrderReceipt };
  };
  "/api/v1/orders/preview": {
    get: {
      query: {
        limit_price?: number;
        price?: number;
        quantity: number;
        side: "buy" | "sell";
        stop_loss?: number;
        symbol: string;
        take_profit?: number;
        trigger?: Trigger;
      };
      answer: OrderPreview;
    };
  };
  "/api/v1/orders/{order_id}": {
    patch: { path: { order_id: string }; body: ChangeBody; answer: OrderReceipt };
    delete: { path: { order_id: string }; query?: { reason?: string }; answer: OrderReceipt };
  };
  "/api/v1/password": { put: { body: PasswordBody; answer: SessionInfo } };
  "/api/v1/people": { get: { answer: PeopleList } };
  "/api/v1/positions": {
    get: {
      query?: { cursor?: string; limit?: number; status?: "open" | "closed" };
      answer: PageOrderPositionItem;
    };
  };
  "/api/v1/positions/{position_id}": {
    patch: { path: { position_id: string }; body: StopsBody; answer: OrderReceipt };
  };
  "/api/v1/positions/{position_id}/claim": {
    post: { path: { position_id: string }; body: ClaimBody; answer: OrderReceipt };
  };
  "/api/v1/positions/{position_id}/close": {
    post: { path: { position_id: string }; body: CloseBody; answer: OrderReceipt };
  };
  "/api/v1/positions/{position_id}/close-by": {
    post: { path: { position_id: string }; body: CloseByBody; answer: OrderReceipt };
  };
  "/api/v1/positions/{position_id}/release": {
    post: { path: { position_id: string }; body: ReleaseBody; answer: OrderReceipt };
  };
  "/api/v1/privacy/map": { get: { answer: DataMap } };
  "/api/v1/privacy/{user_id}/erase": {
    post: { path: { user_id: string }; body: EraseBody; answer: ErasureReport };
  };
  "/api/v1/privacy/{user_id}/export": { post: { path: { user_id: string }; answer: Blob } };
  "/api/v1/quotas": { get: { answer: Quotas } };
  "/api/v1/quotas/{tenant_id}": { get: { path: { tenant_id: string }; answer: Quotas } };
  "/api/v1/records/clock": { get: { answer: ClockReport } };
  "/api/v1/records/orders": {
    get: {
      query: { format?: "json" | "csv"; from_us: number; to_us: number };
      answer: OrderRecord[];
    };
  };
  "/api/v1/records/trades": {
    get: {
      query: { format?: "json" | "csv"; from_us: number; to_us: number };
      answer: TradeReport[];
    };
  };
  "/api/v1/reports": { get: { answer: ReportRow[] } };
  "/api/v1/reports/{report_id}": { get: { path: { report_id: string }; answer: Blob } };
  "/api/v1/research": {
    get: { query?: { limit?: number }; answer: ResearchList };
    post: { body: ResearchBody; answer: JobItem };
  };
  "/api/v1/research/{research_id}": {
    get: { path: { research_id: string }; answer: ResearchDetail };
  };
  "/api/v1/research/{research_id}/cancel": {
    post: { path: { research_id: string }; answer: JobItem };
  };
  "/api/v1/risk": { get: { answer: RiskInfo } };
  "/api/v1/risk/scenarios": { get: { answer: ScenarioReport } };
  "/api/v1/second-factor": {
    get: { answer: FactorInfo };
    post: { answer: FactorBegun };
    delete: { answer: undefined };
  };
  "/api/v1/second-factor/backup-codes": { post: { answer: BackupCodes } };
  "/api/v1/second-factor/confirm": { post: { body: CodeBody; answer: BackupCodes } };
  "/api/v1/secrets/keys": { get: { answer: KeysInfo } };
  "/api/v1/secrets/rotate": { post: { body: RotateBody; answer: RotateReceipt } };
  "/api/v1/services": { get: { answer: Services } };
  "/api/v1/session": { get: { answer: SessionInfo }; delete: { answer: undefined } };
  "/api/v1/session/prove": { post: { body: ProofBody; answer: SessionInfo } };
  "/api/v1/sessions": { get: { answer: SessionList }; delete: { answer: Ended } };
  "/api/v1/sessions/{session_id}": { delete: { path: { session_id: string }; answer: undefined } };
  "/api/v1/settings": { get: { query?: { tenant?: string; user?: string }; answer: SettingsList } };
  "/api/v1/settings/global/{key}": {
    put: { path: { key: string }; body: SettingBody; answer: SettingReceipt };
    delete: { path: { key: string }; query?: { reason?: string }; answer: SettingReceipt };
  };
  "/api/v1/settings/tenant/{key}": {
    put: {
      path: { key: string };
      query?: { tenant?: string };
      body: SettingBody;
      answer: SettingReceipt;
    };
    delete: {
      path: { key: string };
      query?: { reason?: string; tenant?: string };
      answer: SettingReceipt;
    };
  };
  "/api/v1/settings/user/{key}": {
    put: {
      path: { key: string };
      query?: { user?: string };
      body: SettingBody;
      answer: SettingReceipt;
    };
    delete: {
      path: { key: string };
      query?: { reason?: string; user?: string };
      answer: SettingReceipt;
    };
  };
  "/api/v1/signin": { post: { body: SignInBody; answer: SessionInfo } };
  "/api/v1/stream/ticket": { post: { answer: TicketInfo } };
  "/api/v1/symbols": { get: { answer: SymbolInfo[] } };
  "/api/v1/system": { get: { answer: SystemInfo } };
  "/api/v1/telegram": { get: { query?: { all?: boolean }; answer: TelegramInfo } };
  "/api/v1/telegram/chats/{pairing_id}": {
    delete: { path: { pairing_id: string }; answer: undefined };
  };
  "/api/v1/telegram/codes": { post: { body: PairingBody; answer: PairingCode } };
  "/api/v1/telegram/test": { post: { answer: Told } };
  "/api/v1/telegram/token": {
    put: { body: TokenBody; answer: TelegramTokenItem };
    delete: { answer: TelegramTokenItem };
  };
  "/api/v1/telegram/token/check": { post: { answer: TokenTried } };
  "/api/v1/telegram/webhook": { post: { answer: undefined } };
  "/api/v1/tenant": { get: { answer: TenantItem } };
  "/api/v1/tenants": { get: { answer: TenantList }; post: { body: NewTenant; answer: TenantMade } };
  "/api/v1/tenants/{tenant_id}": {
    get: { path: { tenant_id: string }; answer: TenantItem };
    delete: {
      path: { tenant_id: string };
      query: { confirm: string; reason?: string };
      answer: TenantItem;
    };
  };
  "/api/v1/tenants/{tenant_id}/broker": {
    get: { path: { tenant_id: string }; answer: BrokerView };
    put: { path: { tenant_id: string }; body: BindBody; answer: BrokerBound };
    delete: { path: { tenant_id: string }; query?: { reason?: string }; answer: BrokerView };
  };
  "/api/v1/tenants/{tenant_id}/export": {
    post: { path: { tenant_id: string }; body: ReasonBody; answer: TenantItem };
  };
  "/api/v1/tenants/{tenant_id}/restore": {
    post: { path: { tenant_id: string }; body: RestoreBody; answer: TenantItem };
  };
  "/api/v1/tenants/{tenant_id}/resume": {
    post: { path: { tenant_id: string }; body: ReasonBody; answer: TenantItem };
  };
  "/api/v1/tenants/{tenant_id}/retry": {
    post: { path: { tenant_id: string }; body: ReasonBody; answer: TenantMade };
  };
  "/api/v1/tenants/{tenant_id}/suspend": {
    post: { path: { tenant_id: string }; body: ReasonBody; answer: TenantItem };
  };
  "/api/v1/ticks": {
    get: {
      query: { from_us?: number | null; limit?: number; symbol: string; to_us?: number | null };
      answer: Ticks;
    };
  };
  "/api/v1/token": { post: { answer: SessionsTokenItem } };
  "/api/v1/token/refresh": { post: { body: RefreshBody; answer: SessionsTokenItem } };
  "/api/v1/token/revoke": { post: { body: RefreshBody; answer: undefined } };
  "/api/v1/trading": { get: { answer: TradingItem } };
  "/api/v1/training": { get: { answer: TrainingChoices } };
  "/api/v1/users": {
    get: { answer: UserList };
    post: { body: InviteBody; answer: InvitationItem };
  };
  "/api/v1/users/{user_id}": {
    patch: { path: { user_id: string }; body: UserChangeBody; answer: UserItem };
  };
  "/api/v1/users/{user_id}/reset": {
    post: { path: { user_id: string }; body: ResetBody; answer: InvitationItem };
  };
};
