// One series: past and next hours, the reasons of the forecast, agents needed, and accuracy.
import { draw } from "./chart.js";
import * as clock from "./clock.js";
import { h, setText } from "./dom.js";
import { dateTime, dayMonth, dayTime, hm, joined, longDayTime, num, percent, seriesName, signed, span, t, tickets, zoneLabel } from "./i18n.js";
import { csvButton } from "./csv.js";
import { charted, chosenDay, dayBar, daySays, dayTable, fetchDay, readDay, timelineQuery, writeDay } from "./day.js";
import { gapClass, gapText, hrefAt, hrefOf, keyOf } from "./keys.js";
import { ApiError, get } from "./net.js";
import { attained } from "./service.js";
import { home } from "./overview.js";
import { adjustedSays, hrefOfEntry, touches } from "./planner.js";
import { iso, spanOf } from "./time.js";
import { whatIf } from "./whatif.js";
import { TOPIC_HOURS, fetchTopics, topics, topicsQuery } from "./topics.js";

const HOUR_MS = 3600000;
const LEADS = [60, 180, 360];
/** Kinds of anomalies of a region and service. */
const OF_SCOPE = ["complaints", "phrase", "alarm_storm", "forecast_unreliable"];
/** Kinds of anomalies that mean fewer tickets than expected. */
const FEWER = ["low", "shift_down", "vanished", "silent_source"];
/** What can ask for more agents than the service level does. */
const BOUNDS = ["occupancy", "wait", "abandonment", "minimum"];

/** A part that does not exist yet (404) is `null`; other failures are errors. */
const maybe = (promise) => promise.catch((error) => {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
});

/** Anomalies of a series, those of its region and service, and silent sources; newest first. */
async function fetchAnomalies(key, from) {
  const query = { ...key, from, limit: 100 };
  const isTotal = Object.values(key).every((name) => name === "_all");
  const [own, scope, everywhere] = await Promise.all([
    maybe(get("/anomalies", query)),
    key.channel === "_all" ? [] : maybe(get("/anomalies", { ...query, channel: "_all" })),
    isTotal ? [] : maybe(get("/anomalies", { ...query, region: "_all", service: "_all", channel: "_all" })),
  ]);
  return spells([
    ...(own ?? []),
    ...(scope ?? []).filter((a) => OF_SCOPE.includes(a.kind)),
    ...(everywhere ?? []).filter((a) => a.kind === "silent_source"),
  ]);
}

const EVENTS_MAX = 10;
const excess = (a) => Math.abs(a.score);
/** Scores have a limit. Beyond it, the count decides. */
const isWorse = (a, b) => excess(a) > excess(b) || (excess(a) === excess(b) && Math.abs(a.actual - a.expected) > Math.abs(b.actual - b.expected));

/** One entry for each episode, the newest first: its worst window, its first and last window, and their number. */
export function spells(windows) {
  const open = new Map();
  const events = [];
  for (const a of [...windows].sort((x, y) => x.window.localeCompare(y.window))) {
    const at = Date.parse(a.window);
    const event = open.get(a.episode);
    if (event) {
      Object.assign(event, { last: at, n: event.n + (at > event.last ? 1 : 0), worst: isWorse(a, event.worst) ? a : event.worst });
      continue;
    }
    const found = { worst: a, first: at, last: at, n: 1, kind: a.kind };
    open.set(a.episode, found);
    events.push(found);
  }
  return events.sort((a, b) => b.last - a.last).slice(0, EVENTS_MAX);
}

/** The open tickets of a series; `null` where nothing is known of them. A list is no error then. */
const openTickets = async (key) =>
  (await get("/backlog", { region: key.region, service: key.service })).find((own) => own.channel === key.channel) ?? null;

/** Loads everything about a series, and the chosen day. Roll-ups have no staffing plan. */
async function fetchAll(key, choice) {
  const now = clock.now();
  const zone = clock.zoneOf(key.region);
  const [info, windows, forecast, plan, backlog, accuracy, anomalies, said, entries, service, day] = await Promise.all([
    maybe(get("/series", key)),
    maybe(get("/windows", { ...key, from: iso(now - 25 * HOUR_MS), to: iso(now + HOUR_MS) })),
    maybe(get("/forecasts", key)),
    Object.values(key).includes("_all") ? null : maybe(get("/staffing", key)),
    Object.values(key).includes("_all") ? null : openTickets(key),
    maybe(get("/accuracy", key)),
    fetchAnomalies(key, iso(now - 168 * HOUR_MS)),
    maybe(fetchTopics(key)),
    get("/adjustments", { from: iso(now - 14 * 24 * HOUR_MS) }),
    maybe(get("/service", key)),
    chosenDay(choice, zone) ? maybe(fetchDay(key, choice, zone)) : null,
  ]);
  return { info, windows: windows ?? [], forecast, plan, backlog, accuracy, anomalies, said: said ?? [], entries: entries.filter((e) => touches(e, key)), service, day };
}

