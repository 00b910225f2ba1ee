// A year of one key, a square for each day: seven rows of weekdays, a column a week. One path for
// each state keeps it light; what is not well is also told in words, as buttons.
//
// SPDX-License-Identifier: MIT
import { date, dayMonth, monthName } from "../format";
import type { GapKey } from "../types";

const DAY = 86_400_000;
const CELL = 13; // square and its space
export const LETTERS: Record<string, string> = {
  p: "present",
  m: "missing",
  r: "retrying",
  q: "quarantined",
  a: "absent",
  "-": "not expected",
};
const TOLD = 8;
export type Stretch = { letter: string; from: number; to: number; days: number };

const dayAt = (key: GapKey, i: number) => Date.parse(key.from) + i * DAY;
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export function yearsOf(keys: GapKey[]): number[] {
  const years = new Set<number>();
  for (const key of keys) {
    for (let y = +key.from.slice(0, 4); y <= +key.to.slice(0, 4); y++) years.add(y);
  }
  return [...years].sort((a, b) => b - a);
}

// How many dates of each year are still to come in, over all keys.
export function openByYear(keys: GapKey[]): Map<number, number> {
  const open = new Map<number, number>();
  for (const key of keys) {
    for (let i = 0; i < key.days.length; i++) {
      if (!"mrq".includes(key.days[i])) continue;
      const year = new Date(dayAt(key, i)).getUTCFullYear();
      open.set(year, (open.get(year) ?? 0) + 1);
    }
  }
  return open;
}

// Days of one year that are not well, grouped; days that are not expected do not end a group.
export function stretches(key: GapKey, year: number): Stretch[] {
  const found: Stretch[] = [];
  let open: Stretch | undefined;
  for (let i = 0; i < key.days.length; i++) {
    const letter = key.days[i];
    const at = dayAt(key, i);
    if (new Date(at).getUTCFullYear() !== year || letter === "-") continue;
    if (!"mrq".includes(letter)) open = undefined;
    else if (open && open.letter === letter) {
      open.to = at;
      open.days++;
    } else found.push((open = { letter, from: at, to: at, days: 1 }));
  }
  return found.reverse();
}

type Cell = { x: number; y: number; letter: string; at: number };

function cells(key: GapKey, year: number): Cell[] {
  const first = Date.UTC(year, 0, 1);
  const lead = (new Date(first).getUTCDay() + 6) % 7; // weeks begin on Monday
  const found: Cell[] = [];
  for (let i = 0; i < key.days.length; i++) {
    const at = dayAt(key, i);
    if (new Date(at).getUTCFullYear() !== year) continue;
    const n = Math.round((at - first) / DAY) + lead;
    found.push({ x: Math.floor(n / 7), y: n % 7, letter: key.days[i], at });
  }
  return found;
}

const square = (c: Cell) => `M${c.x * CELL + 1} ${c.y * CELL + 1}h11v11h-11z`;
const SIGNS: Record<string, (c: Cell) => string> = {
  r: (c) => `M${c.x * CELL + 6.5} ${c.y * CELL + 3.5}v3.2l2.2 1.6`,
  q: (c) => `M${c.x * CELL + 4} ${c.y * CELL + 4}l5 5m0-5-5 5`,
};

function Months({ year }: { year: number }) {
  const first = Date.UTC(year, 0, 1);
  const lead = (new Date(first).getUTCDay() + 6) % 7;
  return (
    <>
      {Array.from({ length: 12 }, (_, m) => {
        const at = Date.UTC(year, m, 1);
        const x = Math.floor(((at - first) / DAY + lead) / 7) * CELL;
        return (
          <text key={m} x={x + 1} y="-4">
            {monthName(at)}
          </text>
        );
      })}
    </>
  );
}

function Squares({ of, year, onDay }: { of: GapKey; year: number; onDay: (day: string) => void }) {
  const all = cells(of, year);
  const onClick = (event: MouseEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = (53 * CELL + 12) / box.width;
    const x = Math.floor(((event.clientX - box.left) * scale) / CELL);
    const y = Math.floor(((event.clientY - box.top) * scale - 14) / CELL);
    const hit = all.find((c) => c.x === x && c.y === y);
    if (hit && hit.letter !== "-") onDay(iso(hit.at));
  };
  return (
    <svg
      class="year"
      viewBox={`0 -14 ${53 * CELL + 12} ${7 * CELL + 15}`}
      aria-hidden="true"
      onClick={onClick}
    >
      <defs>
        <pattern
          id="hatch"
          width="4"
          height="4"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <path d="M0 2h4" stroke="var(--missing)" stroke-width="1.4" />
        </pattern>
      </defs>
      <Months year={year} />
      {Object.keys(LETTERS).map((letter) => {
        const mine = all.filter((c) => c.letter === letter);
        if (!mine.length) return null;
        const sign = SIGNS[letter];
        return (
          <g key={letter}>
            <path class={`day-${letter === "-" ? "none" : letter}`} d={mine.map(square).join("")} />
            {sign && <path class="day-sign" d={mine.map(sign).join("")} />}
          </g>
        );
      })}
    </svg>
  );
}

export function YearOf(props: { of: GapKey; year: number; onDay: (day: string) => void }) {
  const bad = stretches(props.of, props.year);
  const inYear = cells(props.of, props.year);
  const expected = inYear.filter((c) => c.letter !== "-").length;
  const present = inYear.filter((c) => c.letter === "p").length;
  return (
    <section class="key-year">
      <h2>
        {props.of.key}
        <small>
          {present} of {expected} dates present
        </small>
      </h2>
      <div
        class="year-frame"
        role="region"
        aria-label={`${props.of.key}, ${props.year}`}
        tabIndex={0}
      >
        <Squares {...props} />
      </div>
      {bad.length > 0 && (
        <ul class="stretches">
          {bad.slice(0, TOLD).map((s) => (
            <li key={s.from}>
              <button
                type="button"
                class={`chip day-${s.letter}`}
                onClick={() => props.onDay(iso(s.from))}
              >
                {s.days === 1 ? date(s.from) : `${dayMonth(s.from)} – ${date(s.to)}`}{" "}
                {LETTERS[s.letter]}
                {s.days > 1 && ` (${s.days})`}
              </button>
            </li>
          ))}
          {bad.length > TOLD && <li class="none">and {bad.length - TOLD} more</li>}
        </ul>
      )}
    </section>
  );
}
