// Where names stand so that none covers another: at the ends of lines, and along an axis of
// categories. Pure arithmetic on pixels.
//
// SPDX-License-Identifier: MIT
const LETTER = 7; // pixels, about

export const NAME_ROOM = 160; // pixels beside a chart that the names of lines may take

// Pixels that the longest name takes; a capital takes more.
export function nameWidth(names: string[]): number {
  const widthOf = (name: string) => LETTER * name.length + 2 * name.replace(/[^A-Z]/g, "").length;
  return Math.max(0, ...names.map(widthOf));
}

// Every n-th of `xs`, so that each has `room` pixels of `width` for its label.
export function thinned(xs: number[], width: number, room: number): number[] {
  const n = Math.max(1, Math.ceil((xs.length * room) / Math.max(room, width)));
  return xs.filter((_, i) => i % n === 0);
}

// Places nearest to `wanted` that keep their order and are `gap` apart, within low and high. Less
// its rank times the gap, each place may not be less than the one before: pool adjacent violators
// (Ayer et al. 1955) gives the least moves.
export function apart(wanted: number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const pools: { sum: number; n: number }[] = [];
  order.forEach((at, rank) => {
    let pool = { sum: wanted[at] - rank * gap, n: 1 };
    while (pools.length && pools.at(-1)!.sum / pools.at(-1)!.n > pool.sum / pool.n) {
      const before = pools.pop()!;
      pool = { sum: pool.sum + before.sum, n: pool.n + before.n };
    }
    pools.push(pool);
  });
  const most = Math.max(low, high - (wanted.length - 1) * gap);
  const means = pools.flatMap((p) => Array<number>(p.n).fill(p.sum / p.n));
  const found = Array<number>(wanted.length);
  order.forEach((at, rank) => {
    found[at] = Math.min(most, Math.max(low, means[rank])) + rank * gap;
  });
  return found;
}

const longest = (names: string[]) => Math.max(1, ...names.map((n) => n.length));

export type Along = { interval: 0 | "auto"; rotate: number };

// All names where they fit, level or turned; else as many as do.
export function along(names: string[], width: number): Along {
  const step = width / Math.max(1, names.length);
  if (longest(names) * LETTER + 4 <= step) return { interval: 0, rotate: 0 };
  if (step < 13) return { interval: "auto", rotate: 0 };
  return { interval: 0, rotate: step < 24 ? 90 : 45 };
}

// Pixels that the names take below the axis.
export function depthOf(names: string[], { rotate }: Along): number {
  const length = Math.min(120, longest(names) * LETTER);
  return rotate === 90 ? length : rotate === 45 ? length * 0.75 : 16;
}
