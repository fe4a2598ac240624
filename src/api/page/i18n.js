// Texts, numbers and dates in the page's language.
import en from "./en.js";
import zh from "./zh.js";
import { remember } from "./dom.js";

const TEXTS = { en, "zh-Hans": zh };
const LOCALES = { en: "en-GB", "zh-Hans": "zh-CN" };
const formats = new Map();

/** The language's tag, as in `<html lang>`. */
export const lang = () => (document.documentElement.lang in TEXTS ? document.documentElement.lang : "en");
/** Its name in requests: `en`, `zh`. */
export const langCode = () => lang().split("-")[0];

export function setLang(next) {
  document.documentElement.lang = next;
  remember("lang", langCode());
  translatePage();
}

/** The message `id` with its arguments. Numbers choose plural forms, and whole ones get thousands separators. */
export function t(id, values = {}) {
  const pattern = TEXTS[lang()][id];
  return pattern === undefined ? id : filled(pattern, values).replaceAll(" %", "\u00a0%"); // stay on one line
}

/** A pattern of the catalogue is a string, or an array of strings, arguments, messages and choices. */
function filled(pattern, values) {
  return typeof pattern === "string" ? pattern : pattern.map((part) => placed(part, values)).join("");
}

function placed(part, values) {
  if (typeof part === "string") return part;
  if ("m" in part) return filled(TEXTS[lang()][part.m], values);
  if ("v" in part) return shown(values[part.v]);
  return filled(part.o[chosen(part, values[part.s])], values);
}

const shown = (value) => (Number.isInteger(value) ? format(Intl.NumberFormat, {}).format(value) : value ?? "");

/** The key of a choice: the value itself, its plural category, or the default. */
function chosen({ o, d }, value) {
  if (String(value) in o) return String(value);
  const category = typeof value === "number" ? format(Intl.PluralRules, {}).select(value) : d;
  return category in o ? category : d;
}

/** Texts in a row, with the language's separator: of a `list`, of the `part`s of a clause, or of a `sentence`. */
export const joined = (separator, texts) => texts.filter(Boolean).join(t(`${separator}-separator`));

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
/** Tickets: small figures keep one digit, because 0.4 per window is more than none. */
export const tickets = (x) => num(x, x != null && Math.abs(x) < 10 ? 1 : 0);
/** A whole number in little space: 1.2K, 1.2万. */
export const compact = (x) => (x == null ? "–" : format(Intl.NumberFormat, { notation: "compact", maximumFractionDigits: x < 1000 ? 0 : 1 }).format(x));
export const signed = (x) => format(Intl.NumberFormat, { signDisplay: "exceptZero" }).format(x);
/** A share as a percentage with as many decimals. */
export const percent = (x, digits = 0) => {
  const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return x == null ? "–" : t("percent", { value: format(Intl.NumberFormat, fixed).format(x * 100) });
};
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

/** Minutes as a duration: 45 min, 2 h 15 min. */
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

const CHANNELS = ["phone", "chat", "email", "complaint"];

/** A region's, service's or channel's name; roll-ups and common channels have names of the catalogue. */
export function name(kind, text) {
  if (text === "_all") return t(`name-all-${kind}s`);
  if (text === "unknown") return t("name_unknown");
  return kind === "channel" && CHANNELS.includes(text) ? t(`channel-${text}`) : text;
}

export const seriesName = (s) => ["region", "service", "channel"].map((kind) => name(kind, s[kind])).join(" / ");
