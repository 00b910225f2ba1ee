// Addresses without a hash: the history API, and plain links. A place is what the path names; its
// filters stand in the query, so that whatever is on the screen can be sent to a colleague.
//
// SPDX-License-Identifier: MIT
import { useEffect, useState } from "preact/hooks";

const listeners = new Set<() => void>();
const SERVED = /^\/(api\/|upload\/|healthz|readyz|metrics)/; // not places of this application

function tell() {
  listeners.forEach((listener) => listener());
}

export function navigate(to: string, replace = false) {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  tell();
}

export function useAddress(): { path: string; query: URLSearchParams } {
  const [here, set] = useState(location.pathname + location.search);
  useEffect(() => {
    const listener = () => set(location.pathname + location.search);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  const url = new URL(here, location.origin);
  return { path: url.pathname, query: url.searchParams };
}

// Changes the query of the present place: a list repeats a name, null takes it away.
export function setQuery(changes: Record<string, string | string[] | null>, replace = true) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of value === null ? [] : [value].flat()) query.append(name, one);
  }
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), replace);
}

function placeOf(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element).closest?.("a");
  if (!link || link.hasAttribute("download") || link.hasAttribute("target")) return null;
  const href = link.getAttribute("href");
  return href && /^\/(?!\/)/.test(href) && !SERVED.test(href) ? href : null;
}

export function startRouter() {
  addEventListener("popstate", tell);
  document.addEventListener("click", (event) => {
    const to = placeOf(event);
    if (!to) return;
    event.preventDefault();
    navigate(to);
  });
}
