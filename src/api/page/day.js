// A whole day of a series: actual counts, first forecasts, the forecasts known at a chosen time, and the same day a week before.
import * as clock from "./clock.js";
import { h, setText } from "./dom.js";
import { hm, num, percent, t, tickets } from "./i18n.js";
import { gapClass, gapText } from "./keys.js";
import { get } from "./net.js";
import { dayOf, instantOf, iso, local, shiftDay, spanOf } from "./time.js";

/** The day, the time up to which forecasts are known, and the marked instant of an address; `null` for "now". */
export function readDay(params) {
  const instant = (key) => {
    const at = Date.parse(params.get(key) ?? "");
    return Number.isNaN(at) ? null : at;
  };
  const day = /^\d{4}-\d\d-\d\d$/.test(params.get("day") ?? "") ? params.get("day") : null;
  return { day, issued: instant("issued"), at: instant("at") };
}

/** The same as a query of an address. */
export function writeDay({ day, issued, at }) {
  const query = new URLSearchParams();
  if (day) query.set("day", day);
  if (issued != null) query.set("issued", iso(issued));
  if (at != null) query.set("at", iso(at));
  const text = query.toString();
  return text && `?${text}`;
}

/** The day of a choice: that of the marked instant, if none is named; `null` while the present is shown. */
export const chosenDay = ({ day, at }, zone) => day ?? (at == null ? null : dayOf(at, zone));

/** The query of the timeline of a day. */
export function timelineQuery(key, choice, zone) {
  const [from, to] = spanOf(chosenDay(choice, zone), zone).map(iso);
  return { ...key, from, to, issued: choice.issued == null ? null : iso(choice.issued) };
}

export const fetchDay = (key, choice, zone) => get("/timeline", timelineQuery(key, choice, zone));

/** The windows, forecasts and plan of a timeline, as the chart takes them. */
export function charted(day) {
  const of = (key) => day.windows.filter((w) => w[key]).map((w) => ({ start: w.start, ...w[key] }));
  return { windows: day.windows.filter((w) => w.tickets != null || w.missing), forecast: { targets: of("forecast") }, plan: { targets: of("staffing") } };
}

/** Choice of day: previous, next, a date, back to the present; with `issued`, also the time up to which forecasts are known. */
export function dayBar(choice, zone, changed, { past = true, withIssued = true } = {}) {
  const go = (next) => {
    Object.assign(choice, { at: null }, next);
    changed();
  };
  const today = () => dayOf(clock.now(), zone());
  const step = (days) => () => go({ day: shiftDay(chosenDay(choice, zone()) ?? today(), days), issued: null });
  const date = h("input", { type: "date", id: "d-day", onchange: () => date.value && go({ day: date.value, issued: null }) });
  const issued = h("input", { type: "datetime-local", id: "d-issued", step: 900, onchange: () => go({
    day: chosenDay(choice, zone()) ?? today(), issued: issued.value ? instantOf(issued.value, zone()) : null,
  }) });
  const present = h("button", { type: "button", text: t("day_present"), onclick: () => go({ day: null, issued: null }) });
  const node = h("div", { class: "filters days", role: "group", "aria-label": t("day_bar") },
    past && h("button", { type: "button", text: t("day_before"), onclick: step(-1) }),
    h("label", { class: "field", for: "d-day" }, h("span", { text: t("day") }), date),
    past && h("button", { type: "button", id: "d-after", text: t("day_after"), onclick: step(1) }),
    present,
    withIssued && h("label", { class: "field", for: "d-issued" }, h("span", { text: t("day_issued") }), issued));
  node.update = () => {
    const day = chosenDay(choice, zone());
    if (document.activeElement !== date) date.value = day ?? today();
    if (document.activeElement !== issued) issued.value = choice.issued == null ? "" : local(choice.issued, zone());
    present.setAttribute("aria-pressed", String(day === null));
  };
  return node;
}

const sum = (windows, pick) => windows.reduce((total, w) => total + pick(w), 0);

/** "So far 1,204 tickets. First forecast 1,150 (+4.7 %)…": the finalized windows of the day beside what was expected. */
export function daySays(day) {
  const done = day.windows.filter((w) => w.settled && w.tickets != null);
  const came = sum(done, (w) => w.tickets);
  const than = (other) => (other > 0 ? t("day_than", { p: `${came > other ? "+" : ""}${percent(came / other - 1, 1)}` }) : "");
  const both = done.filter((w) => w.first);
  const weeks = done.filter((w) => w.week_before != null);
  const error = both.length && came > 0 ? sum(both, (w) => Math.abs(w.tickets - w.first.quantiles["0.5"])) / sum(both, (w) => w.tickets) : null;
  const rest = day.windows.filter((w) => !w.settled && w.forecast);
  const first = sum(both, (w) => w.first.mean);
  const week = sum(weeks, (w) => w.week_before);
  const item = (label, value, more) => h("div", { class: "kpi" }, h("dt", { text: label }), h("dd", { class: "value", text: value }), h("dd", { class: "muted", text: more }));
  return [h("dl", { class: "kpis" },
    item(t("day_came"), num(came), t("day_came_sub", { n: done.length })),
    item(t("day_first"), both.length ? num(first) : "–", both.length ? than(first) : t("day_no_first")),
    item(t("day_week"), weeks.length ? num(week) : "–", weeks.length ? than(week) : t("day_no_week")),
    item(t("day_rest"), rest.length ? num(sum(rest, (w) => w.forecast.mean)) : "–",
      error == null ? "" : t("day_error", { p: percent(error) })))];
}

const range = (forecast) => t("range", { low: tickets(forecast.quantiles["0.1"]), high: tickets(forecast.quantiles["0.9"]) });
const known = (forecast, zone) => (forecast ? hm(forecast.issued_at, zone) : "–");

/** The day as a table, one row for each window. */
export function dayTable(day, zone, at) {
  const columns = ["time", "actual", "week", "first", "first_at", "latest", "latest_at", "80", "needed", "scheduled", "gap", "sl"];
  const rows = day.windows.map((w) => {
    const [first, latest, plan] = [w.first, w.forecast, w.staffing];
    const cells = [
      tickets(w.tickets) + (w.tickets != null && !w.settled ? t("th_open") : ""), tickets(w.week_before),
      tickets(first?.quantiles["0.5"]), known(first, zone), tickets(latest?.quantiles["0.5"]), known(latest, zone),
      latest ? range(latest) : "–", num(plan?.agents), num(plan?.scheduled),
    ];
    const start = Date.parse(w.start);
    return h("tr", { class: start === at ? "wanted" : null, id: start === at ? "at" : null },
      h("th", { scope: "row", text: hm(w.start, zone) }), cells.map((text) => h("td", { text })),
      h("td", {}, plan ? h("span", { class: gapClass(plan.gap), text: gapText(plan.gap) }) : "–"), h("td", { text: percent(plan?.service_level) }));
  });
  return [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("day_table") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, columns.map((key) => h("th", { scope: "col", text: t(`th_${key}`) })))), h("tbody", {}, rows)))];
}