/** Usual tickets per window below which a percentage would mislead. */
const FEW = 1;

/** "Today’s level is 12 % above usual." */
function today({ baseline, level }) {
  if (baseline < FEW) return t("why_level", { n: tickets(baseline * level) });
  const off = level - 1;
  if (Math.abs(off) < 0.005) return t("why_same");
  return t(off > 0 ? "why_above" : "why_below", { p: percent(Math.abs(off)) });
}

/** "Usual number of tickets for Saturday 10:00: 42. Today’s level is 12 % above usual. Effect of alarms: 0. …" */
export function explain(target, zone) {
  const { baseline, alarms, adjustments } = target.drivers;
  return joined("sentence", [
    t("why_base", { at: longDayTime(target.start, zone), n: tickets(baseline) }),
    today(target.drivers),
    t("why_alarms", { n: signed(Number(alarms.toFixed(1))) }),
    target.model && t("why_adjusted", { n: signed(Number(adjustments.toFixed(1))), model: tickets(target.model.mean) }),
    t("why_sum", { n: tickets(target.mean), low: tickets(target.quantiles["0.1"]), high: tickets(target.quantiles["0.9"]) }),
  ]);
}

/** "LOS +12.5", "entry “billing run” +37". */
const cause = ({ text, tickets: n }) => t("why_cause", { what: text, n: signed(n) });

/** Planners' entries for this series that are not over, to open; nothing without one. */
function entryLinks(d) {
  const open = d.entries.filter((e) => Date.parse(e.ends_at) > clock.now());
  return open.length > 0 && h("p", {}, t("why_entries"), " ", open.flatMap((e, i) => [i > 0 ? " · " : "", h("a", { href: hrefOfEntry(e), text: e.label })]));
}

function why(d, zone) {
  const targets = d.forecast?.targets ?? [];
  if (targets.length === 0) return [h("p", { class: "muted", text: t("no_forecast") })];
  const peak = targets.reduce((best, x) => (x.mean > best.mean ? x : best));
  const says = (label, target) => [h("dt", { text: joined("part", [label, hm(target.start, zone)]) }), h("dd", { text: explain(target, zone) })];
  return [
    d.forecast.nowcast && h("p", { class: "note nowcast", text: t("nowcast", { at: hm(d.forecast.issued_at, zone), why: d.forecast.nowcast }) }),
    d.forecast.fallback && h("p", { class: "note", text: t("fallback", { text: d.forecast.fallback }) }),
    h("dl", { class: "why" }, says(t("why_next"), targets[0]), peak === targets[0] ? [] : says(t("why_peak"), peak)),
    d.forecast.causes.length > 0 && h("p", { class: "causes", text: t("why_causes", { list: joined("list", d.forecast.causes.map(cause)) }) }),
    entryLinks(d),
    h("p", { class: "muted", text: t("issued", { at: dateTime(d.forecast.issued_at, zone) }) }),
  ];
}

/** "Most give up at 14:00: 4.2 % (mean wait 35 s)."; nothing without figures. */
function abandons(targets, zone) {
  const known = targets.filter((x) => x.p_abandon != null);
  if (known.length === 0) return null;
  const most = known.reduce((best, x) => (x.p_abandon > best.p_abandon ? x : best));
  const words = { at: dayTime(most.start, zone), p: percent(most.p_abandon, 1), wait: num(most.asa_seconds) };
  return t(most.asa_seconds == null ? "staff_abandon_only" : "staff_abandon", words);
}

/** Open tickets now, and what is left at the end of the plan of work that may wait. */
function backlog(d, targets, zone) {
  const own = d.backlog;
  const last = targets.at(-1);
  return joined("sentence", [
    own ? t(own.oldest ? "staff_open_oldest" : "staff_open", { n: own.open, at: own.oldest && dateTime(own.oldest, zone) }) : t("staff_open_none"),
    last.backlog != null && t("staff_left", { n: tickets(last.backlog), at: dayTime(last.start, zone) }),
  ]);
}

