// Open alerts as cards: to read, to acknowledge, and to say whether they were useful.
import * as clock from "./clock.js";
import { h, keyed, recall, remember, setText } from "./dom.js";
import { dayTime, joined, langCode, name, span, t, times } from "./i18n.js";
import { hrefAt, hrefOf } from "./keys.js";
import { BASE, post, sayFault } from "./net.js";
import { silenceForm, silencedText } from "./silences.js";

/** Cards at first: fewer on a phone. */
const SHOWN_MAX = matchMedia("(max-width: 720px)").matches ? 2 : 4;
const URGENCY = { critical: 0, warning: 1, info: 2 };
const ORDER = { firing: 0, acknowledged: 1, pending: 2 };

/** Whether an alert belongs to another open one, which says more: agents are missing in the same place. */
export const isPartOf = (alerts) => {
  const open = new Set(alerts.map((a) => a.id));
  return (a) => open.has(a.finding?.inhibited_by);
};

/** Alerts that somebody has to look at: they fire, are more than information, and belong to no other. */
export const urgent = (alerts) => {
  const isPart = isPartOf(alerts);
  return alerts.filter((a) => a.state === "firing" && a.severity !== "info" && !isPart(a));
};

export const byUrgency = (a, b) =>
  (a.finding ? 1 : 0) - (b.finding ? 1 : 0)
  || (ORDER[a.state] ?? 3) - (ORDER[b.state] ?? 3)
  || (URGENCY[a.severity] ?? 1) - (URGENCY[b.severity] ?? 1)
  || b.agents_short - a.agents_short
  || a.since.localeCompare(b.since);

function ackForm(card, changed) {
  const id = `by-${card.dataset.key}`;
  const input = h("input", { id, name: "by", required: true, maxlength: 64, autocomplete: "name", value: recall("name") ?? "" });
  const form = h("form", { class: "ack", hidden: true },
    h("label", { for: id, text: t("ack_name") }), input,
    h("button", { class: "primary", text: t("ack") }),
    h("p", { class: "muted", text: t("ack_hint") }),
    h("button", { type: "button", text: t("cancel"), onclick: () => close() }));
  const open = h("button", { type: "button", class: "primary", text: t("ack"), onclick: () => {
    form.hidden = false;
    open.hidden = true;
    input.focus();
    input.select();
  } });
  function close() {
    form.hidden = true;
    open.hidden = false;
    open.focus();
  }
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const by = input.value.trim();
    if (!by) return input.focus();
    remember("name", by);
    return changed(post(`/alerts/${encodeURIComponent(card.dataset.key)}/ack`, { by }));
  });
  return h("div", { class: "acting" }, open, form);
}

function feedback(id, changed) {
  const say = (useful) => () => changed(post(`/alerts/${encodeURIComponent(id)}/feedback`, { useful }));
  return h("div", { class: "feedback", role: "group", "aria-label": t("useful") },
    h("span", { text: t("useful") }),
    h("button", { type: "button", text: t("yes"), onclick: say(true) }),
    h("button", { type: "button", text: t("no"), onclick: say(false) }));
}

