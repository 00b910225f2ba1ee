// Steps and requests on one time axis, with what they waited for and how often they were tried.
//
// SPDX-License-Identifier: MIT
import { duration } from "../format";
import type { Run } from "../types";
import { Mark, toneOf } from "./mark";

type Span = {
  name: string;
  kind: "step" | "request";
  state: string;
  word: string;
  from: number;
  ms: number;
  attempts: number;
};

function statusState(status: number | null): string {
  return status === null ? "running" : status < 400 ? "done" : "failed";
}

function spansOf(run: Run): Span[] {
  const now = Date.now();
  const steps = run.steps.map((s): Span => ({
    name: s.name,
    kind: "step",
    state: s.state,
    word: s.state,
    attempts: s.attempts,
    from: Date.parse(s.started),
    ms: s.ms ?? now - Date.parse(s.started),
  }));
  const requests = run.requests.map((r): Span => ({
    name: `${r.method} ${r.url}`,
    kind: "request",
    state: statusState(r.status),
    attempts: r.attempts,
    word: r.status === null ? "open" : String(r.status),
    from: Date.parse(r.started),
    ms: r.ms ?? now - Date.parse(r.started),
  }));
  return [...steps, ...requests].sort((a, b) => a.from - b.from || b.ms - a.ms);
}

export function Waterfall({ run }: { run: Run }) {
  const spans = spansOf(run);
  const start = Math.min(
    ...spans.map((s) => s.from),
    run.started ? Date.parse(run.started) : Infinity,
  );
  const end = Math.max(...spans.map((s) => s.from + s.ms), run.ended ? Date.parse(run.ended) : 0);
  const whole = Math.max(1, end - start);
  const part = (ms: number) => `${((ms / whole) * 100).toFixed(3)}%`;
  return (
    <div class="waterfall">
      <ol>
        {spans.map((s, i) => (
          <li key={i} class={s.kind}>
            <span class="span-name" title={s.name}>
              {s.name}
            </span>
            <span class="span-track" aria-hidden="true">
              <i
                class={`fill-${toneOf(s.state)}`}
                style={{ left: part(s.from - start), width: part(s.ms) }}
              />
            </span>
            <span class="span-time">{duration(s.ms)}</span>
            <span class="span-state">
              <Mark state={s.state} word={s.word} />
              {s.attempts > 1 && <small>tried {s.attempts} times</small>}
            </span>
          </li>
        ))}
      </ol>
      <p class="span-scale" aria-hidden="true">
        <span>0</span>
        <span>{duration(whole / 2)}</span>
        <span>{duration(whole)}</span>
      </p>
    </div>
  );
}
