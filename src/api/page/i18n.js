// Every text, number and date that a person reads goes through here.
import en from "./en.js";
import zh from "./zh.js";
import { remember } from "./dom.js";

const TEXTS = { en, "zh-Hans": zh };
const LOCALES = { en: "en-GB", "zh-Hans": "zh-CN" };
const formats = new Map();

export const lang = () => (document.documentElement.lang in TEXTS ? document.documentElement.lang : "en");

export function setLang(next) {
  document.documentElement.lang = next;
  remember("lang", next === "zh-Hans" ? "zh" : "en");
  translatePage();
}

/** The text `key`, with `{name}` replaced from `values`; a function in the table gets the values. */
export function t(key, values = {}) {
  const text = TEXTS[lang()][key] ?? en[key] ?? key;
  if (typeof text === "function") return text(values);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Fills the fixed texts of index.html. */
export function translatePage() {
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
}

function format(kind, options) {
  const id = `${lang()}${kind.name}${JSON.stringify(options)}`;
  if (!formats.has(id)) formats.set(id, new kind(LOCALES[lang()], options));
  return formats.get(id);
}

export const num = (x, digits = 0) =>
  x == null ? "–" : format(Intl.NumberFormat, { maximumFractionDigits: digits }).format(Number(x.toFixed(digits)) + 0);
/** Tickets: small figures keep one digit, since 0.4 a window is not nothing. */
export const tickets = (x) => num(x, x != null && Math.abs(x) < 10 ? 1 : 0);
export const signed = (x) => format(Intl.NumberFormat, { signDisplay: "exceptZero" }).format(x);
export const percent = (x, digits = 0) =>
  x == null ? "–" : format(Intl.NumberFormat, { style: "percent", maximumFractionDigits: digits }).format(x);
export const times = (x) =>
  x == null ? "–" : `×${format(Intl.NumberFormat, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(x)}`;

function dated(at, zone, options) {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return "–";
  return format(Intl.DateTimeFormat, { hourCycle: "h23", ...options, timeZone: zone }).format(when)
    .replace(/(\p{Script=Han})(?=\d\d:)/u, "$1 "); // "周六09:30" reads badly
}

export const hm = (at, zone) => dated(at, zone, { hour: "2-digit", minute: "2-digit" });
export const hms = (at, zone) => dated(at, zone, { weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const dayTime = (at, zone) => dated(at, zone, { weekday: "short", hour: "2-digit", minute: "2-digit" });
export const longDayTime = (at, zone) => dated(at, zone, { weekday: "long", hour: "2-digit", minute: "2-digit" });
export const dateTime = (at, zone) =>
  dated(at, zone, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const dayMonth = (at, zone) => dated(at, zone, { weekday: "short", day: "numeric", month: "short" });

/** Minutes as people say them: 45 min, 2 h 15 min. */
export function span(minutes) {
  const h = Math.floor(minutes / 60);
  const m = Math.round(minutes % 60);
  if (h === 0) return t("minutes", { m });
  return m === 0 ? t("hours", { h }) : t("hours_minutes", { h, m });
}

/** Milliseconds that `zone` is ahead of UTC at `at` (milliseconds). */
export function offset(at, zone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
    hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(at);
  const p = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(at / 1000) * 1000;
}

/** "UTC+8". */
export function zoneShift(zone, at) {
  const minutes = Math.round(offset(at, zone) / 60000);
  const h = Math.floor(Math.abs(minutes) / 60);
  const m = Math.abs(minutes) % 60;
  return minutes === 0 ? "UTC" : `UTC${minutes < 0 ? "−" : "+"}${h}${m ? `:${String(m).padStart(2, "0")}` : ""}`;
}

/** "Asia/Shanghai (UTC+8)". */
export const zoneLabel = (zone, at) => (zone === "UTC" ? "UTC" : `${zone} (${zoneShift(zone, at)})`);

/** A region's, service's or channel's name; roll-ups and the common channels are put in words. */
export function name(kind, text) {
  if (text === "_all") return t(`all_${kind}`);
  const known = TEXTS[lang()][`name_${text}`];
  return known ?? text;
}

export const seriesName = (s) => ["region", "service", "channel"].map((kind) => name(kind, s[kind])).join(" / ");