function card(alert, reload) {
  const badge = h("span", { class: "badge" });
  const title = h("h3", { tabindex: "-1" });
  const when = h("p", { class: "muted when" });
  const text = h("p", { class: "text clamp", id: `text-${alert.id}` });
  const more = h("button", { type: "button", class: "link", "aria-controls": text.id, "aria-expanded": "false", text: t("more"), onclick: () => {
    const closed = text.classList.toggle("clamp");
    more.setAttribute("aria-expanded", String(!closed));
    setText(more, t(closed ? "more" : "less"));
  } });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const node = h("article", { class: "alert" });
  node.dataset.key = alert.id;
  async function changed(sent) {
    failed.hidden = true;
    try {
      node.update(await sent);
      // The pressed button is hidden now: keep the focus in this card.
      if (!node.contains(document.activeElement) || !document.activeElement.checkVisibility()) title.focus();
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }
  const ack = ackForm(node, changed);
  const acked = h("p", { class: "acked" });
  const silence = silenceForm(alert.id, async () => {
    await reload();
    title.focus();
  });
  const silenced = h("p", { class: "acked silenced" });
  const asked = feedback(alert.id, changed);
  const thanks = h("p", { class: "muted", role: "status" });
  const chart = h("a", { text: t("alert_chart") });
  const part = h("a", { text: t("alert_incident"), hidden: true });
  const links = h("p", { class: "links" }, chart, part,
    h("a", { hidden: alert.finding != null, href: `${BASE}api/v1/reports/incidents/${encodeURIComponent(alert.id)}?language=${langCode()}`, text: t("alert_report") }),
    h("a", { href: `#/alerts/${encodeURIComponent(alert.id)}`, text: t("alert_link") }));
  const found = h("ul");
  const also = h("div", { class: "also", hidden: true }, h("p", { text: t("alert_also") }), found);
  node.append(h("div", { class: "head" }, badge, title), when, text, more, also, links, silenced, h("div", { class: "foot-row" }, ack, acked, silence, asked, thanks), failed);
  node.update = (a) => {
    node.dataset.severity = a.severity;
    node.dataset.state = a.state;
    setText(badge, joined("part", [t(`sev_${a.severity}`), a.state !== "firing" && t(`state_${a.state}`)]));
    setText(title, a.title);
    const minutes = Math.max(0, (clock.now() - Date.parse(a.since)) / 60000);
    const at = clock.hm(a.since, clock.zoneOf(a.region), dayTime);
    setText(when, joined("part", [`${name("region", a.region)} / ${name("service", a.service)}`, t("since", { at, ago: span(Math.round(minutes)) })]));
    setText(text, a.text);
    also.hidden = !a.also?.length;
    keyed(found, a.also ?? [], (b) => b.id, alsoFound);
    chart.href = a.worst ? hrefAt(a.worst, a.worst.at) : hrefOf({ ...a, channel: "_all" });
    more.hidden = a.text.length < 160 && a.text.split("\n").length <= 3;
    ack.hidden = a.state !== "firing" && a.state !== "pending";
    acked.hidden = !a.acknowledged_by;
    const taken = a.acknowledged_at && clock.hm(a.acknowledged_at, clock.zoneOf(a.region), dayTime);
    setText(acked, t(taken ? "acked_at" : "acked_by", { name: a.acknowledged_by ?? "", at: taken }));
    silence.update(a);
    const isHeld = a.state !== "resolved" && (a.silenced != null || a.held != null);
    silenced.hidden = !isHeld;
    setText(silenced, isHeld ? silencedText(a) : "");
    const isPart = a.incident != null && a.incident !== a.id;
    part.hidden = !isPart;
    if (isPart) part.href = `#/alerts/${encodeURIComponent(a.incident)}`;
    asked.hidden = a.feedback != null;
    const moved = a.limit_factor !== 1 && t("limits_moved", { factor: times(a.limit_factor) });
    setText(thanks, joined("sentence", [a.feedback != null && t("thanks"), moved]));
  };
  return node;
}

/** A line for an alert that belongs to the card's. */
function alsoFound(alert) {
  const link = h("a", { href: `#/alerts/${encodeURIComponent(alert.id)}` });
  const node = h("li", {}, link);
  node.update = (a) => setText(link, a.title);
  return node;
}

/** A section that shows open alerts, worst first, each with those that belong to it; `update(alerts)`. The alert with the id `wanted` comes first. `reload` loads them again. */
export function alertList(wanted, reload) {
  const list = h("div", { class: "alerts" });
  const none = h("p", { class: "calm" });
  let all = false;
  let given = [];
  let shown = false;
  const more = h("button", { type: "button", onclick: () => {
    all = true;
    node.update(given);
  } });
  const node = h("section", { "aria-labelledby": "alerts-title" }, h("h2", { id: "alerts-title", class: "hidden", text: t("alerts") }), none, list, more);
  node.update = (alerts) => {
    given = alerts;
    const isPart = isPartOf(alerts);
    const also = (id) => alerts.filter((a) => a.finding?.inhibited_by === id);
    const own = alerts.filter((a) => a.id === wanted || !isPart(a)).map((a) => ({ ...a, also: also(a.id) }));
    const last = own.sort((a, b) => (b.id === wanted) - (a.id === wanted) || byUrgency(a, b));
    const isThere = !wanted || last[0]?.id === wanted;
    none.hidden = last.length > 0 && isThere;
    setText(none, t(isThere ? "no_alerts" : "no_such_alert"));
    keyed(list, all ? last : last.slice(0, SHOWN_MAX), (a) => a.id, (a) => card(a, reload));
    if (!shown && wanted && isThere) {
      shown = true;
      list.firstChild.classList.add("wanted");
      list.firstChild.scrollIntoView({ block: "nearest" });
      list.firstChild.querySelector("h3").focus({ preventScroll: true });
    }
    more.hidden = all || last.length <= SHOWN_MAX;
    setText(more, t("more_alerts", { n: last.length }));
  };
  return node;
}
