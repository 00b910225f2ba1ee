// The log of a run: read once when it has ended, followed by an event stream while it runs. It
// stays at its end unless the reader scrolls up.
//
// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from "preact/hooks";
import { asApiError, get } from "../api";
import { clockTime } from "../format";
import { useSite } from "../site";
import type { LogLine } from "../types";
import { Empty } from "./states";

const KEPT_LINES = 5000;

function useLog(path: string, live: boolean): { lines: LogLine[] | null; fault: string } {
  const [lines, setLines] = useState<LogLine[] | null>(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    let gone = false;
    const failed = (error: unknown) => gone || setFault(asApiError(error).message);
    if (!live) {
      get<LogLine[]>(path).then((all) => gone || setLines(all), failed);
      return () => void (gone = true);
    }
    const source = new EventSource(path);
    let heard: LogLine[] = [];
    source.onopen = () => (heard = []); // a stream that begins again tells all from the start
    source.onmessage = (event) => {
      heard = [...heard, JSON.parse(event.data) as LogLine].slice(-KEPT_LINES);
      setLines(heard);
    };
    return () => source.close();
  }, [path, live]);
  return { lines, fault };
}

export function Log({ path, live }: { path: string; live: boolean }) {
  const { timezone } = useSite();
  const { lines, fault } = useLog(path, live);
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    if (live && follow.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  if (fault)
    return (
      <p class="stale" role="alert">
        The log could not be read: {fault}
      </p>
    );
  if (lines && !lines.length) {
    return (
      <Empty title="Nothing was logged" type={`print("rows", #rows)   -- or dts.log`}>
        A script logs with:
      </Empty>
    );
  }
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    follow.current = scrollTop + clientHeight > scrollHeight - 24;
  };
  return (
    <div
      class="log"
      ref={box}
      onScroll={onScroll}
      tabIndex={0}
      role="log"
      aria-label="Log"
      aria-live={live ? "polite" : "off"}
    >
      {(lines ?? []).map((line, i) => (
        <p key={i} class={`level-${line.level}`}>
          <time dateTime={line.at}>{clockTime(line.at, timezone)}</time>
          <b>{line.level}</b>
          <span>{line.message}</span>
        </p>
      ))}
    </div>
  );
}
