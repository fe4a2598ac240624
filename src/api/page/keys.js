// What series and gaps are called, and which series a filter lets through.
import { num, seriesName, t } from "./i18n.js";

export const KINDS = ["region", "service", "channel"];
export const keyOf = (s) => KINDS.map((kind) => s[kind]).join("/");
export const hrefOf = (s) => `#/series/${KINDS.map((kind) => encodeURIComponent(s[kind])).join("/")}`;
export const isRollUp = (s) => KINDS.some((kind) => s[kind] === "_all");

export function matches(s, filter) {
  if (!filter.rollups && isRollUp(s)) return false;
  if (KINDS.some((kind) => filter[kind] && s[kind] !== filter[kind])) return false;
  const text = `${keyOf(s)} ${seriesName(s)}`.toLowerCase();
  return filter.q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A gap in words: what is short comes first in every list, and colour is never alone. */
export function gapText(gap) {
  if (gap > 0) return t("short", { n: num(gap) });
  return gap < 0 ? t("spare", { n: num(-gap) }) : t("even");
}
export const gapClass = (gap) => (gap > 0 ? "gap short" : "gap fine");
