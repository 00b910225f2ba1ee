// Shown where the engine answers 401: what is needed, how to make it, and a field for it.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError } from "../api";
import { signIn } from "../session";

export function NeedsKey({ scope = "read" }: { scope?: string }) {
  const [key, setKey] = useState("");
  const [fault, setFault] = useState("");
  const enter = async (event: Event) => {
    event.preventDefault();
    try {
      await signIn(key.trim());
      location.reload();
    } catch (error) {
      const { status, message } = asApiError(error);
      setFault(status === 401 ? "No such key, or it was revoked." : message);
    }
  };
  return (
    <form class="state needs-key" onSubmit={enter}>
      <p class="state-title">This needs a key</p>
      <p>
        Paste a key with the scope <b>{scope}</b>. Whoever runs the engine can make one:
      </p>
      <pre class="typed" tabIndex={0}>
        <code>dts key add my-name --scope {scope}</code>
      </pre>
      <label class="field">
        Key
        <input
          type="password"
          autoComplete="current-password"
          required
          value={key}
          onInput={(e) => setKey(e.currentTarget.value)}
          aria-describedby={fault ? "key-fault" : undefined}
        />
      </label>
      {fault && (
        <p id="key-fault" class="field-fault" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
