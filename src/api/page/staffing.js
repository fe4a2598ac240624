// Staffing of a whole day: a heat map of the gap by team and half hour, recommendations, and needed against scheduled agents
// of one row.
import { advice } from "./advice.js";
import { agents } from "./agents.js";
import * as clock from "./clock.js";
import { csvButton } from "./csv.js";
import { chosenDay, dayBar, readDay, writeDay } from "./day.js";
import { h, keyed, setText } from "./dom.js";
import { dayMonth, hm, name, num, percent, t, tickets, zoneLabel } from "./i18n.js";
import { gapClass, gapText, hrefAt } from "./keys.js";
import { get } from "./net.js";
import { home } from "./overview.js";
import { roster } from "./roster.js";
import { taken } from "./taken.js";
import { dayOf, iso, spanOf } from "./time.js";

const HALF_MS = 1800000;
const ROWS_MAX = 40;
const AGE_MS = 60000;
const keyOfRow = (row) => row.team ?? `${row.region}/${row.service}`;
const labelOf = (row) => row.team ?? `${name("region", row.region)} / ${name("service", row.service)}`;

/** The windows of each half hour; of several the one with the largest gap counts. */
function halves(row, from, to) {
  const slots = new Map();
  for (const target of row.targets) {
    const at = Date.parse(target.start);
    const slot = from + Math.floor((at - from) / HALF_MS) * HALF_MS;
    const known = slots.get(slot);
    if (!known || target.gap > known.gap) slots.set(slot, target);
  }
  const all = [];
  for (let at = from; at < to; at += HALF_MS) all.push([at, slots.get(at) ?? null]);
  return all;
}

/** How large a gap is for its team: -1 spare, 0 none, 1 up to 10 %, 2 up to 25 %, 3 more. */
function level(target) {
  if (target.gap <= 0) return target.gap < 0 ? -1 : 0;
  const share = target.gap / Math.max(1, target.agents);
  return share <= 0.1 ? 1 : share <= 0.25 ? 2 : 3;
}

function cell(at, target, zone) {
  if (!target) return h("td", { class: "none" });
  const against = target.agents - target.gap;
  const words = { at: hm(at, zone), needed: num(target.agents), scheduled: num(target.scheduled ?? against), gap: gapText(target.gap) };
  const says = t(target.scheduled == null ? "heat_cell_usual" : "heat_cell", words);
  return h("td", { class: `heat l${level(target)}`, title: says }, h("span", { "aria-hidden": "true", text: target.gap > 0 ? num(target.gap) : target.gap < 0 ? "·" : "0" }), h("span", { class: "hidden", text: says }));
}

function heatMap(rows, [from, to], zone, chosen, choose) {
  const now = clock.now();
  const hours = [];
  for (let at = from; at < to; at += 2 * HALF_MS) hours.push(at);
  const head = h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("heat_team") }),
    hours.map((at) => h("th", { scope: "colgroup", colspan: 2, class: at <= now && now < at + 2 * HALF_MS ? "now" : null, text: hm(at, zone).slice(0, 2) }))));
  const body = rows.map((row) => {
    const key = keyOfRow(row);
    const pick = h("button", { type: "button", class: "link", "aria-pressed": String(key === chosen), text: labelOf(row), onclick: () => choose(key) });
    return h("tr", { class: key === chosen ? "chosen" : null }, h("th", { scope: "row" }, pick), halves(row, from, to).map(([at, target]) => cell(at, target, zone)));
  });
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("heat_table") }, h("table", { class: "heat-map" }, head, h("tbody", {}, body)));
}

/** "Largest gap: 4 short at 14:00. Service level expected: lowest 61 %." */
function says(row, zone) {
  const worst = row.targets.reduce((best, x) => (x.gap > best.gap ? x : best));
  const levels = row.targets.map((x) => x.service_level).filter((x) => x != null);
  const [needed, scheduled] = ["agents", "scheduled"].map((key) => row.targets.reduce((n, x) => n + (x[key] ?? 0), 0));
  const hours = (clock.status()?.width_minutes ?? 15) / 60;
  return t("staff_row_says", {
    gap: gapText(worst.gap), at: hm(worst.start, zone), level: percent(levels.length ? Math.min(...levels) : null),
    needed: num(needed * hours), scheduled: row.targets.every((x) => x.scheduled != null) ? num(scheduled * hours) : "–",
  });
}

function rowTable(row, zone) {
  const keys = ["time", "arrivals", "needed", "scheduled", "gap", "sl"];
  const rows = row.targets.map((x) => h("tr", {}, h("th", { scope: "row", text: hm(x.start, zone) }),
    h("td", { text: tickets(x.arrivals) }), h("td", { text: num(x.agents) }), h("td", { text: num(x.scheduled) }),
    h("td", {}, h("span", { class: gapClass(x.gap), text: gapText(x.gap) })), h("td", { text: percent(x.service_level) })));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("staff_table") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, keys.map((key) => h("th", { scope: "col", text: t(`th_${key}`) })))), h("tbody", {}, rows)));
}

/** The series of a row, to open. A team has several. */
function links(row, at) {
  if (row.team) return [];
  return [h("a", { href: hrefAt({ region: row.region, service: row.service, channel: "_all" }, at), text: t("open_series") })];
}

