// A thing read from the engine and kept fresh: what is known stays on the screen while it is asked
// for again, so nothing jumps and a failed refresh shows as "stale since" rather than as nothing.
//
// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, get } from "./api";
import { type LiveEvent, useLive } from "./live";

export type Resource<T> = {
  data?: T;
  error?: ApiError;
  pending: boolean;
  at: number; // when `data` was read
  reload: () => void;
};

const SETTLE_MS = 300; // a burst of commits becomes one request
const KEPT = 60;
const kept = new Map<string, { data: unknown; at: number }>();

function keep(path: string, data: unknown) {
  kept.delete(path);
  kept.set(path, { data, at: Date.now() });
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}

export function forgetAll() {
  kept.clear();
}

type Wanted<T> = (event: LiveEvent, data: T | undefined) => boolean;
const never = () => false;
export const onAnyRun = (event: LiveEvent) => event.kind !== "change";
export const onAnything = () => true;

export function useResource<T>(path: string | null, wanted: Wanted<T> = never): Resource<T> {
  const [, redraw] = useState(0);
  const now = useRef<Resource<T>>({ pending: true, at: 0, reload: () => {} });
  const latest = useRef(path);
  const timer = useRef(0);

  const load = useCallback(async () => {
    const asked = latest.current;
    if (asked === null) return;
    const settle = (change: Partial<Resource<T>>) => {
      if (latest.current !== asked) return;
      now.current = { ...now.current, pending: false, ...change };
      redraw((n) => n + 1);
    };
    try {
      const data = await get<T>(asked);
      keep(asked, data);
      settle({ data, error: undefined, at: Date.now() });
    } catch (fault) {
      settle({ error: asApiError(fault) });
    }
  }, []);

  if (latest.current !== path || now.current.at === 0) {
    const known = path === null ? undefined : kept.get(path);
    if (known) now.current = { ...now.current, data: known.data as T, at: known.at };
    latest.current = path;
  }
  useEffect(() => {
    now.current = { ...now.current, pending: path !== null, error: undefined };
    redraw((n) => n + 1);
    void load();
  }, [path]);
  useEffect(() => () => void ((latest.current = null), clearTimeout(timer.current)), []);

  useLive(
    useCallback((event: LiveEvent) => {
      if (event.kind !== "resync" && !wanted(event, now.current.data)) return;
      clearTimeout(timer.current);
      timer.current = window.setTimeout(load, SETTLE_MS);
    }, []),
  );
  return { ...now.current, reload: load };
}
