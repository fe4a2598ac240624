// Staffing of a whole day: a heat map by team and half hour, recommendations, needed against scheduled agents of one row, and
// how well plans and reality agree.
import { advice } from "./advice.js";
import { agents } from "./agents.js";
import * as clock from "./clock.js";
import { csvButton, tableButton } from "./csv.js";
import { chosenDay, dayBar, readDay, writeDay } from "./day.js";
import { h, keyed, setText } from "./dom.js";
import { LAYER_NAMES, heatMap, heatRows, keyOfRow, labelOf, layerSwitch } from "./heat.js";
import { dayMonth, hm, joined, name, num, percent, t, tickets, zoneLabel } from "./i18n.js";
import { gapClass, gapText, hrefAt } from "./keys.js";
import { get } from "./net.js";
import { home } from "./overview.js";
import { roster } from "./roster.js";
import { said } from "./said.js";
import { taken } from "./taken.js";
import { dayOf, iso, spanOf } from "./time.js";

const HALF_MS = 1800000;
const ROWS_MAX = 40;
const AGE_MS = 60000;

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
  const keys = ["time", "arrivals", "needed", "scheduled", "gap", "sl", "attained", "gone", "backlog"];
  const rows = row.targets.map((x) => h("tr", {}, h("th", { scope: "row", text: hm(x.start, zone) }),
    h("td", { text: tickets(x.arrivals) }), h("td", { text: num(x.agents) }), h("td", { text: num(x.scheduled) }),
    h("td", {}, h("span", { class: gapClass(x.gap), text: gapText(x.gap) })), [percent(x.service_level), percent(x.attained_service_level), percent(x.abandonment, 1), num(x.backlog)].map((text) => h("td", { text }))));
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
  let layer = LAYER_NAMES.includes(params.get("show")) ? params.get("show") : LAYER_NAMES[0];
  const zone = () => clock.zoneOf(region || "_all");
  const day = () => chosenDay(choice, zone()) ?? dayOf(clock.now(), zone());
  const heading = h("h1", { tabindex: "-1", text: t("staff_page") });
  const regions = h("select", { id: "s-region", onchange: () => {
    region = regions.value;
    changed();
  } });
  const bar = dayBar(choice, zone, () => changed(), { withIssued: false });
  bar.append(h("label", { class: "field", for: "s-region" }, h("span", { text: t("filter_region") }), regions),
    h("button", { type: "button", id: "r-choose", text: t("roster_choose"), onclick: () => rosters.choose() }),
    h("button", { type: "button", id: "s-print", text: t("print"), onclick: () => window.print() }));
  const note = h("p", { class: "muted small" });
  const save = csvButton(() => ["/staffing/windows", { ...query(), outline: true }, `${t("staff_page")} ${day()}`]);
  const saveMap = tableButton(t("heat_save"), () => [heatRows(rows ?? [], spanOf(day(), zone()), layer), `${t(`heat_layer_${layer}`)} ${day()}`]);
  const title = h("h2", { id: "s-map" });
  const layers = layerSwitch(layer, (next) => {
    layer = next;
    changed();
  });
  const mapFile = h("p", {}, saveMap);
  const why = h("p", { class: "muted small", id: "heat-why" });
  const worst = h("p", { class: "note", id: "heat-worst" });
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
  const compared = said();
  const rosters = roster(() => {
    last = {};
    changed();
  });
  root.append(h("nav", { class: "crumbs", "aria-label": t("back") }, h("a", { href: home() }, "← ", t("back"))), heading,
    h("section", { class: "panel", "aria-labelledby": "s-map" }, title, bar, layers, note, save, worst, none, map, why, more, mapFile), advised, detail, compared, followed, rosters);
  let painted = null;
  const resized = new ResizeObserver(() => {
    // As the chart of a series: for rotated phones and resized windows. Paper scales the drawing itself.
    if (document.documentElement.dataset.printed || !painted || !plot.clientWidth || plot.clientWidth === painted.width) return;
    paint(painted.row, painted.span);
  });
  resized.observe(plot);
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
    if (layer !== LAYER_NAMES[0]) rest.set("show", layer);
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
    const found = await get("/staffing/windows", { ...query(), outline: true, limit: ROWS_MAX });
    if (!gone && asked === JSON.stringify(query())) rows = found;
  }

  function choose(key) {
    chosen = key;
    changed();
  }

  async function paint(row, span) {
    painted = { row, span, width: plot.clientWidth };
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
    compared.update(region);
    setText(title, t("heat_title", { what: t(`heat_layer_${layer}`) }));
    if (!rows) return;
    const span = spanOf(day(), zone());
    setText(note, t("staff_note", { day: dayMonth(span[0], zone()), zone: zoneLabel(zone(), span[0]) }));
    none.hidden = rows.length > 0;
    setText(none, t("staff_none"));
    const row = rows.find((r) => keyOfRow(r) === chosen) ?? rows[0];
    const focused = map.contains(document.activeElement) ? document.activeElement.textContent : null;
    const scrolled = map.firstChild?.scrollLeft;
    const drawn = rows.length ? heatMap({ rows, span, zone: zone(), chosen: row && keyOfRow(row), choose, layer }) : { why: [] };
    map.replaceChildren(...(drawn.node ? [drawn.node] : []));
    worst.hidden = !drawn.worst;
    setText(worst, drawn.worst ?? "");
    why.hidden = drawn.why.length === 0;
    setText(why, t("heat_why", { list: joined("list", drawn.why) }));
    mapFile.hidden = layers.hidden = rows.length === 0;
    if (map.firstChild) map.firstChild.scrollLeft = scrolled ?? startAt(map.firstChild, span);
    if (focused) [...map.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus({ preventScroll: true });
    setText(more, joined("sentence", [rows.length === ROWS_MAX && t("heat_cut", { n: ROWS_MAX }), t(`heat_help_${layer}`), rows.some((r) => r.targets.some((x) => x.outline)) && t("heat_help_outline"), t("heat_help")]));
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
      resized.disconnect();
      globalThis.Plotly?.purge(plot);
    },
    title: () => t("staff_page"),
    focus: () => heading.focus({ preventScroll: true }),
  };
}