/** Builds the view into `root`. */
export function staffing(root, params) {
  const choice = readDay(params);
  let chosen = params.get("row");
  let region = params.get("region") ?? "";
  const zone = () => clock.zoneOf(region || "_all");
  const day = () => chosenDay(choice, zone()) ?? dayOf(clock.now(), zone());
  const heading = h("h1", { tabindex: "-1", text: t("staff_page") });
  const regions = h("select", { id: "s-region", onchange: () => {
    region = regions.value;
    changed();
  } });
  const bar = dayBar(choice, zone, () => changed(), { withIssued: false });
  bar.append(h("label", { class: "field", for: "s-region" }, h("span", { text: t("filter_region") }), regions));
  const note = h("p", { class: "muted small" });
  const save = csvButton(() => ["/staffing/windows", query(), `${t("staff_page")} ${day()}`]);
  const map = h("div");
  const more = h("p", { class: "muted small" });
  const none = h("p", { class: "empty", text: t("loading") });
  const detailHead = h("h2", { id: "s-row" });
  const detailSays = h("p");
  const open = h("p");
  const plot = h("div", { class: "plot low", role: "img", "aria-label": t("staff_chart_label") });
  const body = h("div");
  const detail = h("section", { class: "panel", "aria-labelledby": "s-row", hidden: true }, detailHead, detailSays, open, plot,
    h("details", {}, h("summary", { text: t("staff_table") }), body));
  const advised = advice(zone);
  const followed = taken();
  root.append(h("nav", { class: "crumbs", "aria-label": t("back") }, h("a", { href: home() }, "← ", t("back"))), heading,
    h("section", { class: "panel", "aria-labelledby": "s-map" }, h("h2", { id: "s-map", text: t("heat_title") }), bar, note, save, none, map, more), advised, detail, followed,
    roster(zone, () => {
      last = {};
      changed();
    }));
  let rows = null;
  let last = {};
  let gone = false;

  function query() {
    const [from, to] = spanOf(day(), zone()).map(iso);
    return { region, from, to };
  }

  async function changed() {
    const rest = new URLSearchParams(writeDay(choice));
    if (region) rest.set("region", region);
    if (chosen) rest.set("row", chosen);
    history.replaceState(null, "", `#/staffing${rest.toString() && `?${rest}`}`);
    await plans().catch(() => null);
    if (!gone) render();
  }

  const load = () => Promise.all([plans(), advised.load()]);

  /** The plans of a day are many rows: the same ones are read at most once a minute. */
  async function plans() {
    const asked = JSON.stringify(query());
    if (rows && asked === last.asked && performance.now() - last.at < AGE_MS) return;
    last = { asked, at: performance.now() };
    const found = await get("/staffing/windows", { ...query(), limit: ROWS_MAX });
    if (!gone && asked === JSON.stringify(query())) rows = found;
  }

  function choose(key) {
    chosen = key;
    changed();
  }

  async function paint(row, span) {
    try {
      await agents(plot, { targets: row.targets, span, zone: zone(), now: clock.now(), width_minutes: clock.status()?.width_minutes ?? 15 });
    } catch (error) {
      console.warn(error);
    }
  }

  function render() {
    const named = [...Object.keys(clock.status()?.regions ?? {}), ...(rows ?? []).map((r) => r.region)];
    const known = ["", ...new Set([...named, region].filter((r) => r && r !== "_all"))].sort();
    keyed(regions, known.map((value) => ({ value })), (o) => o.value, (o) => Object.assign(h("option", { value: o.value }), {
      update() {
        setText(this, o.value ? name("region", o.value) : t("filter_any"));
      },
    }));
    regions.value = region;
    bar.update();
    advised.update(region);
    followed.update();
    if (!rows) return;
    const span = spanOf(day(), zone());
    setText(note, t("staff_note", { day: dayMonth(span[0], zone()), zone: zoneLabel(zone(), span[0]) }));
    none.hidden = rows.length > 0;
    setText(none, t("staff_none"));
    const row = rows.find((r) => keyOfRow(r) === chosen) ?? rows[0];
    const focused = map.contains(document.activeElement) ? document.activeElement.textContent : null;
    const scrolled = map.firstChild?.scrollLeft;
    map.replaceChildren(...(rows.length ? [heatMap(rows, span, zone(), row && keyOfRow(row), choose)] : []));
    if (map.firstChild) map.firstChild.scrollLeft = scrolled ?? startAt(map.firstChild, span);
    if (focused) [...map.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus({ preventScroll: true });
    setText(more, t(rows.length === ROWS_MAX ? "heat_help_cut" : "heat_help", { n: ROWS_MAX }));
    detail.hidden = !row;
    if (!row) return;
    setText(detailHead, t("staff_row", { name: labelOf(row) }));
    setText(detailSays, says(row, zone()));
    open.replaceChildren(...links(row, row.targets[0].start));
    body.replaceChildren(rowTable(row, zone()));
    paint(row, span);
  }

  /** On a narrow screen the map starts an hour before now. */
  function startAt(box, [from]) {
    const first = box.querySelector("td");
    const slots = (clock.now() - from) / HALF_MS - 2;
    return first && slots > 0 ? slots * first.offsetWidth : 0;
  }

  return {
    load,
    render,
    restyle: render,
    close() {
      gone = true;
      globalThis.Plotly?.purge(plot);
    },
    title: () => t("staff_page"),
    focus: () => heading.focus({ preventScroll: true }),
  };
}
