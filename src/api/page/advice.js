// Recommendations: what people can do about agents who are missing or to spare, to accept, to decline, or to mark as done.
import * as clock from "./clock.js";
import { csvButton } from "./csv.js";
import { h, keyed, recall, remember, setText } from "./dom.js";
import { dateTime, dayTime, hm, joined, num, percent, seriesName, t, zoneLabel } from "./i18n.js";
import { KINDS } from "./keys.js";
import { get, post, sayFault } from "./net.js";
import { dayOf } from "./time.js";

/** What each answer leads to, and from which states it is possible. */
const ANSWERS = { accept: ["proposed"], done: ["proposed", "accepted"], decline: ["proposed", "accepted"] };
const KNOWN_MAX = 200;
/** Missing agents that are listed at once. The others are in a list to open. */
const MISSING_SHOWN = 5;
let ids = 0;

/** A team's name; a series without a team has three names, and a team's has no slash. */
export function teamLabel(team) {
  const parts = team.split("/");
  return parts.length === KINDS.length ? seriesName(Object.fromEntries(KINDS.map((kind, i) => [kind, parts[i]]))) : team;
}

/** "Thu 18:00 – 20:30, Europe/London (UTC)"; the last day only if it is another one. */
function time(from, to, zone) {
  const [start, end] = [from, to].map((at) => Date.parse(at));
  const same = dayOf(start, zone) === dayOf(end, zone);
  return joined("part", [t("range", { low: dayTime(start, zone), high: (same ? hm : dayTime)(end, zone) }), zoneLabel(zone, start)]);
}

/** Labels and texts of a recommendation's figures, as the API has them. */
function facts(own) {
  const isMove = own.source != null;
  return [
    ["kind", t(`advice_kind_${own.kind}`)],
    isMove && ["from_team", teamLabel(own.source)],
    [isMove ? "to_team" : "team", teamLabel(own.team)],
    ["time", time(own.from, own.to, clock.zoneOf(null, own.time_zone))],
    own.kind !== "announcement" && ["agents", num(own.agents)],
    ["with", percent(own.service_level_with)],
    ["without", percent(own.service_level_without)],
    ["confidence", percent(own.confidence)],
    ["cost", num(own.cost, 2)],
    own.deflection_low != null && ["deflection", t("range", { low: percent(own.deflection_low), high: percent(own.deflection_high) })],
  ].filter(Boolean);
}

/** The card of a recommendation. `answer(own, what)` sends a person's answer. */
function card(own, answer) {
  ids += 1;
  let shown = own;
  const badge = h("span", { class: "badge" });
  const title = h("h3", { id: `advice-${ids}`, tabindex: "-1" });
  const figures = h("dl", { class: "facts" });
  const reason = h("p", { class: "muted reason" });
  const answered = h("p", { class: "acked" });
  const buttons = Object.keys(ANSWERS).map((what) => {
    const press = async () => {
      await answer(shown, what);
      // The pressed button may be hidden now: keep the focus in this card.
      if (button.hidden) title.focus({ preventScroll: true });
    };
    const button = h("button", { type: "button", class: what === "accept" ? "primary" : null, "data-answer": what, "aria-describedby": title.id, text: t(`advice_${what}`), onclick: press });
    return button;
  });
  const node = h("article", { class: "alert advice" }, h("div", { class: "head" }, badge, title), figures, reason,
    h("div", { class: "foot-row" }, h("div", { class: "acting" }, buttons), answered));
  node.update = (next) => {
    shown = next;
    node.dataset.state = next.state;
    setText(badge, t(`advice_state_${next.state}`));
    setText(title, next.text);
    setText(reason, next.reason);
    figures.replaceChildren(...facts(next).map(([key, text]) => h("div", { "data-fact": key }, h("dt", { text: t(`advice_${key}`) }), h("dd", { text }))));
    for (const button of buttons) button.hidden = !ANSWERS[button.dataset.answer].includes(next.state);
    answered.hidden = !next.answered_by;
    const at = next.answered_at && dateTime(Date.parse(next.answered_at), clock.zoneOf(null, next.time_zone));
    setText(answered, joined("part", [next.answered_by, at]));
  };
  return node;
}

/** Whether a recommendation concerns a region; all do where none is chosen. */
const isOf = (own, region) => !region || own.series.some((series) => ["_all", region].includes(series.split("/")[0]));

/** The panel: `load()` reads, `update(region)` draws. `zone()` is that of agents whom nobody brings. */
export function advice(zone) {
  let rows = null;
  let missing = [];
  let region = "";
  let answers = 0;
  const heading = h("h2", { id: "s-advice", tabindex: "-1", text: t("advice") });
  const by = h("input", { id: "advice-by", required: true, maxlength: 64, autocomplete: "name", value: recall("name") ?? "" });
  const asked = h("label", { class: "field", for: "advice-by" }, h("span", { text: t("ack_name") }), by);
  const said = h("p", { role: "status" });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const none = h("p", { class: "calm" });
  const list = h("div", { class: "alerts" });
  const uncovered = h("ul", { class: "plain" });
  const rest = h("ul", { class: "plain" });
  const others = h("summary");
  const more = h("details", {}, others, rest);
  const lacks = h("div", { hidden: true }, h("h3", { text: t("advice_missing") }), uncovered, more);
  const node = h("section", { class: "panel", id: "advice", "aria-labelledby": "s-advice" }, heading,
    csvButton(() => ["/recommendations", { open: true }, t("advice")]), h("p", { class: "muted small", text: t("advice_help") }),
    h("div", { class: "filters" }, asked), said, failed, none, list, lacks);

  async function answer(own, what) {
    by.value = by.value.trim();
    if (!by.reportValidity()) return;
    remember("name", by.value);
    failed.hidden = true;
    try {
      const now = await post(`/recommendations/${encodeURIComponent(own.id)}/${what}`, { by: by.value });
      answers += 1;
      rows = rows.map((row) => (row.id === now.id ? now : row));
      setText(said, t("advice_said", { state: t(`advice_state_${now.state}`), text: now.text }));
      draw();
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }

  function draw() {
    const shown = (rows ?? []).filter((own) => isOf(own, region));
    none.hidden = rows === null || shown.length > 0;
    setText(none, t("advice_none"));
    asked.hidden = shown.length === 0;
    const within = list.contains(document.activeElement);
    keyed(list, shown, (own) => own.id, (own) => card(own, answer));
    if (within && !list.contains(document.activeElement)) heading.focus({ preventScroll: true });
    lacks.hidden = missing.length === 0;
    const lines = missing.map((own) => h("li", { text: t("advice_missing_row", { team: teamLabel(own.team), n: own.agents, time: time(own.from, own.to, zone()) }) }));
    more.hidden = lines.length <= MISSING_SHOWN;
    setText(others, t("advice_missing_more", { n: lines.length - MISSING_SHOWN }));
    rest.replaceChildren(...lines.splice(MISSING_SHOWN));
    uncovered.replaceChildren(...lines);
  }

  node.load = async () => {
    const before = answers;
    const [found, left] = await Promise.all([get("/recommendations", { open: true, limit: KNOWN_MAX }), get("/recommendations/uncovered")]);
    // An answer that was given meanwhile is newer than what was read.
    if (before === answers) rows = found;
    missing = left;
  };
  node.update = (chosen) => {
    region = chosen;
    draw();
  };
  return node;
}
