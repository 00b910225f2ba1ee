// An error as the terminal shows it: what, where, the lines around it, the hint.
//
// SPDX-License-Identifier: MIT
import type { Fail } from "../types";

export function ErrorView({ error }: { error: Fail }) {
  const line = /:(\d+)(?:\D|$)/.exec(error.where ?? "")?.[1];
  return (
    <div class="error-view" role="alert">
      <p class="error-text">
        {error.message} <code>{error.code}</code>
      </p>
      {error.where && <p class="where">{error.where}</p>}
      {error.source && error.source.length > 0 && (
        <pre class="source" tabIndex={0} aria-label="Source lines">
          {error.source.map(([n, text]) => (
            <span key={n} class={String(n) === line ? "at" : undefined}>
              <i>{n}</i>
              {text}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
      {error.hint && <p class="hint">{error.hint}</p>}
    </div>
  );
}
