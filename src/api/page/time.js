// Days and instants in a zone.
import { offset } from "./i18n.js";

const DAY_MS = 86400000;

export const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** The instant (milliseconds) at which a clock in `zone` shows `text`, as in `datetime-local`. */
export function instantOf(text, zone) {
  const shown = Date.parse(`${text}Z`);
  const near = shown - offset(shown, zone);
  return shown - offset(near, zone);
}

/** What a clock in `zone` shows at `at` (milliseconds), as in `datetime-local`. */
export const local = (at, zone) => new Date(at + offset(at, zone)).toISOString().slice(0, 16);

/** The day in `zone`, such as `2026-11-29`. */
export const dayOf = (at, zone) => local(at, zone).slice(0, 10);

/** A day some days later; `null` for a text that is no day. */
export function shiftDay(day, days) {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? null : new Date(at + days * DAY_MS).toISOString().slice(0, 10);
}

/** First instant of a day and of the next day, in milliseconds. A day may have 23 or 25 hours. */
export const spanOf = (day, zone) => [instantOf(`${day}T00:00`, zone), instantOf(`${shiftDay(day, 1)}T00:00`, zone)];
