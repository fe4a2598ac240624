// Service of tickets: compliance with agreements by week, the most urgent open tickets, customers to call, and how customers sound.
import * as clock from "./clock.js";
import { csvButton } from "./csv.js";
import { h, setText } from "./dom.js";
import { dateTime, hm, joined, name, num, percent, t } from "./i18n.js";
import { get, sayFault } from "./net.js";

const AGE_MS = 60000;
const WEEKS = 4;
const ROWS = 10;

const place = (row) => `${name("region", row.region)} / ${name("service", row.service)}`;
const topic = (row) => (row.class ? t(`topic-${row.class}`) : "–");

function table(label, columns, rows) {
  const head = columns.map((key) => h("th", { scope: "col", text: t(`tickets_${key}`) }));
  const body = rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row", text: first }), rest.map((text) => h("td", { text }))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t(label) },
    h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** Clocks of all places together. */
function sum(rows, kind) {
  const all = { met: 0, breached: 0, at_risk: 0, open: 0 };
  for (const row of rows) for (const key of Object.keys(all)) all[key] += row[kind][key];
  return all;
}

const level = ({ met, breached }) => (met + breached ? t("tickets_level", { level: percent(met / (met + breached)), met: num(met), all: num(met + breached) }) : "–");

/** Rows by week and agreement. */
function compliance(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = `${row.week}\n${row.sla}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((own) => {
    const [first, resolution] = [sum(own, "first_response"), sum(own, "resolution")];
    return [own[0].week, own[0].sla, level(first), level(resolution), num(first.open + resolution.open), num(first.at_risk + resolution.at_risk)];
  });
}

function due(row) {
  const running = [row.first_response, row.resolution].filter((own) => own && (own.state === "running" || own.state === "at_risk"));
  if (!running.length) return [row.first_response, row.resolution].some((own) => own?.state === "breached") ? t("tickets_late") : "–";
  const [next] = running.sort((a, b) => a.due_at.localeCompare(b.due_at));
  const at = dateTime(next.due_at, clock.zoneOf(row.region));
  return next.state === "at_risk" ? t("tickets_soon", { at }) : at;
}

const openRow = (row) => [row.ticket_id, row.priority, row.reason, place(row), topic(row), due(row)];
const customerRow = (row) => [row.customer, place(row), row.priority, num(row.open), row.reasons.join(" "), joined("list", row.ticket_ids)];

const share = (n, all) => t("tickets_share", { n: num(n), all: num(all) });
const sentimentRow = (row) => [place(row), share(row.negative, row.texts), row.usual_negative == null ? "–" : share(row.usual_negative, row.usual_texts), num(row.positive), num(row.neutral)];

/** "7 of 31 tickets were negative from 10:00 to 11:00. Usually: 2 of 28." */
function sentimentSays(rows) {
  const total = (key) => rows.reduce((all, row) => all + row[key], 0);
  const zone = clock.zoneOf("_all");
  const known = rows.every((row) => row.usual_negative != null);
  const says = { n: total("negative"), all: num(total("texts")), from: hm(rows[0].from, zone), to: hm(rows[0].to, zone) };
  return joined("sentence", [t("tickets_sentiment_says", says), known && t("tickets_sentiment_usual", { share: share(total("usual_negative"), total("usual_texts")) })]);
}

/** One of the four lists: what it asks for, and its table. */
function part(key, path, query, content) {
  const none = h("p", { class: "muted", text: t("loading") });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const shown = h("div");
  const node = h("div", { class: "part-of", id: `tickets-${key}` }, h("h3", { text: t(`tickets_${key}_title`) }),
    csvButton(() => [path, { ...query(), limit: undefined }, t(`tickets_${key}_title`)]), h("p", { class: "muted small", text: t(`tickets_${key}_help`) }), failed, none, shown);
  node.read = async () => {
    try {
      const rows = await get(path, query());
      failed.hidden = true;
      none.hidden = rows.length > 0;
      setText(none, t(`tickets_${key}_none`));
      shown.replaceChildren(...(rows.length ? [content(rows)] : []));
    } catch (error) {
      none.hidden = true;
      failed.hidden = false;
      sayFault(failed, error);
    }
  };
  return node;
}

/** The panel of a region and service. It reads when it is opened, and then at most once a minute. */
export function tickets(filter) {
  let last = null;
  let asked = "";
  const where = () => ({ region: filter.region, service: filter.service });
  const parts = [
    part("sla", "/sla", () => ({ ...where(), weeks: WEEKS }), (rows) => table("tickets_sla_title", ["week", "agreement", "first", "resolution", "running", "risk"], compliance(rows))),
    part("open", "/tickets", () => ({ ...where(), limit: ROWS }), (rows) => table("tickets_open_title", ["id", "priority", "why", "place", "about", "due"], rows.map(openRow))),
    part("call", "/outreach", () => ({ ...where(), limit: ROWS }), (rows) => table("tickets_call_title", ["customer", "place", "priority", "still_open", "why", "ids"], rows.map(customerRow))),
    part("sentiment", "/tickets/sentiment", where, (rows) => h("div", {}, h("p", { text: sentimentSays(rows) }),
      table("tickets_sentiment_title", ["place", "negative", "usual", "positive", "neutral"], rows.slice(0, ROWS).map(sentimentRow)))),
  ];
  const node = h("details", { class: "panel", id: "tickets", ontoggle: () => node.update() }, h("summary", { text: t("tickets_panel") }), parts);
  node.update = () => {
    const now = JSON.stringify(where());
    if (!node.open || (now === asked && last !== null && performance.now() - last < AGE_MS)) return;
    [last, asked] = [performance.now(), now];
    parts.forEach((own) => own.read());
  };
  return node;
}
