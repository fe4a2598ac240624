// A small chart of one series: actual, forecast, and the current time.
import { svg } from "./dom.js";

const STEP = 4;
const HEIGHT = 36;
const PAD = 2;

/** A path through `values`; a missing one (null) breaks it. */
function path(values, first, y) {
  let pen = "M";
  let d = "";
  values.forEach((value, i) => {
    if (value == null) pen = "M";
    else {
      d += `${pen}${(first + i) * STEP} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  });
  return d;
}

/** `past` and `next`: tickets per window, oldest first. */
export function spark(past, next) {
  const top = Math.max(1, ...past.filter((v) => v != null), ...next);
  const y = (v) => HEIGHT - PAD - (v / top) * (HEIGHT - 2 * PAD);
  const width = (past.length + next.length - 1) * STEP;
  const now = (past.length - 0.5) * STEP;
  const last = past.at(-1);
  const ahead = last == null ? path(next, past.length, y) : path([last, ...next], past.length - 1, y);
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { class: "zero", x1: 0, x2: width, y1: HEIGHT - 1, y2: HEIGHT - 1 }),
    svg("line", { class: "now", x1: now, x2: now, y1: 0, y2: HEIGHT }),
    svg("path", { class: "past", d: path(past, 0, y) }),
    svg("path", { class: "next", d: ahead }));
}
