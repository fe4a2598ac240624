// The heat map of the Staffing view: rows by half hour, in one of four figures.
import * as clock from "./clock.js";
import { h } from "./dom.js";
import { compact, hm, joined, name, num, percent, t } from "./i18n.js";
import { gapText } from "./keys.js";
import { iso } from "./time.js";

const HALF_MS = 1800000;
export const keyOfRow = (row) => row.team ?? `${row.region}/${row.service}`;
export const labelOf = (row) => row.team ?? `${name("region", row.region)} / ${name("service", row.service)}`;

/** The windows of each half hour. */
function halves(row, [from, to]) {
  const slots = new Map();
  for (const target of row.targets) {
    const slot = from + Math.floor((Date.parse(target.start) - from) / HALF_MS) * HALF_MS;
    slots.set(slot, [...(slots.get(slot) ?? []), target]);
  }
  const all = [];
  for (let at = from; at < to; at += HALF_MS) all.push([at, slots.get(at) ?? []]);
  return all;
}

/** The mean of a share over windows, by a weight; `null` where no window has it. */
function mean(windows, share, weight) {
  const known = windows.filter((w) => w[share] != null && w[weight] > 0);
  const all = known.reduce((sum, w) => sum + w[weight], 0);
  return all > 0 ? known.reduce((sum, w) => sum + w[share] * w[weight], 0) / all : null;
}

const worstOf = (windows) => windows.reduce((worst, w) => (worst && worst.gap >= w.gap ? worst : w), null);

/** How large a gap is for its team: -1 spare, 0 none, 1 up to 10 %, 2 up to 25 %, 3 more. */
function gapLevel({ gap, agents }) {
  if (gap <= 0) return gap < 0 ? -1 : 0;
  const share = gap / Math.max(1, agents);
  return share <= 0.1 ? 1 : share <= 0.25 ? 2 : 3;
}

/** How far a service level is below the target: 0 met, 1 up to 10 points, 2 up to 25, 3 more. */
function below(level, { target_service_level: target }) {
  const missing = Math.round(((target ?? 0) - level) * 1e4) / 1e4;
  if (missing <= 0) return 0;
  return missing <= 0.1 ? 1 : missing <= 0.25 ? 2 : 3;
}

/** The reasons of windows without a figure; the last one is that of the end of the half hour. */
const reason = (windows, key) => windows.map((w) => w[key]).filter(Boolean).at(-1) ?? "no_plan";
const levelText = (share) => num(share * 100);

/**
 * What a cell can show: its value in a file, the text in the cell, the words beside it, and its colour. `null`: nothing, with
 * `why` as the reason. `most` is the largest value of the row. `bad` says how bad a value is: above 0 where it is.
 */
const LAYERS = {
  gap: {
    value: (windows) => worstOf(windows)?.gap ?? null,
    why: () => "no_plan",
    shown: (gap) => (gap > 0 ? num(gap) : gap < 0 ? "·" : "0"),
    says: (_, windows) => {
      const worst = worstOf(windows);
      const words = { needed: num(worst.agents), scheduled: num(worst.scheduled ?? worst.agents - worst.gap), gap: gapText(worst.gap) };
      return t(worst.scheduled == null ? "heat_gap_usual" : "heat_gap", words);
    },
    colour: (_, windows) => `l${gapLevel(worstOf(windows))}`,
    bad: (gap) => gap,
  },
  expected: {
    value: (windows) => mean(windows, "service_level", "arrivals"),
    why: (windows) => (windows.length === 0 ? "no_plan" : windows.every((w) => w.closed) ? "closed" : "no_arrivals"),
    shown: levelText,
    says: (share, windows) => {
      const attained = mean(windows, "attained_service_level", "judged");
      return t(attained == null ? "heat_expected" : "heat_expected_attained", { p: percent(share), attained: percent(attained) });
    },
    colour: (share, _, row) => `l${below(share, row)}`,
    bad: (share, row) => (row.target_service_level ?? 0) - share,
  },
  attained: {
    value: (windows) => mean(windows, "attained_service_level", "judged"),
    why: (windows) => reason(windows, "attained_missing"),
    shown: levelText,
    says: (share, windows) => {
      const judged = windows.reduce((sum, w) => sum + w.judged, 0);
      return t("heat_attained", { p: percent(share), n: judged, expected: percent(mean(windows, "service_level", "arrivals")) });
    },
    colour: (share, _, row) => `l${below(share, row)}`,
    bad: (share, row) => (row.target_service_level ?? 0) - share,
  },
  backlog: {
    value: (windows) => windows.filter((w) => w.backlog != null).at(-1)?.backlog ?? null,
    why: (windows) => reason(windows, "backlog_missing"),
    shown: compact,
    says: (n) => t("heat_backlog", { n }),
    colour: (n, _, __, most) => `b${n > 0 ? Math.ceil((n / most) * 3) : 0}`,
    bad: (n) => n,
  },
};
export const LAYER_NAMES = Object.keys(LAYERS);