/** Why so many are needed, where the service level alone does not explain it; nothing without figures. */
const bound = (target) => (BOUNDS.includes(target.bound_by) && target.gap > 0 ? t(`staff_bound_${target.bound_by}`) : null);

function staffing(d, zone) {
  const targets = d.plan?.targets ?? [];
  if (targets.length === 0) return [h("p", { class: "muted", text: t("no_plan") })];
  const worst = targets.reduce((best, x) => (x.gap > best.gap ? x : best));
  const words = {
    at: dayTime(worst.start, zone), needed: num(worst.agents), n: tickets(worst.arrivals), scheduled: num(worst.scheduled),
    gap: gapText(worst.gap), sl: percent(worst.service_level),
  };
  return [
    h("p", { class: worst.gap > 0 ? "note" : null, text: joined("sentence", [t(worst.scheduled == null ? "staff_worst_usual" : "staff_worst", words), bound(worst)]) }),
    h("p", { class: "left", text: joined("sentence", [abandons(targets, zone), backlog(d, targets, zone)]) }),
    h("p", { class: "muted", text: d.plan.basis }),
  ];
}

const head = (...labels) => h("thead", {}, h("tr", {}, labels.map((text) => h("th", { scope: "col", text }))));

/** The figures at leads of 1, 3 and 6 h. The largest lead counts as 6 h, because the last window starts inside the horizon. */
function leadRows(accuracy) {
  const scored = accuracy.leads.filter((lead) => lead.n > 0);
  return LEADS.map((minutes) => {
    const near = scored.filter((lead) => Math.abs(lead.lead_minutes - minutes) <= 60)
      .sort((a, b) => Math.abs(a.lead_minutes - minutes) - Math.abs(b.lead_minutes - minutes))[0];
    return near && { label: span(minutes), ...near };
  }).filter(Boolean);
}

function accuracySays(first) {
  const share = (error) => percent(Math.max(0, 1 - error));
  const less = first.wape_naive > 0 ? 1 - first.wape / first.wape_naive : null;
  return joined("sentence", [
    t(first.label ? "acc_at" : "acc_over_all", { acc: share(first.wape), lead: first.label }),
    first.wape_floor != null && t("acc_best", { best: share(first.wape_floor) }),
    less != null && t(less >= 0 ? "acc_better" : "acc_worse", { p: percent(Math.abs(less)) }),
  ]);
}

/** The errors of nowcasts and of the forecasts that they replaced; nothing if none was scored. */
function nowcastSays(accuracy) {
  const both = accuracy.nowcasts;
  if (both?.nowcasts.wape == null) return [];
  return [h("p", { text: t("nowcast_scored", { nowcast: percent(both.nowcasts.wape), scheduled: percent(both.scheduled.wape), n: both.nowcasts.n }) })];
}

function accuracy(d) {
  const rows = d.accuracy ? leadRows(d.accuracy) : [];
  const overall = d.accuracy?.overall;
  if (!overall?.n) return [h("p", { class: "muted", text: t("acc_none") })];
  const first = rows[0] ?? overall;
  const line = (r) => h("tr", {}, h("th", { scope: "row", text: r.label }),
    [percent(r.wape), percent(r.wape_naive), percent(r.wape_floor), percent(r.coverage80), percent(r.coverage95), num(r.n)].map((text) => h("td", { text })));
  return [
    h("p", { text: accuracySays(first) }),
    h("div", { class: "scroll", tabindex: "0" }, h("table", { class: "figures" },
      head(...["lead", "wape", "naive", "floor", "80", "95", "n"].map((key) => t(`acc_${key}`))),
      h("tbody", {}, [...rows, { label: t("acc_overall"), ...overall }].map(line)))),
    ...adjustedSays(d.accuracy),
    ...nowcastSays(d.accuracy),
    h("p", { class: "muted small", text: t("acc_help") }),
  ];
}

function anomalies(d, zone) {
  if (d.anomalies.length === 0) return [h("p", { class: "muted", text: t("no_anomalies") })];
  const width = (clock.status()?.width_minutes ?? 15) * 60000;
  const when = (a) => (a.n === 1 ? dateTime(a.first, zone)
    : t("spell", { from: dateTime(a.first, zone), to: hm(a.last + width, zone), n: a.n }));
  return [h("ul", { class: "plain" }, d.anomalies.map((a) => h("li", {},
    h("span", { class: `badge ${FEWER.includes(a.kind) ? "low" : "high"}`, text: `${FEWER.includes(a.kind) ? "▼" : "▲"} ${t(`kind_${a.kind}`)}` }), " ",
    h("strong", {}, h("a", { href: hrefAt(a.worst, a.worst.window), text: when(a) })), " ",
    h("span", { text: a.n === 1 ? a.worst.text : t("spell_worst", { text: a.worst.text }) }))))];
}

