// The overview: alerts, figures for the next six hours, and series by risk, a page of rows at a time.
import { alertList } from "./alerts.js";
import * as clock from "./clock.js";
import { csvButton } from "./csv.js";
import { h, keyed, setText } from "./dom.js";
import { feed } from "./feed.js";
import { dateTime, dayTime, joined, langCode, name, num, seriesName, span, t, tickets, times } from "./i18n.js";
import { figures } from "./kpi.js";
import { KINDS, gapClass, gapText, hrefOf, isRollUp, keyOf, wordsOf } from "./keys.js";
import { BASE, get, throttled } from "./net.js";
import { ENTRIES_KEPT_MS, planner } from "./planner.js";
import { silenceList } from "./silences.js";
import { spark } from "./spark.js";
import { tickets as ticketPanel } from "./tickets.js";
import { iso } from "./time.js";

/** Rows at first: fewer on a phone. */
const IS_PHONE = matchMedia("(max-width: 720px)").matches;
const PAGE_ROWS = IS_PHONE ? 15 : 100;
const ROWS_MAX = 1000;
const ALERTS_MAX = 200;
const ASK_GAP_MS = 200;
const DAY_MS = 86400000;

/** What was loaded last. It is kept, so that the overview is complete at once when the reader returns. */
const data = {
  alerts: null, over: null, rows: [], series: 0, matching: 0, figures: null, names: { region: [], service: [], channel: [] },
  maintenance: [], entries: [], silences: [], limit: PAGE_ROWS, scroll: 0, from: null, home: "#/",
};

/** Drops the texts of the API, which are loaded again in another language. */
export const forgetTexts = () => (data.alerts = null);

/** The address of the overview with its last filters. */
export const home = () => data.home;

const queryOf = ({ region, service, channel, sort, q, rollups }) => ({ region, service, channel, sort, q: wordsOf(q, data.names), totals: rollups || null });

/** Loads the rows and sums for the filters. */
async function ask(filter) {
  const query = { ...queryOf(filter), limit: data.limit };
  const found = await get("/overview", query);
  const { rows, series, matching, figures, regions, services, channels } = found;
  Object.assign(data, { rows: rows.map(row), series, matching, figures });
  data.names = { region: regions, service: services, channel: channels };
}

