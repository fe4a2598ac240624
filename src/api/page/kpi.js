// Four figures for the series that the filters select.
import { isPartOf } from "./alerts.js";
import { h, setText } from "./dom.js";
import { hm, joined, name, num, seriesName, t, times } from "./i18n.js";
import { gapText } from "./keys.js";

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

function scope(filter) {
  const names = ["region", "service", "channel"].map((kind) => name(kind, filter[kind] || "_all"));
  return joined("list", [...names, filter.q && t("quoted", { text: filter.q })]);
}

export function figures() {
  const tiles = Object.fromEntries(["tickets", "agents", "gap", "alerts"].map((key) => [key, tile(key)]));
  const cover = h("p", { class: "muted cover" });
  const node = h("section", { class: "kpis-box" }, h("dl", { class: "kpis" }, Object.values(tiles).map((x) => x.node)), cover);
  node.update = (data, filter, clock) => {
    const sums = data.figures;
    if (!sums?.leaves) {
      for (const x of [tiles.tickets, tiles.agents, tiles.gap]) put(x, "–", "");
    } else {
      put(tiles.tickets, num(sums.tickets), sums.over_baseline == null ? "" : t("kpi_tickets_sub", { x: times(sums.over_baseline) }));
      putAgents(tiles.agents, sums.agents, clock.zoneOf(filter.region || "_all"));
      putGap(tiles.gap, sums.gap, clock);
    }
    const isPart = isPartOf(data.alerts ?? []);
    const open = (data.alerts ?? []).filter((a) => a.severity !== "info" && !isPart(a) && (!filter.region || a.region === filter.region) && (!filter.service || a.service === filter.service));
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

function putGap(tile, worst, clock) {
  if (!worst) return put(tile, "–", t("no_staffing"));
  if (worst.gap_max <= 0) return put(tile, "0", t("kpi_gap_none"));
  return put(tile, gapText(worst.gap_max), t("kpi_gap_sub", { series: seriesName(worst), at: clock.hm(worst.gap_at, clock.zoneOf(worst.region)) }), true);
}
