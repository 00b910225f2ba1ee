// The shapes that the engine's web API answers with, as docs/api.md states them. Types alone:
// nothing here is computed.
//
// SPDX-License-Identifier: MIT
export type ColumnType = "text" | "integer" | "real" | "boolean" | "date" | "timestamp" | "json";
export type Cell = unknown;
export type Column = { name: string; type: ColumnType };
export type Table = { columns: Column[]; rows: Cell[][] };
export type ChartTable = Table & { fresh: string | null; source: string[] };
export type TablePage = Table & { total: number };
export type SqlTable = Table & { truncated?: boolean };

export type Fault = {
  file: string;
  line: number;
  message: string;
  hint?: string;
  since?: string;
  in_service?: string | null;
};
export type Stale = { noun: string; name: string; error: string };
export type PageName = { name: string; title: string; summary: string; public: boolean };
export type Scope = "read" | "write" | "admin";
export type Site = {
  name: string;
  version: string;
  timezone: string;
  now: string;
  scopes: Scope[];
  faults: Fault[];
  pages: PageName[];
};

export type Filter = {
  name: string;
  type: "choice" | "date" | "boolean";
  choices?: (string | number | null)[];
  default: string | number | null;
  multi?: boolean;
};
export type ChartKind =
  "line" | "area" | "bar" | "scatter" | "heatmap" | "number" | "table" | "text";
export type Chart = {
  kind: ChartKind;
  title?: string;
  text?: string;
  unit?: string;
  wide?: boolean;
  x?: string;
  y?: string;
  by?: string;
  value?: string;
  size?: string;
  columns?: string[];
  limit?: number;
  filters?: string[];
};
export type Page = PageName & { filters: Filter[]; charts: Chart[] };

export type StripRun = { id: string | number; state: string; ms: number | null };
export type Pipeline = {
  name: string;
  file: string;
  kind: "schedule" | "gaps" | "files" | "ingest" | "after" | "hand";
  trigger: string;
  next: string | null;
  recheck?: string | null;
  runs: StripRun[];
  rows_today: number;
  gaps: number;
  quarantined: number;
  fault: Fault | null;
};
export type Overview = {
  runs_today: number;
  failed_today: number;
  open_gaps: number;
  oldest_waiting_ms: number | null;
  stale: Stale[];
  pipelines: Pipeline[];
};

export type Fail = {
  code: string;
  message: string;
  hint?: string;
  where?: string;
  source?: [number, string][];
};
export type Step = {
  name: string;
  started: string;
  ms: number | null;
  attempts: number;
  state: string;
};
export type Request = {
  method: string;
  url: string;
  status: number | null;
  started: string;
  ms: number | null;
  attempts: number;
};
export type Attempt = {
  id?: string | number;
  epoch?: number;
  started?: string;
  ended?: string | null;
  outcome?: string | null;
  rows?: number | null;
  http?: number | null;
  error?: string | null;
};
export type Run = {
  id: string | number;
  pipeline: string;
  trigger: string;
  state: string;
  started: string | null;
  ended: string | null;
  rows: number | null;
  rejected?: number | null;
  version: string | null;
  job?: string | number | null;
  job_state?: string | null;
  next_try?: string | null;
  steps: Step[];
  requests: Request[];
  attempts: Attempt[];
  error: Fail | null;
};
export type LogLine = { at: string; level: string; message: string };

export type GapKey = { key: string; from: string; to: string; days: string };
export type Gaps = { keys: GapKey[] };
export type Held = {
  id: string | number;
  payload: string | null;
  truncated: boolean;
  history: {
    at: string | null;
    run: string | number | null;
    outcome: string;
    http: number | null;
    error: string | null;
  }[];
  decisions: { at: string; action: string; who: string | null; reason: string | null }[];
};
export type Events = { rate: [string, number][]; refused: Table; last: Table };
export type TableInfo = {
  name: string;
  kind: string;
  doc: string | null;
  rows: number | null;
  columns: { name: string; type: ColumnType; key: boolean; doc: string | null }[];
};
export type Plan = { pipeline: string; schedule: string; timezone: string; next: string[] };
export type Param = {
  name: string;
  type: string;
  required: boolean;
  default?: unknown;
  choices?: string[];
};
export type RouteInfo = {
  method: string;
  path: string;
  summary: string | null;
  public: boolean;
  params: Param[];
};
export type Alert = {
  name: string;
  state: string;
  since: string | null;
  rows: number;
  to: string[];
  fault?: string | null;
};
export type Key = { name: string; scopes: Scope[]; created?: string; used?: string | null };
export type Settings = {
  store: string;
  sizes: { name: string; bytes: number }[];
  deploys: { at: string; version: string; files: string[] }[];
};
