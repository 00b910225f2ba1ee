// What every place needs to know of the project: its name, its zone, and what the visitor's key
// allows.
//
// SPDX-License-Identifier: MIT
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Scope, Site } from "./types";

export const NOBODY: Site = {
  name: "",
  version: "",
  timezone: "UTC",
  now: "",
  scopes: [],
  faults: [],
  pages: [],
};
export const SiteContext = createContext<Site>(NOBODY);

export function useSite(): Site {
  return useContext(SiteContext);
}

export function useMay(scope: Scope): boolean {
  return useSite().scopes.includes(scope);
}