function forecastTable(d, zone) {
  const plan = new Map((d.plan?.targets ?? []).map((p) => [p.start, p]));
  const range = (f, low, high) => t("range", { low: tickets(f.quantiles[low]), high: tickets(f.quantiles[high]) });
  const waits = [...plan.values()].some((p) => p.backlog != null);
  const cells = (p) => [percent(p?.service_level), percent(p?.p_abandon, 1), ...(waits ? [tickets(p?.backlog)] : [])];
  const rows = (d.forecast?.targets ?? []).map((f) => {
    const p = plan.get(f.start);
    return h("tr", {}, h("th", { scope: "row", text: dayTime(f.start, zone) }),
      h("td", { text: tickets(f.quantiles["0.5"]) }), h("td", { text: range(f, "0.1", "0.9") }), h("td", { text: range(f, "0.025", "0.975") }),
      h("td", { text: p ? num(p.agents) : "–" }), h("td", { text: num(p?.scheduled) }),
      h("td", {}, p ? h("span", { class: gapClass(p.gap), text: gapText(p.gap) }) : "–"), cells(p).map((text) => h("td", { text })));
  });
  return [h("div", { class: "scroll", tabindex: "0" }, h("table", { class: "figures" },
    head(...["time", "median", "80", "95", "needed", "scheduled", "gap", "sl", "gone", ...(waits ? ["backlog"] : [])].map((key) => t(`th_${key}`))), h("tbody", {}, rows)))];
}

/** Replaces only what differs, so that a selection and a screen reader's position survive a refresh. */
function put(node, children) {
  const next = h(node.tagName, {}, children);
  for (const { name, value } of node.attributes) next.setAttribute(name, value);
  if (!next.isEqualNode(node)) node.replaceChildren(...next.childNodes);
}

/** Sections with a heading whose content `update` replaces. */
function section(id, title, ...fixed) {
  const body = h("div", { class: "body" });
  const node = h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id, text: title }), fixed, body);
  node.update = (children) => put(body, children);
  return node;
}

