// Names of series and gaps, and the search for series.
import { name, num, t } from "./i18n.js";

export const KINDS = ["region", "service", "channel"];
export const keyOf = (s) => KINDS.map((kind) => s[kind]).join("/");
export const hrefOf = (s) => `#/series/${KINDS.map((kind) => encodeURIComponent(s[kind])).join("/")}`;
/** The series' day, with the window that starts at `at` marked. */
export const hrefAt = (s, at) => `${hrefOf(s)}?at=${encodeURIComponent(at)}`;
export const isRollUp = (s) => KINDS.some((kind) => s[kind] === "_all");

/** Words to search for, each with the names that the page shows in this way: `电话|phone`. */
export function wordsOf(text, names) {
  const reads = (kind, value, word) => name(kind, value).toLowerCase().includes(word) && !value.toLowerCase().includes(word);
  const either = (word) => [word, ...KINDS.flatMap((kind) => ["_all", ...names[kind]].filter((value) => reads(kind, value, word)))];
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => [...new Set(either(word))].join("|")).join(" ");
}

/** A gap in words, so that colour is not the only sign. */
export function gapText(gap) {
  if (gap > 0) return t("short", { n: num(gap) });
  return gap < 0 ? t("spare", { n: num(-gap) }) : t("even");
}
export const gapClass = (gap) => (gap > 0 ? "gap short" : "gap fine");
