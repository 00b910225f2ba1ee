// One event stream for the whole application. It is closed while the page is hidden and opened
// again, with a "resync", when it is seen; where the engine has no stream left to give, the page
// asks again every 15 seconds instead.
//
// SPDX-License-Identifier: MIT
import { useEffect, useState } from "preact/hooks";

export type LiveEvent =
  | { kind: "change"; tables: string[] }
  | { kind: "run"; id: string | number; pipeline: string; state: string }
  | { kind: "reload"; faults: number }
  | { kind: "resync" };
export type LiveState = "connecting" | "live" | "paused" | "polling";

const POLL_MS = 15_000;
const listeners = new Set<(event: LiveEvent) => void>();
const watchers = new Set<(state: LiveState) => void>();
let source: EventSource | null = null;
let timer = 0;
let state: LiveState = "connecting";

function emit(event: LiveEvent) {
  listeners.forEach((listener) => listener(event));
}

function become(next: LiveState) {
  state = next;
  watchers.forEach((watch) => watch(next));
}

function pass(kind: "change" | "run" | "reload") {
  return (event: MessageEvent<string>) => {
    try {
      emit({ kind, ...JSON.parse(event.data) });
    } catch {
      emit({ kind: "resync" }); // an unreadable event still says that something moved
    }
  };
}

function poll() {
  become("polling");
  clearInterval(timer);
  timer = window.setInterval(() => {
    emit({ kind: "resync" });
    if (source?.readyState === EventSource.CLOSED) open();
  }, POLL_MS);
}

function open() {
  source?.close();
  source = new EventSource("/api/v1/stream");
  source.onopen = () => {
    clearInterval(timer);
    if (state === "polling") emit({ kind: "resync" });
    become("live");
  };
  source.onerror = () => state !== "polling" && poll();
  for (const kind of ["change", "run", "reload"] as const) {
    source.addEventListener(kind, pass(kind));
  }
}

function close() {
  source?.close();
  source = null;
  clearInterval(timer);
}

function onVisibility() {
  if (document.hidden) {
    close();
    become("paused");
  } else {
    open();
    emit({ kind: "resync" });
  }
}

export function startLive() {
  document.addEventListener("visibilitychange", onVisibility);
  if (document.hidden) become("paused");
  else open();
}

export function useLive(listener: (event: LiveEvent) => void) {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}

export function useLiveState(): LiveState {
  const [now, set] = useState(state);
  useEffect(() => {
    set(state);
    watchers.add(set);
    return () => void watchers.delete(set);
  }, []);
  return now;
}
