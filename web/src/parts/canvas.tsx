// A drawn chart in its frame: the library comes when it is first needed, the height is there from
// the start. The keys + - 0 and the arrows zoom and move.
//
// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawing } from "../charts/draw";
import type { Model } from "../charts/model";
import { summaryOf } from "../charts/summary";
import { type Palette, readTheme } from "../charts/theme";

const KEYS: Record<string, "in" | "out" | "left" | "right" | "all"> = {
  "+": "in",
  "=": "in",
  "-": "out",
  "0": "all",
  ArrowLeft: "left",
  ArrowRight: "right",
};

export function useRedraw(palette: Palette): number {
  const [n, set] = useState(0);
  useEffect(() => {
    const again = () => set((old) => old + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    const deaf = palette.listen(again);
    return () => {
      dark.removeEventListener("change", again);
      deaf();
    };
  }, [palette]);
  return n;
}

export function Canvas(props: {
  model: Model;
  palette: Palette;
  hidden: Set<string>;
  height: number;
  drawing: { current: Drawing | null };
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const turn = useRedraw(props.palette);
  const { drawing } = props;
  useEffect(() => {
    let gone = false;
    void import("../charts/draw").then(({ draw }) => {
      if (gone || !frame.current) return;
      drawing.current = draw(frame.current, setZoomed);
      setReady(true);
    });
    return () => {
      gone = true;
      drawing.current?.end();
      drawing.current = null;
    };
  }, []);
  useEffect(() => {
    if (!ready) return;
    drawing.current?.show(props.model, {
      theme: readTheme(),
      slot: (name) => props.palette.slot(name),
      hidden: props.hidden,
    }, props.height);
  }, [ready, props.model, props.hidden, turn]);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.ctrlKey || event.metaKey ? undefined : KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    drawing.current?.zoom(action);
  };
  return (
    <div class="canvas-box" style={{ minHeight: props.height }}>
      <div
        class="canvas"
        ref={frame}
        role="img"
        tabIndex={0}
        aria-label={summaryOf(props.model)}
        aria-keyshortcuts="+ - 0 ArrowLeft ArrowRight"
        data-drawn={ready ? props.model.points : undefined}
        onKeyDown={onKeyDown}
        style={{ height: props.height }}
      />
      {zoomed && (
        <button type="button" class="quiet reset" onClick={() => drawing.current?.zoom("all")}>
          Show all
        </button>
      )}
    </div>
  );
}
