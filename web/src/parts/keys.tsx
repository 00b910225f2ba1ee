// API keys: who has one, a new one (shown once), and revoking.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError, post, remove } from "../api";
import { useResource } from "../resource";
import type { Key, Scope } from "../types";
import { Shown } from "./states";
import { Time } from "./time";

const SCOPES: Scope[] = ["read", "write", "admin"];

function NewKey({ made }: { made: (key: string) => void }) {
  const [name, setName] = useState("");
  const [upTo, setUpTo] = useState<Scope>("read");
  const [fault, setFault] = useState("");
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      const scopes = SCOPES.slice(0, SCOPES.indexOf(upTo) + 1);
      made((await post<{ key: string }>("/api/v1/keys", { name: name.trim(), scopes })).key);
      setName("");
      setFault("");
    } catch (error) {
      setFault(asApiError(error).message);
    }
  };
  return (
    <form class="filters" onSubmit={add}>
      <label class="field">
        Name
        <input type="text" required value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <label class="field">
        May
        <select value={upTo} onChange={(e) => setUpTo(e.currentTarget.value as Scope)}>
          <option value="read">read</option>
          <option value="write">read and write</option>
          <option value="admin">read, write and administer</option>
        </select>
      </label>
      <button type="submit" class="primary">
        Add key
      </button>
      {fault && (
        <p class="field-fault" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}

function Row({ of, gone }: { of: Key; gone: () => void }) {
  const [sure, setSure] = useState(false);
  const [fault, setFault] = useState("");
  const revoke = async () => {
    try {
      await remove(`/api/v1/keys/${encodeURIComponent(of.name)}`);
      gone();
    } catch (error) {
      setFault(asApiError(error).message);
    }
  };
  return (
    <tr>
      <th scope="row">{of.name}</th>
      <td>{of.scopes.join(", ")}</td>
      <td>
        <Time at={of.created ?? null} ago />
      </td>
      <td>
        <Time at={of.used ?? null} ago />
      </td>
      <td class="right">
        {fault && <span class="field-fault">{fault}</span>}
        {sure ? (
          <button type="button" class="danger" onClick={revoke}>
            Revoke {of.name} for good
          </button>
        ) : (
          <button type="button" class="link" onClick={() => setSure(true)}>
            Revoke
          </button>
        )}
      </td>
    </tr>
  );
}

export function Keys() {
  const keys = useResource<Key[]>("/api/v1/keys");
  const [made, setMade] = useState("");
  const onMade = (key: string) => {
    setMade(key);
    keys.reload();
  };
  return (
    <>
      <NewKey made={onMade} />
      {made && (
        <div class="said" role="status">
          <p>Copy it now; it is not shown again.</p>
          <pre class="typed" tabIndex={0}>
            <code>{made}</code>
          </pre>
        </div>
      )}
      <Shown of={keys} rows={3}>
        {(list) => (
          <div class="table-frame" role="region" aria-label="Keys" tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th>Name</th>
                  <th>Scopes</th>
                  <th>Made</th>
                  <th>Last used</th>
                  <th class="right">
                    <span class="sr">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.map((key) => (
                  <Row key={key.name} of={key} gone={keys.reload} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Shown>
    </>
  );
}