/** The alert that the address names, if it is not among the open ones: it is over, or does not exist. */
async function linked(id, alerts) {
  if (!id || alerts.some((a) => a.id === id)) return null;
  try {
    return await get(`/alerts/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Planners' entries, with those that were over a short time ago. */
const fetchEntries = () => get("/adjustments", { from: iso(clock.now() - ENTRIES_KEPT_MS) });

async function load(alerts, filter, isClosed, wanted) {
  const [maintenance, entries, silences] = await Promise.all([get("/maintenance"), fetchEntries(), get("/silences"), ask(filter)]);
  const over = await linked(wanted, alerts);
  if (!isClosed()) Object.assign(data, { alerts, over, maintenance, entries, silences });
}

function row(s) {
  const { outlook, worst: target } = s;
  // `agents − gap` is the number that agents are compared with: the roster, or the usual number without one.
  const against = target ? target.agents - target.gap : null;
  return { ...s, target, gap: outlook?.gap_max ?? null, against, zone: clock.zoneOf(s.region, s.time_zone) };
}

const SORTS = ["risk", "peak", "name"];

function readFilter(params) {
  const filter = { q: params.get("q") ?? "", rollups: params.get("totals") === "1", sort: params.get("sort") ?? "risk" };
  for (const kind of KINDS) filter[kind] = params.get(kind) ?? "";
  if (!SORTS.includes(filter.sort)) filter.sort = "risk";
  return filter;
}

function writeFilter(filter) {
  const params = new URLSearchParams();
  for (const key of [...KINDS, "q"]) if (filter[key]) params.set(key, filter[key]);
  if (filter.rollups) params.set("totals", "1");
  if (filter.sort !== "risk") params.set("sort", filter.sort);
  const text = params.toString();
  data.home = text ? `#/?${text}` : "#/";
  history.replaceState(null, "", data.home);
}

function select(id, label, options, value, onchange) {
  const node = h("select", { id, onchange: () => onchange(node.value) });
  const update = (list) => {
    const wanted = list.map(([key, text]) => `${key}=${text}`).join("|");
    if (node.dataset.list === wanted) return;
    const chosen = node.options.length ? node.value : value;
    node.dataset.list = wanted;
    node.replaceChildren(...list.map(([key, text]) => h("option", { value: key, text })));
    node.value = chosen;
    if (node.selectedIndex < 0) node.selectedIndex = 0;
  };
  update(options);
  return { node: h("label", { class: "field", for: id }, h("span", { text: label }), node), input: node, update };
}

function filters(filter, changed) {
  const set = (key) => (value) => {
    filter[key] = value;
    changed();
  };
  const any = (kind, values) => [["", t("filter_any")], ...values.map((v) => [v, name(kind, v)])];
  const picks = KINDS.map((kind) => select(`f-${kind}`, t(`filter_${kind}`), any(kind, filter[kind] ? [filter[kind]] : []), filter[kind], set(kind)));
  const search = h("input", { id: "f-q", type: "search", value: filter.q, oninput: () => set("q")(search.value) });
  const rollups = h("input", { id: "f-totals", type: "checkbox", checked: filter.rollups, onchange: () => set("rollups")(rollups.checked) });
  const sort = select("f-sort", t("sort"), SORTS.map((key) => [key, t(`sort_${key}`)]), filter.sort, set("sort"));
  const node = h("div", { class: "filters", role: "search" },
    picks.map((pick) => pick.node),
    h("label", { class: "field wide", for: "f-q" }, h("span", { text: t("filter_text") }), search),
    sort.node,
    h("label", { class: "check", for: "f-totals" }, rollups, h("span", { text: t("filter_rollups") })));
  node.update = (names) => KINDS.forEach((kind, i) => {
    const values = names[kind].filter((v) => v !== "_all" || filter.rollups);
    if (filter[kind] && !values.includes(filter[kind])) values.push(filter[kind]);
    picks[i].update(any(kind, values.sort()));
  });
  node.clear = () => {
    Object.assign(filter, { region: "", service: "", channel: "", q: "" });
    picks.forEach((pick) => (pick.input.value = ""));
    search.value = "";
    changed();
  };
  return node;
}

/** One row of the table; cells carry their column's title for the card layout of small screens. */
function tableRow(item) {
  const link = h("a", { class: "stretched", href: hrefOf(item) });
  const health = h("span", { class: "badge quiet" });
  const picture = h("td", { class: "c-spark" });
  const cell = (column) => {
    const main = h("span", { class: "main" });
    const sub = h("span", { class: "sub muted" });
    return { td: h("td", { class: `c-${column}`, "data-label": t(`col_${column}`, { w: item.outlook?.width_minutes ?? 15 }) }, main, sub), main, sub };
  };
  const [peak, staff, gap, over] = ["peak", "staff", "gap", "over"].map(cell);
  const node = h("tr", {}, h("th", { scope: "row", class: "c-series" }, link, " ", health), picture, peak.td, staff.td, gap.td, over.td);
  let drawn = "";
  node.update = (r) => {
    const o = r.outlook;
    node.classList.toggle("at-risk", r.gap > 0);
    setText(link, seriesName(r));
    const state = r.health !== "ok" ? t(`health_${r.health}`) : isRollUp(r) ? t("total") : "";
    setText(health, state);
    health.hidden = !state;
    const shape = o ? JSON.stringify([o.past, o.next]) : "";
    if (shape !== drawn) {
      // The past twelve hours, for every window width.
      picture.replaceChildren(...(o ? [spark(o.past.slice(-720 / o.width_minutes), o.next)] : []));
      drawn = shape;
    }
    setText(peak.main, o ? tickets(o.peak) : t("no_forecast"));
    setText(peak.sub, o ? t("peak_at", { at: clock.hm(o.peak_at, r.zone) }) : "");
    fillStaffing(r, staff, gap);
    setText(over.main, o ? times(o.over_baseline) : "");
    over.main.classList.toggle("high", (o?.over_baseline ?? 0) >= 1.25);
  };
  return node;
}

function fillStaffing(r, staff, gap) {
  const known = r.gap != null && r.target;
  const figures = known && { needed: num(r.target.agents), scheduled: num(r.against) };
  setText(staff.main, known ? t(r.target.scheduled == null ? "needed_usual" : "needed_scheduled", figures) : r.outlook ? t("no_staffing") : "");
  setText(staff.sub, known ? t("worst_at", { at: clock.hm(r.target.start, r.zone) }) : "");
  setText(gap.main, r.gap == null ? "" : gapText(r.gap));
  gap.main.className = r.gap == null ? "main" : `main ${gapClass(r.gap)}`;
  const minutes = r.outlook?.minutes_to_breach;
  const soon = r.gap > 0 && minutes != null;
  setText(gap.sub, soon ? (minutes === 0 ? t("in_time") : t("breach_in", { span: span(minutes) })) : "");
}

function maintenance() {
  const list = h("ul", { class: "plain" });
  const node = h("section", { "aria-labelledby": "maint" }, h("h2", { id: "maint", text: t("maintenance") }), list);
  node.update = () => {
    const now = clock.now();
    const soon = data.maintenance.filter((m) => (Date.parse(m.ends_at) > now || m.overrun_alarms > 0) && Date.parse(m.starts_at) < now + DAY_MS);
    node.hidden = soon.length === 0;
    list.replaceChildren(...soon.map((m) => {
      const zone = clock.zoneOf(m.region ?? "_all");
      const scope = `${name("region", m.region ?? "_all")} / ${name("service", m.service ?? "_all")}`;
      const when = { from: dateTime(m.starts_at, zone), to: dayTime(m.ends_at, zone), scope };
      const overrun = m.overrun_alarms > 0 && h("span", { class: "badge bad", text: t("maintenance_overrun", { n: m.overrun_alarms }) });
      const href = `${BASE}api/v1/reports/brief?maintenance=${encodeURIComponent(m.id)}&language=${langCode()}`;
      const brief = h("a", { href, text: t("work_brief"), "aria-label": t("work_brief_of", { id: m.id }) });
      return h("li", {}, h("strong", { text: t("maintenance_item", when) }), " ", overrun, " ", h("span", { class: "muted", text: joined("part", [m.impact, m.text]) }), " ", brief);
    }));
  };
  return node;
}

function table(clear, changed, save) {
  const columns = ["series", "spark", "peak", "staff", "gap", "over"];
  const heads = columns.map((c) => h("th", { scope: "col", class: `c-${c}` }));
  const body = h("tbody");
  const count = h("p", { class: "muted count", role: "status" });
  const none = h("div", { class: "empty" }, h("p"), h("button", { type: "button", text: t("clear"), onclick: clear }));
  const grid = h("table", { class: "coming", "aria-labelledby": "coming" }, h("thead", {}, h("tr", {}, heads)), body);
  const more = h("button", { type: "button", onclick: () => {
    data.limit = Math.min(data.limit + PAGE_ROWS, ROWS_MAX);
    changed();
  } });
  const node = h("div", {}, h("div", { class: "above" }, count, save), grid, none, more);
  node.update = () => {
    // The width of a window is known once the first status is.
    const w = clock.status()?.width_minutes ?? 15;
    columns.forEach((c, at) => setText(heads[at], t(`col_${c}`, { w })));
    keyed(body, data.rows, keyOf, tableRow);
    grid.hidden = data.rows.length === 0;
    none.hidden = data.rows.length > 0 || data.alerts === null;
    setText(none.firstChild, t(data.series ? "no_match" : clock.status()?.catching_up == null ? "no_series" : "no_series_catching"));
    none.lastChild.hidden = data.series === 0;
    setText(count, data.alerts === null ? t("loading") : t(data.matching === data.series ? "shown" : "shown_some", { n: data.matching, all: data.series }));
    const left = Math.min(data.matching, ROWS_MAX) - data.rows.length;
    more.hidden = left <= 0;
    setText(more, t("show_more", { n: Math.min(PAGE_ROWS, left) }));
  };
  return node;
}

/** Names and factor of an entry that another view begins; `null` if none does. */
function begun(params) {
  if (!params.has("factor")) return null;
  return { factor: Number(params.get("factor")) || 1, ...Object.fromEntries(KINDS.map((kind) => [kind, params.get(`for-${kind}`)])) };
}

/** Builds the overview into `root`; shows the alert with the id `wanted` first. */
export function overview(root, params, wanted) {
  const filter = readFilter(params);
  data.home = location.hash.startsWith("#/?") ? location.hash : "#/";
  const reload = async () => {
    [data.alerts, data.silences] = await Promise.all([get("/alerts", { open: true, limit: ALERTS_MAX }), get("/silences")]);
    if (!closed) render();
  };
  const alerts = alertList(wanted, reload);
  const silences = silenceList(reload);
  const kpis = figures();
  const work = maintenance();
  const entries = planner(async () => {
    data.entries = await fetchEntries();
    render();
  }, begun(params), params.get("entry"));
  const inbox = feed();
  const service = ticketPanel(filter);
  let closed = false;
  const asked = throttled(async () => {
    try {
      await ask(filter);
    } catch {
      return; // The next full load shows the error.
    }
    if (!closed) render();
  }, ASK_GAP_MS);
  const picks = filters(filter, () => {
    writeFilter(filter);
    data.limit = PAGE_ROWS;
    asked();
  });
  const rows = table(() => picks.clear(), asked, csvButton(() => ["/overview", { ...queryOf(filter), limit: ROWS_MAX }, t("title_overview")]));
  const heading = h("h1", { tabindex: "-1", text: t("overview") });
  root.append(heading, alerts, silences, kpis, work,
    h("section", { "aria-labelledby": "coming" }, h("h2", { id: "coming", text: t("coming") }),
      h("details", { class: "filter-box", open: !IS_PHONE || data.home !== "#/" }, h("summary", { text: t("filters") }), picks), rows), entries, service, inbox);
  root.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.stretched");
    if (link) Object.assign(data, { scroll: window.scrollY, from: link.getAttribute("href") });
  });
  function render() {
    // Before the first forecast, "no alerts" would mislead.
    alerts.hidden = !data.alerts || (data.alerts.length === 0 && !wanted && !data.figures?.leaves);
    if (data.alerts) alerts.update(wanted && data.over ? [...data.alerts, data.over] : data.alerts);
    silences.update(data.silences);
    kpis.update(data, filter, clock);
    work.update();
    entries.update(data.entries, data.names);
    service.update();
    inbox.update(clock.status());
    picks.update(data.names);
    rows.update();
  }
  return {
    load: (alerts) => load(alerts, filter, () => closed, wanted),
    render,
    close: () => (closed = true),
    title: () => t("title_overview"),
    focus() {
      const link = data.from && [...root.querySelectorAll("a.stretched")].find((a) => a.getAttribute("href") === data.from);
      if (!link) return heading.focus();
      window.scrollTo(0, data.scroll);
      return link.focus({ preventScroll: true });
    },
  };
}