/** The words of a cell; those of one that no forecast reaches say so. */
const withOutline = (says, windows) => (windows.some((w) => w.outline) ? t("heat_outline", { says }) : says);

/** The words of a cell without a figure. */
const empty = (why) => t(`heat_why_${why}`);

function cell(at, windows, row, layer, { zone, most, reasons }) {
  const value = layer.value(windows);
  const words = (says) => joined("part", [hm(at, zone), says]);
  if (value === null) {
    const why = layer.why(windows);
    reasons.add(why);
    const says = words(empty(why));
    return h("td", { class: "heat none", title: says, "data-why": why }, h("span", { class: "hidden", text: says }));
  }
  const outlined = windows.some((w) => w.outline);
  const says = words(withOutline(layer.says(value, windows, row), windows));
  return h("td", { class: `heat ${layer.colour(value, windows, row, most)}${outlined ? " outline" : ""}`, title: says },
    h("span", { "aria-hidden": "true", text: layer.shown(value) }), h("span", { class: "hidden", text: says }));
}

/** The worst half hour of all rows, in words; `null` where none is bad. */
function worstHalf(rows, span, zone, layer) {
  let worst = null;
  for (const row of rows) {
    for (const [at, windows] of halves(row, span)) {
      const value = layer.value(windows);
      const bad = value === null ? 0 : layer.bad(value, row);
      if (bad > (worst?.bad ?? 0)) worst = { bad, at, row, windows, value };
    }
  }
  return worst && t("heat_worst", { at: hm(worst.at, zone), name: labelOf(worst.row), says: withOutline(layer.says(worst.value, worst.windows, worst.row), worst.windows) });
}

/** Draws the map. `view`: {rows, span, zone, chosen, choose, layer}. Returns its node, its worst half hour, and why cells are empty. */
export function heatMap({ rows, span, zone, chosen, choose, layer: shown }) {
  const now = clock.now();
  const layer = LAYERS[shown];
  const [from, to] = span;
  const hours = [];
  for (let at = from; at < to; at += 2 * HALF_MS) hours.push(at);
  const head = h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("heat_team") }),
    hours.map((at) => h("th", { scope: "colgroup", colspan: 2, class: at <= now && now < at + 2 * HALF_MS ? "now" : null, text: hm(at, zone).slice(0, 2) }))));
  const reasons = new Set();
  const body = rows.map((row) => {
    const key = keyOfRow(row);
    const cells = halves(row, span);
    const most = Math.max(1, ...cells.map(([, windows]) => layer.value(windows) ?? 0));
    const pick = h("button", { type: "button", class: "link", "aria-pressed": String(key === chosen), text: labelOf(row), onclick: () => choose(key) });
    return h("tr", { class: key === chosen ? "chosen" : null }, h("th", { scope: "row" }, pick), cells.map(([at, windows]) => cell(at, windows, row, layer, { zone, most, reasons })));
  });
  const label = joined("part", [t("heat_table"), t(`heat_layer_${shown}`)]);
  const node = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "heat-map" }, head, h("tbody", {}, body)));
  return { node, worst: worstHalf(rows, span, zone, layer), why: [...reasons].map(empty) };
}

/** The map as rows of cells for a file: a header, then a row for each team. An empty cell has no figure. */
export function heatRows(rows, span, layer) {
  const cells = rows.map((row) => [labelOf(row), halves(row, span).map(([, windows]) => LAYERS[layer].value(windows))]);
  const head = halves({ targets: [] }, span).map(([at]) => iso(at));
  return [[t("heat_team"), ...head], ...cells.map(([label, values]) => [label, ...values.map((value) => (value === null ? "" : String(Number(value.toFixed(4)))))])];
}

/** The switch between figures: radio buttons, which arrow keys move through. */
export function layerSwitch(chosen, changed) {
  const options = LAYER_NAMES.map((key) => h("label", {}, h("input", { type: "radio", name: "heat-layer", value: key, checked: key === chosen, onchange: () => changed(key) }), h("span", { text: t(`heat_layer_${key}`) })));
  return h("fieldset", { class: "switch" }, h("legend", { class: "hidden", text: t("heat_switch") }), options);
}
