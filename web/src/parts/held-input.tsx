// One input in quarantine: its payload as text, and each attempt with its error.
//
// SPDX-License-Identifier: MIT
import { useResource } from "../resource";
import type { Held } from "../types";
import { Loading, Failed } from "./states";
import { Time } from "./time";

function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
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
            <ol class="attempts">
              {held.data.history.map((one, i) => (
                <li key={i}>
                  <Time at={one.at} seconds />
                  <span class="sub">{one.error ?? "no error"}</span>
                </li>
              ))}
            </ol>
          </div>
          <div>
            <h3>Payload{held.data.truncated && " (the beginning)"}</h3>
            <pre class="typed payload" tabIndex={0} aria-label="Payload">
              {held.data.payload === null ? "not UTF-8 text" : pretty(held.data.payload)}
            </pre>
          </div>
        </div>
      )}
    </aside>
  );
}
