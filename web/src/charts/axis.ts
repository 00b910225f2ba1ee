// Time on an axis. The library draws UTC; a moment is moved by its zone's offset so that the axis
// reads as the project's clock does. Days need no zone.
//
// SPDX-License-Identifier: MIT
import { date, dayMonth, hourMinute, monthName, time } from "../format";

export type ZoneClock = (utc: number) => number;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// The offset changes on the hour at most, so one question for each hour is enough.
export function zoneClock(zone: string): ZoneClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const known = new Map<number, number>();
  return (utc) => {
    const hour = Math.floor(utc / HOUR);
    let offset = known.get(hour);
    if (offset === undefined) {
      const p = Object.fromEntries(
        format.formatToParts(hour * HOUR).map((x) => [x.type, +x.value]),
      );
      offset = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - hour * HOUR;
      known.set(hour, offset);
    }
    return utc + offset;
  };
}

export function webTime(text: string, clock: ZoneClock): number {
  const ms = Date.parse(text);
  return text.length > 10 ? clock(ms) : ms;
}

// Short where the neighbours say the rest: "2025" at a new year, "Mar" at a new month, else days.
export function tick(ms: number): string {
  const at = new Date(ms);
  if (ms % DAY !== 0) return hourMinute(ms);
  if (at.getUTCMonth() === 0 && at.getUTCDate() === 1) return String(at.getUTCFullYear());
  return at.getUTCDate() === 1 ? monthName(ms) : dayMonth(ms);
}

export function moment(ms: number, isMoment: boolean): string {
  return isMoment ? time(ms, "UTC") : date(ms);
}
