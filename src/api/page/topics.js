// Complaints by topic in the past hours, and the usual number at this time of the week.
import * as clock from "./clock.js";
import { h } from "./dom.js";
import { joined, num, t, tickets } from "./i18n.js";
import { get } from "./net.js";
import { iso } from "./time.js";

export const TOPIC_HOURS = 6;
const TOPICS = ["outage", "coverage", "slow", "billing", "device", "other"];
const PHRASES = 5;
/** A topic is marked from this many tickets and this multiple of the usual number on. */
const MARKED = { tickets: 5, times: 2 };

/** The query of the topics of the past hours. */
export function topicsQuery({ region, service }) {
  const to = Date.parse(clock.status()?.settled_upto ?? iso(clock.now()));
  return { region, service, from: iso(to - TOPIC_HOURS * 3600000), to: iso(to) };
}

/** Topics of the region and service of a series, all channels together. */
export const fetchTopics = (key) => get("/topics", topicsQuery(key));

const sum = (rows, pick) => rows.reduce((total, row) => total + (pick(row) ?? 0), 0);

/** Tickets by phrase, most first. */
function phrases(rows) {
  const counts = new Map();
  for (const { phrase, tickets: n } of rows.flatMap((row) => row.phrases)) counts.set(phrase, (counts.get(phrase) ?? 0) + n);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, PHRASES);
}

function line(topic, rows) {
  const actual = sum(rows, (row) => row.topics[topic]);
  const known = rows.filter((row) => row.usual);
  // Windows without a usual number get the mean of the others.
  const usual = known.length ? (sum(known, (row) => row.usual[topic]) * rows.length) / known.length : null;
  const marked = usual != null && actual >= MARKED.tickets && actual >= MARKED.times * usual;
  return h("tr", {}, h("th", { scope: "row", text: t(`topic-${topic}`) }),
    h("td", { class: marked ? "bad" : null, text: marked ? `▲ ${num(actual)}` : num(actual) }), h("td", { text: tickets(usual) }));
}

/** The panel's content. */
export function topics(rows) {
  if (!rows.some((row) => TOPICS.some((topic) => row.topics[topic] > 0))) return [h("p", { class: "muted", text: t("no_topics") })];
  const head = ["topic", "topic_n", "topic_usual"].map((key) => h("th", { scope: "col", text: t(key) }));
  const said = phrases(rows);
  return [
    h("div", { class: "scroll", tabindex: "0" }, h("table", { class: "figures topics" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, TOPICS.map((topic) => line(topic, rows))))),
    said.length > 0 && h("p", { class: "small", text: t("topic_phrases", { list: joined("list", said.map(([phrase, n]) => t("topic_phrase", { phrase, n }))) }) }),
    h("p", { class: "muted small", text: t("topic_help") }),
  ];
}
