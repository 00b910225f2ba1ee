// Zoom by dragging over a range, for a fine pointer: a finger drags the page instead.
//
// SPDX-License-Identifier: MIT
const LEAST = 8; // pixels that are a drag and not a click

export function dragToZoom(
  frame: HTMLElement,
  zoom: (from: number, to: number) => void,
): () => void {
  const band = frame.appendChild(document.createElement("div"));
  band.className = "zoom-band";
  let start: number | null = null;
  const at = (event: PointerEvent) => event.clientX - frame.getBoundingClientRect().left;
  const down = (event: PointerEvent) => {
    if (event.button === 0 && event.pointerType === "mouse" && !event.shiftKey) start = at(event);
  };
  const move = (event: PointerEvent) => {
    if (start === null) return;
    const x = at(event);
    band.style.display = Math.abs(x - start) > LEAST ? "block" : "none";
    band.style.left = `${Math.min(x, start)}px`;
    band.style.width = `${Math.abs(x - start)}px`;
  };
  const up = (event: PointerEvent) => {
    if (start === null) return;
    const [from, to] = [start, at(event)].sort((a, b) => a - b);
    start = null;
    band.style.display = "none";
    if (to - from > LEAST) zoom(from, to);
  };
  frame.addEventListener("pointerdown", down);
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  return () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
  };
}
