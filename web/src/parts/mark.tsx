// A state as a person reads it: a word, a shape and a colour, always together. The shapes differ
// so that the colour is never needed.
//
// SPDX-License-Identifier: MIT
type Tone = "done" | "running" | "waiting" | "failed" | "quarantined" | "missing" | "idle";

const TONES: Record<string, Tone> = {
  done: "done",
  present: "done",
  ok: "done",
  filled: "done",
  stored: "done",
  live: "done",
  leased: "running",
  running: "running",
  queued: "waiting",
  waiting: "waiting",
  retrying: "waiting",
  pending: "waiting",
  open: "waiting",
  failed: "failed",
  firing: "failed",
  refused: "failed",
  error: "failed",
  fault: "failed",
  quarantined: "quarantined",
  missing: "missing",
};
const WORDS: Record<string, string> = { leased: "running" };

export const toneOf = (state: string): Tone => TONES[state] ?? "idle";
export const wordOf = (state: string): string => WORDS[state] ?? state;

const SHAPES: Record<Tone, preact.JSX.Element> = {
  done: <path d="M2.5 6.5 5 9l4.5-6" fill="none" stroke="currentColor" stroke-width="1.8" />,
  running: <path d="M3.5 2v8L10 6z" fill="currentColor" />,
  waiting: (
    <g fill="none" stroke="currentColor" stroke-width="1.5">
      <circle cx="6" cy="6" r="4.25" />
      <path d="M6 3.5V6l1.8 1.4" />
    </g>
  ),
  failed: <path d="m2.75 2.75 6.5 6.5m0-6.5-6.5 6.5" stroke="currentColor" stroke-width="1.8" />,
  quarantined: <path d="M6 1 11 6 6 11 1 6z" fill="currentColor" />,
  missing: (
    <path
      d="M1.75 1.75h8.5v8.5h-8.5zm0 8.5 8.5-8.5m-8.5 4.25 4.25-4.25m0 8.5 4.25-4.25"
      fill="none"
      stroke="currentColor"
    />
  ),
  idle: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.4" />,
};

export function Shape({ state }: { state: string }) {
  return (
    <svg class="shape" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[toneOf(state)]}
    </svg>
  );
}

export function Mark({ state, word }: { state: string; word?: string }) {
  return (
    <span class={`mark tone-${toneOf(state)}`}>
      <Shape state={state} />
      {word ?? wordOf(state)}
    </span>
  );
}
