// One input in quarantine: each attempt with its run and what came of it, what persons decided,
// and its payload as text.
//
// SPDX-License-Identifier: MIT
import { useResource } from "../resource";
import type { Held } from "../types";
import { AttemptList } from "./attempts";
import { Mark } from "./mark";
import { Loading, Failed } from "./states";
import { Time } from "./time";

function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

const DONE: Record<string, string> = { release: "released", drop: "dropped" };

function Decisions({ list }: { list: Held["decisions"] }) {
  return (
    <ol class="attempts" aria-label="Decisions">
      {list.map((one, i) => (
        <li key={i}>
          <Mark state={one.action} word={DONE[one.action] ?? one.action} /> by{" "}
          <b>{one.who ?? "a person"}</b> · <Time at={one.at} seconds />
          <span class="sub">{one.reason || "no reason given"}</span>
        </li>
      ))}
    </ol>
  );
}

export function HeldInput({ id, close }: { id: string; close: () => void }) {
  const held = useResource<Held>(`/api/v1/quarantine/${encodeURIComponent(id)}`);
  return (
    <aside class="detail" aria-label={`Input ${id}`}>
      <p class="detail-head">
        <b>Input {id}</b>
        <button type="button" class="link" onClick={close}>
          Close
        </button>
      </p>
      {!held.data && (held.error ? <Failed error={held.error} /> : <Loading rows={4} />)}
      {held.data && (
        <div class="held">
          <div>
            <h3>Attempts</h3>
            <AttemptList list={held.data.history} />
            {held.data.decisions.length > 0 && (
              <>
                <h3>Decisions</h3>
                <Decisions list={held.data.decisions} />
              </>
            )}
          </div>
          <div>
            <h3>Payload{held.data.truncated && " (the beginning)"}</h3>
            <pre class="typed payload" tabIndex={0} aria-label="Payload">
              {held.data.payload === null
                ? `no UTF-8 text; the line at fault: dts quarantine show ${id}`
                : pretty(held.data.payload)}
            </pre>
          </div>
        </div>
      )}
    </aside>
  );
}
