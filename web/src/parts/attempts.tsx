// The attempts at one input or job: how each ended and when, its run, what the last request was
// answered, and its error.
//
// SPDX-License-Identifier: MIT
import { count } from "../format";
import { Mark } from "./mark";
import { Time } from "./time";

export type Tried = {
  at: string | null;
  run: string | number | null;
  outcome: string;
  http?: number | null;
  rows?: number | null;
  error: string | null;
};

// `here` is the run whose page this is: it is named, not linked.
export function AttemptList({ list, here }: { list: Tried[]; here?: string }) {
  if (!list.length) return <p class="none">not tried yet</p>;
  return (
    <ol class="attempts" aria-label="Attempts">
      {list.map((one, i) => (
        <li key={i}>
          <Mark state={one.outcome} /> <Time at={one.at} seconds />
          {one.run !== null && (
            <>
              {" · "}
              {String(one.run) === here ? "this run" : <a href={`/runs/${one.run}`}>run {one.run}</a>}
            </>
          )}
          {one.http ? ` · HTTP ${one.http}` : null}
          {one.rows ? ` · ${count(one.rows, "row")}` : null}
          {one.error && <span class="sub">{one.error}</span>}
        </li>
      ))}
    </ol>
  );
}
