// The visitor's key: taken from the address or a field, traded for a cookie that no script reads.
//
// SPDX-License-Identifier: MIT
import { post, remove } from "./api";
import { forgetAll } from "./resource";

export function takeKey(): string | null {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key !== null) history.replaceState(null, "", location.pathname + location.search);
  return key;
}

export async function signIn(key: string): Promise<void> {
  await post("/api/v1/session", { key });
  forgetAll();
}

export async function signOut(): Promise<void> {
  await remove("/api/v1/session");
  forgetAll();
}