/** Builds the series' view into `root`. */
export function series(root, key, params) {
  const choice = readDay(params);
  const heading = h("h1", { tabindex: "-1", text: seriesName(key) });
  const health = h("span", { class: "badge quiet", hidden: true });
  const missing = h("p", { class: "empty", hidden: true });
  const zoneNote = h("p", { class: "muted small" });
  const plot = h("div", { class: "plot", id: "plot", role: "img", "aria-label": t("chart_label") });
  const wait = h("p", { class: "muted", text: t("chart_wait") });
  const keys = h("ul", { class: "keys", hidden: true });
  const zone = () => clock.zoneOf(key.region, d?.info?.time_zone);
  const bar = dayBar(choice, zone, () => moved());
  const sums = h("div", { class: "day-sums" });
  const caption = h("p", { class: "print-only" });
  const chart = section("s-chart", t("chart"), bar, zoneNote, caption, sums, wait, keys, plot);
  const file = (what) => `${keyOf(key)} ${what}`;
  const parts = {
    why: section("s-why", t("why")),
    staff: section("s-staff", t("how_staff"), csvButton(() => ["/staffing", key, file(t("axis_agents"))])),
    served: section("s-served", t("served"), csvButton(() => ["/service", key, file(t("served"))])),
    acc: section("s-acc", t("accuracy"), csvButton(() => ["/accuracy", key, file(t("acc_page"))])),
    anom: section("s-anom", t("anomalies"), csvButton(() => ["/anomalies", { ...key, from: iso(clock.now() - 168 * HOUR_MS), limit: 1000 }, file(t("anomalies"))])),
    said: section("s-said", t("topics", { h: TOPIC_HOURS }), csvButton(() => ["/topics", topicsQuery(key), file(t("topic"))])),
  };
  const tableBody = h("div");
  const summary = h("summary");
  const save = csvButton(() => (chosenDay(choice, zone()) ? ["/timeline", timelineQuery(key, choice, zone()), `${keyOf(key)} ${chosenDay(choice, zone())}`]
    : ["/timeline", { ...key, from: iso(clock.now() - 24 * HOUR_MS) }, keyOf(key)]));
  const details = h("details", { class: "panel" }, summary, save, tableBody);
  const tries = whatIf(key);
  const all = h("div", { hidden: true }, chart, details, tries, h("div", { class: "columns" }, Object.values(parts)));
  root.append(
    h("nav", { class: "crumbs", "aria-label": t("back") }, h("a", { href: home() }, "← ", t("back")), " ", h("kbd", { text: t("back_hint") })),
    h("div", { class: "titled" }, heading, health), missing, h("p", { class: "muted loading", text: t("loading") }), all);
  let d = null;
  let gone = false;

  async function paint() {
    if (!d || gone) return;
    try {
      const common = { now: clock.now(), zone: zone(), width_minutes: clock.status()?.width_minutes ?? 15 };
      const day = d.day && { ...charted(d.day), day: d.day, span: spanOf(chosenDay(choice, zone()), zone()), issued: choice.issued, at: choice.at };
      await draw(plot, keys, { ...d, ...common, ...day });
      wait.hidden = true;
      drawnWidth = plot.clientWidth;
    } catch (error) {
      console.warn(error);
      wait.hidden = false;
      setText(wait, t("chart_failed"));
    }
  }
  let drawnWidth = 0;
  const resized = new ResizeObserver(() => {
    // For rotated phones and resized windows. The first size comes with the first drawing. Paper scales the drawing itself.
    if (document.documentElement.dataset.printed) return;
    if (drawnWidth && plot.clientWidth && plot.clientWidth !== drawnWidth) paint();
  });
  resized.observe(plot);

  /** Shows another day, in the address too. */
  async function moved() {
    history.pushState(null, "", `${hrefOf(key)}${writeDay(choice)}`);
    bar.update();
    const asked = writeDay(choice);
    const found = chosenDay(choice, zone()) ? await maybe(fetchDay(key, choice, zone())).catch(() => null) : null;
    if (gone || asked !== writeDay(choice) || !d) return;
    d.day = found;
    render();
  }

  function render() {
    if (!d) return;
    root.querySelector(".loading")?.remove();
    const known = d.info !== null || d.forecast !== null;
    missing.hidden = known;
    setText(missing, t("no_such_series", { series: seriesName(key) }));
    all.hidden = !known;
    if (!known) return;
    const state = d.info?.health && d.info.health !== "ok" ? t(`health_${d.info.health}`) : "";
    health.hidden = !state;
    setText(health, state);
    const [here, at] = [zoneLabel(zone(), clock.now()), choice.issued ?? d.forecast?.issued_at ?? clock.now()];
    setText(zoneNote, t("chart_zone", { zone: here }));
    const shown = d.day ? dayMonth(spanOf(chosenDay(choice, zone()), zone())[0], zone()) : dayMonth(clock.now(), zone());
    setText(caption, t("print_caption", { day: shown, issued: dateTime(at, zone()), zone: here }));
    bar.update();
    put(sums, d.day ? daySays(d.day) : []);
    parts.why.update(why(d, zone()));
    parts.staff.update(staffing(d, zone()));
    parts.served.update(attained(d.service, zone()));
    parts.acc.update(accuracy(d));
    parts.anom.update(anomalies(d, zone()));
    parts.said.update(topics(d.said));
    tries.update(d.plan, zone());
    setText(summary, t(d.day ? "day_table" : "table"));
    put(tableBody, d.day ? dayTable(d.day, zone(), choice.at) : forecastTable(d, zone()));
    details.hidden = !d.forecast && !d.day;
    if (choice.at != null && !marked) {
      marked = true;
      details.open = true;
    }
    paint();
  }
  let marked = false;

  return {
    async load() {
      let asked = writeDay(choice);
      const found = await fetchAll(key, choice);
      // Another day may have been chosen meanwhile.
      while (asked !== writeDay(choice)) {
        asked = writeDay(choice);
        found.day = chosenDay(choice, zone()) ? await maybe(fetchDay(key, choice, zone())) : null;
      }
      d = found;
    },
    render,
    restyle: paint,
    title: () => seriesName(key),
    focus: () => heading.focus({ preventScroll: true }),
    close() {
      gone = true;
      resized.disconnect();
      globalThis.Plotly?.purge(plot);
    },
  };
}
