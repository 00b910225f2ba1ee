// Colours of charts, read from the style sheet so that light and dark are decided in one place,
// and the order in which series take them: the same name, the same colour, on all charts of a page.
//
// SPDX-License-Identifier: MIT
export type Theme = {
  ink: string;
  soft: string;
  line: string;
  ground: string;
  accent: string;
  series: string[];
  ramp: string[];
  diverge: string[]; // below nought, nought, above
  dark: boolean;
};

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const many = (name: string, n: number) =>
    Array.from({ length: n }, (_, i) => read(`${name}-${i + 1}`));
  return {
    ink: read("--ink"),
    soft: read("--ink-2"),
    line: read("--line"),
    ground: read("--bg"),
    accent: read("--accent"),
    series: many("--series", 8),
    ramp: many("--ramp", 5),
    diverge: many("--diverge", 5),
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
}

// Charts report their names under their place on the page; a colour follows from the first chart
// that has the name, so it does not depend on which answer comes first.
export class Palette {
  private reports: string[][] = [];
  private listeners = new Set<() => void>();

  report(chart: number, names: string[]) {
    const known = this.reports[chart] ?? [];
    const fresh = names.filter((name) => !known.includes(name));
    if (!fresh.length) return;
    this.reports[chart] = [...known, ...fresh];
    this.listeners.forEach((listener) => listener());
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  slot(name: string): number {
    return [...new Set(this.reports.flat().filter((n) => n !== undefined))].indexOf(name);
  }
}
