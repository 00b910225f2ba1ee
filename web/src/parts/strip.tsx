// The last runs of a pipeline: height is duration, colour and shape are the state. The bars are
// for the pointer; a sentence says the same to a screen reader, and the pipeline's name leads to
// its runs.
//
// SPDX-License-Identifier: MIT
import { duration } from "../format";
import type { StripRun } from "../types";
import { navigate } from "../router";
import { toneOf, wordOf } from "./mark";

const HEIGHT = 28;
const STEP = 7;
const SLOTS = 30;

function sentence(runs: StripRun[]): string {
  if (!runs.length) return "No runs yet";
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(wordOf(run.state), (counts.get(wordOf(run.state)) ?? 0) + 1);
  return `Last ${runs.length} runs: ${[...counts].map(([word, n]) => `${n} ${word}`).join(", ")}`;
}

// What tells a state from done without its colour: a cross, a diamond, or a hollow bar.
function Sign({ tone, x, y }: { tone: string; x: number; y: number }) {
  if (tone === "failed") return <path class="sign" d={`M${x} ${y - 5}l4 4m0-4-4 4`} />;
  if (tone === "quarantined") {
    return <path class="sign full" d={`M${x + 2} ${y - 6}l2.5 2.5-2.5 2.5-2.5-2.5z`} />;
  }
  return null;
}

function open(event: MouseEvent) {
  const run = (event.target as Element).closest("[data-run]")?.getAttribute("data-run");
  if (run) navigate(`/runs/${encodeURIComponent(run)}`);
}

export function Strip({ runs }: { runs: StripRun[] }) {
  const longest = Math.max(1, ...runs.map((run) => run.ms ?? 0));
  const first = SLOTS - runs.length;
  return (
    <span class="strip">
      <span class="sr">{sentence(runs)}</span>
      <svg
        viewBox={`0 0 ${SLOTS * STEP} ${HEIGHT + 2}`}
        width={SLOTS * STEP}
        height={HEIGHT + 2}
        aria-hidden="true"
        onClick={open}
      >
        <path class="ground" d={`M0 ${HEIGHT + 1.5}H${SLOTS * STEP}`} />
        {runs.slice(-SLOTS).map((run, i) => {
          const tone = toneOf(run.state);
          const height = 3 + Math.sqrt((run.ms ?? longest / 4) / longest) * (HEIGHT - 10);
          const x = (first + i) * STEP + 1;
          return (
            <g key={run.id} data-run={run.id} class={`run fill-${tone}`}>
              <title>{`Run ${run.id}: ${wordOf(run.state)}${run.ms === null ? "" : `, ${duration(run.ms)}`}`}</title>
              <rect class="hit" x={x - 1} y="0" width={STEP} height={HEIGHT + 2} />
              <rect
                class="bar-mark"
                x={x}
                y={HEIGHT + 1 - height}
                width="5"
                height={height}
                rx="1"
              />
              <Sign tone={tone} x={x + 0.5} y={HEIGHT + 1 - height} />
            </g>
          );
        })}
      </svg>
    </span>
  );
}
