// Four figures for whatever the filters cover.
import { h, setText } from "./dom.js";
import { hm, name, num, seriesName, t, times } from "./i18n.js";
import { gapText, keyOf, matches } from "./keys.js";

function tile(key) {
  const value = h("dd", { class: "value" });
  const sub = h("dd", { class: "muted" });
  return { node: h("div", { class: "kpi" }, h("dt", { text: t(`kpi_${key}`) }), value, sub), value, sub };
}

function put(tile, value, sub, bad = false) {
  setText(tile.value, value);
  tile.value.classList.toggle("bad", bad);
  setText(tile.sub, sub);
}

/** Agents needed, and on hand, in the window where the sum over `plans` is largest. */
function peakAgents(plans) {
  const sums = new Map();
  for (const plan of plans) {
    for (const target of plan.targets) {
      const sum = sums.get(target.start) ?? { at: target.start, agents: 0, against: 0, rostered: 0, of: 0 };
      sum.agents += target.agents;
      sum.against += target.agents - target.gap; // the roster, or what is usual where it says nothing
      sum.rostered += target.scheduled == null ? 0 : 1;
      sum.of += 1;
      sums.set(target.start, sum);
    }
  }
  return [...sums.values()].reduce((best, sum) => (best && best.agents >= sum.agents ? best : sum), null);
}

const sum = (values) => values.reduce((total, v) => total + v, 0);

/** The roll-up over the filter has its own forecast, which beats a sum of medians. */
function expected(data, filter, leaves) {
  const whole = filter.q ? undefined
    : data.outlooks.get(keyOf({ region: filter.region || "_all", service: filter.service || "_all", channel: filter.channel || "_all" }));
  if (whole) return { tickets: sum(whole.next), over: whole.over_baseline };
  const total = sum(leaves.map((o) => sum(o.next)));
  const base = sum(leaves.map((o) => sum(o.next) / (o.over_baseline || 1)));
  return { tickets: total, over: base > 0 ? total / base : null };
}

function scope(filter) {
  const names = ["region", "service", "channel"].map((kind) => name(kind, filter[kind] || "_all"));
  return [...names, filter.q && `“${filter.q}”`].filter(Boolean).join(", ");
}

export function figures() {
  const tiles = Object.fromEntries(["tickets", "agents", "gap", "alerts"].map((key) => [key, tile(key)]));
  const cover = h("p", { class: "muted cover" });
  const node = h("section", { class: "kpis-box" }, h("dl", { class: "kpis" }, Object.values(tiles).map((x) => x.node)), cover);
  node.update = (data, filter, clock) => {
    const inScope = (s) => matches(s, { ...filter, rollups: false });
    const leaves = [...data.outlooks.values()].filter(inScope);
    if (leaves.length === 0) {
      for (const x of [tiles.tickets, tiles.agents, tiles.gap]) put(x, "–", "");
    } else {
      const { tickets, over } = expected(data, filter, leaves);
      put(tiles.tickets, num(tickets), over == null ? "" : t("kpi_tickets_sub", { x: times(over) }));
      putAgents(tiles.agents, peakAgents([...data.plans.values()].filter(inScope)), clock.zoneOf(filter.region || "_all"));
      putGap(tiles.gap, leaves, clock);
    }
    const open = (data.alerts ?? []).filter((a) => (!filter.region || a.region === filter.region) && (!filter.service || a.service === filter.service));
    const firing = open.filter((a) => a.state === "firing").length;
    put(tiles.alerts, data.alerts ? num(open.length) : "–", open.length ? t("kpi_alerts_sub", { n: firing }) : "", firing > 0);
    const filtered = filter.region || filter.service || filter.channel || filter.q;
    cover.hidden = !filtered;
    setText(cover, t("kpi_scope", { scope: scope(filter) }));
  };
  return node;
}

function putAgents(tile, peak, zone) {
  if (!peak) return put(tile, "–", t("no_staffing"));
  const at = hm(peak.at, zone);
  const sub = peak.rostered === 0 ? "kpi_agents_sub_none" : peak.rostered < peak.of ? "kpi_agents_sub_mixed" : "kpi_agents_sub";
  return put(tile, num(peak.agents), t(sub, { at, n: num(peak.against) }));
}

function putGap(tile, leaves, clock) {
  const worst = leaves.filter((o) => o.gap_max != null).reduce((w, o) => (w && w.gap_max >= o.gap_max ? w : o), null);
  if (!worst) return put(tile, "–", t("no_staffing"));
  if (worst.gap_max <= 0) return put(tile, "0", t("kpi_gap_none"));
  return put(tile, gapText(worst.gap_max), t("kpi_gap_sub", { series: seriesName(worst), at: clock.hm(worst.gap_at, clock.zoneOf(worst.region)) }), true);
}
