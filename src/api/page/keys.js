// What series and gaps are called, and how they are looked for.
import { name, num, t } from "./i18n.js";

export const KINDS = ["region", "service", "channel"];
export const keyOf = (s) => KINDS.map((kind) => s[kind]).join("/");
export const hrefOf = (s) => `#/series/${KINDS.map((kind) => encodeURIComponent(s[kind])).join("/")}`;
export const isRollUp = (s) => KINDS.some((kind) => s[kind] === "_all");

/** Words to look for, each with the names that read so in the page's language: `词|phone`. */
export function wordsOf(text, names) {
  const reads = (kind, value, word) => name(kind, value).toLowerCase().includes(word) && !value.toLowerCase().includes(word);
  const either = (word) => [word, ...KINDS.flatMap((kind) => ["_all", ...names[kind]].filter((value) => reads(kind, value, word)))];
  return text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => [...new Set(either(word))].join("|")).join(" ");
}

/** A gap in words: what is short comes first in every list, and colour is never alone. */
export function gapText(gap) {
  if (gap > 0) return t("short", { n: num(gap) });
  return gap < 0 ? t("spare", { n: num(-gap) }) : t("even");
}
export const gapClass = (gap) => (gap > 0 ? "gap short" : "gap fine");
