// The states that everything has: nothing yet, loading, stale, failed, refused. Each says what the
// visitor can do next.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api";
import type { Resource } from "../resource";
import { NeedsKey } from "./needs-key";
import { Time } from "./time";

export function Empty(props: { title: string; children?: ComponentChildren; type?: string }) {
  return (
    <div class="state">
      <p class="state-title">{props.title}</p>
      {props.children && <p>{props.children}</p>}
      {props.type && (
        <pre class="typed" tabIndex={0}>
          <code>{props.type}</code>
        </pre>
      )}
    </div>
  );
}

export function Loading({ rows = 5, height }: { rows?: number; height?: number }) {
  return (
    <div
      class="skeleton"
      role="status"
      aria-label="Loading"
      style={height ? { height } : undefined}
    >
      {height ? <i style={{ height }} /> : Array.from({ length: rows }, (_, i) => <i key={i} />)}
    </div>
  );
}

export function Failed({ error, retry }: { error: ApiError; retry?: () => void }) {
  if (error.status === 401) return <NeedsKey />;
  const refused = error.status === 403;
  return (
    <div class={`state ${refused ? "refused" : "failed"}`} role="alert">
      <p class="state-title">{refused ? "This key may not do that" : error.message}</p>
      {refused && <p>{error.message}</p>}
      {error.hint && <p>{error.hint}</p>}
      {error.where && <p class="where">{error.where}</p>}
      <p class="state-foot">
        <code>{error.code}</code>
        {retry && !refused && (
          <button type="button" class="quiet" onClick={retry}>
            Try again
          </button>
        )}
      </p>
    </div>
  );
}

export function Stale({ of }: { of: Resource<unknown> }) {
  if (!of.error || of.data === undefined) return null;
  return (
    <p class="stale" role="status">
      Not refreshed since <Time at={new Date(of.at).toISOString()} ago />: {of.error.message}{" "}
      <button type="button" class="link" onClick={of.reload}>
        Try again
      </button>
    </p>
  );
}

// What is known is shown, even while it is asked for again or the asking failed.
export function Shown<T>(props: {
  of: Resource<T>;
  rows?: number;
  children: (data: T) => ComponentChildren;
}) {
  const { of } = props;
  if (of.data === undefined && of.error) return <Failed error={of.error} retry={of.reload} />;
  if (of.data === undefined) return <Loading rows={props.rows} />;
  if (of.error?.status === 401) return <NeedsKey />;
  return (
    <>
      <Stale of={of} />
      {props.children(of.data)}
    </>
  );
}
