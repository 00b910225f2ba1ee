// Numbers, times and durations as people read them: the visitor's locale, the project's zone,
// tabular and with as many digits as make sense.
//
// SPDX-License-Identifier: MIT
const locale = navigator.languages?.length ? [...navigator.languages] : undefined;
const formats = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale, options));
  return formats.get(key)!;
}

// A measure alone: whole numbers in full, small ones with four significant digits, others with
// cents until those no longer matter.
export function number(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isInteger(value)) return numbers({}).format(value);
  if (Math.abs(value) < 1) return numbers({ maximumSignificantDigits: 4 }).format(value);
  return fixed(value, Math.abs(value) >= 10_000 ? 0 : 2);
}

export function fixed(value: number, digits: number): string {
  return numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function compact(value: number): string {
  if (Math.abs(value) < 10_000) return numbers({ maximumFractionDigits: 4 }).format(value);
  return numbers({ notation: "compact", maximumFractionDigits: 1 }).format(value);
}

export function percent(part: number): string {
  return numbers({ style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" }).format(
    part,
  );
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0);
  const scaled = value / 1000 ** step;
  const maximumFractionDigits = step && scaled < 100 ? 1 : 0;
  return `${numbers({ maximumFractionDigits }).format(scaled)} ${units[step]}`;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

// "340 ms", "4.2 s", "1 m 12 s", "3 h 12 m", "5 d 4 h": two units at most.
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${numbers({ maximumFractionDigits: 1 }).format(ms / 1000)} s`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const pairs: [number, string, number, string][] = [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "m"],
    [60, "m", 1, "s"],
  ];
  const [big, a, small, b] = pairs.find(([size]) => s >= size)!;
  const rest = Math.floor((s % big) / small);
  return rest ? `${Math.floor(s / big)} ${a} ${rest} ${b}` : `${Math.floor(s / big)} ${a}`;
}

const clocks = new Map<string, Intl.DateTimeFormat>();
function clock(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  if (!clocks.has(key)) {
    clocks.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }));
  }
  return clocks.get(key)!;
}

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };
const MINUTE: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export function date(day: string | number): string {
  const at = typeof day === "number" ? day : Date.parse(day);
  return Number.isNaN(at) ? String(day) : clock("UTC", DAY).format(at);
}

export function dayMonth(at: number): string {
  return clock("UTC", { day: "numeric", month: "short" }).format(at);
}

export function monthName(at: number): string {
  return clock("UTC", { month: "short" }).format(at);
}

export function hourMinute(at: number, zone = "UTC"): string {
  return clock(zone, MINUTE).format(at);
}

export function time(at: string | number, zone?: string, seconds = false): string {
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (Number.isNaN(ms)) return String(at);
  const detail: Intl.DateTimeFormatOptions = seconds ? { ...MINUTE, second: "2-digit" } : MINUTE;
  return clock(zone, { ...DAY, ...detail }).format(ms);
}

export function clockTime(at: string, zone: string): string {
  return clock(zone, { ...MINUTE, second: "2-digit" }).format(Date.parse(at));
}

// "12 m ago", "in 3 h 12 m"; past a day it becomes a date, which does not age.
export function relative(at: string, zone: string, now = Date.now()): string {
  const ms = now - Date.parse(at);
  if (Number.isNaN(ms)) return at;
  if (Math.abs(ms) > 86_400_000) return time(at, zone);
  if (ms < 0) return `in ${duration(Math.max(1000, Math.round(-ms / 1000) * 1000))}`;
  if (ms < 5000) return "just now";
  return `${ms < 60_000 ? duration(ms) : duration(Math.floor(ms / 60_000) * 60_000)} ago`;
}

export function zoneName(zone: string): string {
  return zone.split("/").pop()!.replace(/_/g, " ");
}

// "repo_trend_week" as a label: words, the first with a capital.
export function words(name: string): string {
  const text = name.replace(/[_.]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
