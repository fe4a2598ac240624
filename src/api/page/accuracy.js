// Accuracy of the forecasts: by lead, for surges, and by series against the target accuracy.
import { csvButton } from "./csv.js";
import { h } from "./dom.js";
import { name, num, percent, seriesName, span, t, tickets } from "./i18n.js";
import { get } from "./net.js";
import { home } from "./overview.js";

const LEADS = [60, 180, 360];
const KINDS = ["region", "service", "channel"];
const isTotal = (a) => KINDS.every((kind) => a[kind] === "_all");
const isLeaf = (a) => KINDS.every((kind) => a[kind] !== "_all");
/** A service of a region over all channels: surges are counted for these. */
const isPlace = (a) => a.channel === "_all" && a.region !== "_all" && a.service !== "_all";
const share = (error) => (error == null ? "–" : percent(Math.max(0, 1 - error), 1));
const signedShare = (x) => (x == null ? "–" : `${x > 0 ? "+" : ""}${percent(x, 1)}`);
const href = (s) => `#/series/${KINDS.map((kind) => encodeURIComponent(s[kind])).join("/")}`;

const head = (...keys) => h("thead", {}, h("tr", {}, keys.map((key) => h("th", { scope: "col", text: t(key) }))));
const table = (header, rows) => h("div", { class: "scroll", tabindex: "0" }, h("table", { class: "figures" }, header, h("tbody", {}, rows)));
const row = (first, cells) => h("tr", {}, h("th", { scope: "row" }, first), cells.map((text) => h("td", { text })));

/** The figures at leads of 1, 3 and 6 h. The largest lead counts as 6 h, because the last window starts inside the horizon. */
function atLeads(accuracy) {
  const scored = accuracy.leads.filter((lead) => lead.n > 0);
  return LEADS.map((minutes) => {
    const found = scored.filter((lead) => lead.lead_minutes <= minutes && lead.lead_minutes > minutes - 61).at(-1);
    return found && { label: span(minutes), ...found };
  }).filter(Boolean);
}

/** "87.1 %" for each lead, with what repeating last week reaches and what is possible. */
function headline(total) {
  const tile = (lead) => h("div", { class: "kpi" }, h("dt", { text: t("acc_ahead", { lead: lead.label }) }), h("dd", { class: "value", text: share(lead.wape) }),
    h("dd", { class: "muted", text: t("acc_beside", { naive: share(lead.wape_naive), floor: share(lead.wape_floor) }) }));
  return h("dl", { class: "kpis three" }, atLeads(total).map(tile));
}

function byLead(total) {
  if (!total?.overall.n) return [h("p", { class: "muted", text: t("acc_none") })];
  const rows = [...atLeads(total), { label: t("acc_overall"), ...total.overall }];
  const cells = (r) => [share(r.wape), share(r.wape_naive), share(r.wape_floor), percent(r.coverage80), percent(r.coverage95), signedShare(r.bias), num(r.n)];
  return [
    headline(total),
    table(head("acc_lead", "acc_reached", "acc_naive_is", "acc_floor_is", "acc_80", "acc_95", "acc_bias", "acc_n"), rows.map((r) => row(r.label, cells(r)))),
    h("p", { class: "muted small", text: t("acc_page_help", { target: percent(total.target_accuracy) }) }),
  ];
}

function surges(all) {
  const sums = LEADS.map((minutes, i) => {
    const parts = all.filter(isPlace).map((a) => a.surges[i]).filter(Boolean);
    const sum = (key) => parts.reduce((n, part) => n + part[key], 0);
    const warned = parts.filter((part) => part.warning_minutes != null);
    const weight = warned.reduce((n, part) => n + part.warned, 0);
    const minutesOf = warned.reduce((n, part) => n + part.warning_minutes * part.warned, 0);
    return { label: span(minutes), ...Object.fromEntries(["surges", "alarmed", "hits", "calls", "false_calls"].map((key) => [key, sum(key)])), warning: weight ? minutesOf / weight : null };
  });
  if (sums.every((s) => s.surges === 0 && s.calls === 0)) return [h("p", { class: "muted", text: t("surges_none") })];
  const cells = (s) => [num(s.surges), num(s.alarmed), num(s.hits), s.warning == null ? "–" : span(Math.round(s.warning)), num(s.calls), num(s.false_calls)];
  return [
    table(head("acc_lead", "surges_n", "surges_alarmed", "surges_hit", "surges_warning", "surges_warnings", "surges_false"), sums.map((s) => row(s.label, cells(s)))),
    h("p", { class: "muted small", text: t("surges_help") }),
  ];
}

function group(key, list, target) {
  const rows = [...list].sort((a, b) => (b.overall.mean ?? 0) - (a.overall.mean ?? 0)).map((a) => {
    const o = a.overall;
    return row(h("a", { href: href(a), text: seriesName(a) }), [tickets(o.mean), share(o.wape), share(o.wape_naive), share(o.wape_floor)]);
  });
  const words = { target: percent(target), n: list.length };
  return h("section", { class: "panel" }, h("h2", { text: t(`group_${key}`, words) }), h("p", { class: "muted", text: t(`group_${key}_why`, words) }),
    rows.length ? table(head("acc_series", "acc_mean", "acc_reached", "acc_naive_is", "acc_floor_is"), rows) : h("p", { class: "muted", text: t("group_empty") }));
}

function groups(all) {
  const leaves = all.filter((a) => isLeaf(a) && a.overall.wape != null);
  const target = all[0]?.target_accuracy ?? 0;
  const reached = leaves.filter((a) => a.reached);
  const missed = leaves.filter((a) => !a.reached && a.reachable);
  const beyond = leaves.filter((a) => !a.reached && !a.reachable);
  return { missed: group("missed", missed, target), reached: group("reached", reached, target), beyond: group("beyond", beyond, target) };
}

/** Builds the view into `root`. */
export function accuracy(root) {
  const heading = h("h1", { tabindex: "-1", text: t("acc_page") });
  const loading = h("p", { class: "muted", text: t("loading") });
  const body = h("div");
  root.append(h("nav", { class: "crumbs", "aria-label": t("back") }, h("a", { href: home() }, "← ", t("back"))), heading, csvButton(() => ["/accuracy", {}, t("acc_page")]), loading, body);
  let all = null;
  let shown = "";
  return {
    async load() {
      all = await get("/accuracy");
    },
    render() {
      if (!all) return;
      loading.hidden = true;
      const text = JSON.stringify(all);
      if (text === shown) return;
      shown = text;
      const total = all.find(isTotal);
      const { missed, reached, beyond } = groups(all);
      body.replaceChildren(
        h("section", { class: "panel" }, h("h2", { text: t("acc_all", { series: total ? seriesName(total) : name("region", "_all") }) }), byLead(total)),
        missed, h("section", { class: "panel" }, h("h2", { text: t("surges_title") }), surges(all)),
        beyond, reached);
    },
    title: () => t("acc_page"),
    focus: () => heading.focus({ preventScroll: true }),
  };
}
