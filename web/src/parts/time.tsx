// A moment: in the project's zone, with the visitor's own on hover; relative while it is young.
//
// SPDX-License-Identifier: MIT
import { useEffect, useState } from "preact/hooks";
import { relative, time, zoneName } from "../format";
import { useSite } from "../site";

const TICK_MS = 15_000;

export function useTick(): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Time({
  at,
  ago,
  seconds,
}: {
  at: string | null;
  ago?: boolean;
  seconds?: boolean;
}) {
  const { timezone } = useSite();
  const now = useTick();
  if (!at) return <span class="none">–</span>;
  const here = `${time(at, timezone, true)} ${zoneName(timezone)}\n${time(at, undefined, true)} here`;
  return (
    <time dateTime={at} title={here}>
      {ago ? relative(at, timezone, now) : time(at, timezone, seconds)}
    </time>
  );
}
