// Silences: a form at an alert that holds its pages back, and the list of those that are in force.
import * as clock from "./clock.js";
import { h, keyed, recall, remember, setText } from "./dom.js";
import { dateTime, joined, name, t } from "./i18n.js";
import { post, sayFault } from "./net.js";
import { iso } from "./time.js";

const HOUR_MS = 3600000;
const WINDOW_MS = 900000;
/** How long a silence lasts: hours, or until the alert is expected to end. */
const LENGTHS = ["1", "4", "end"];

/** When a silence of an alert ends that begins now. */
function endOf(alert, length) {
  const now = clock.now();
  return length === "end" ? Math.max(Date.parse(alert.to), now + WINDOW_MS) : now + Number(length) * HOUR_MS;
}

/** The button at an alert, and its form. `changed()` is called when a silence was stored. */
export function silenceForm(key, changed) {
  let alert = null;
  const id = (part) => `silence-${part}-${key}`;
  const by = h("input", { id: id("by"), required: true, maxlength: 64, autocomplete: "name", value: recall("name") ?? "" });
  const length = h("select", { id: id("for") }, LENGTHS.map((value) => h("option", { value, text: t(value === "end" ? "silence_end_alert" : `silence_${value}`) })));
  const critical = h("input", { id: id("critical"), type: "checkbox" });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const form = h("form", { class: "ack", hidden: true },
    h("label", { for: by.id, text: t("ack_name") }), by,
    h("label", { for: length.id, text: t("silence_for") }), length,
    h("label", { for: critical.id }, critical, " ", t("silence_critical")),
    h("button", { class: "primary", text: t("silence") }),
    h("p", { class: "muted", text: t("silence_hint") }),
    h("button", { type: "button", text: t("cancel"), onclick: () => close() }), failed);
  const open = h("button", { type: "button", text: t("silence"), onclick: () => {
    critical.checked = alert.severity === "critical";
    form.hidden = false;
    open.hidden = true;
    by.focus();
  } });
  function close() {
    form.hidden = failed.hidden = true;
    open.hidden = false;
    open.focus();
  }
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    by.value = by.value.trim();
    if (!by.reportValidity()) return;
    remember("name", by.value);
    failed.hidden = true;
    const { rule, region, service } = alert;
    const silence = { rule, region, service, ends_at: iso(endOf(alert, length.value)), critical: critical.checked, by: by.value };
    try {
      await post("/silences", silence);
      close();
      await changed();
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  });
  const node = h("div", { class: "acting silencing" }, open, form);
  node.update = (next) => {
    alert = next;
    node.hidden = next.state === "resolved" || next.silenced != null;
  };
  return node;
}

/** What is said of a silenced alert. */
export function silencedText(alert) {
  const at = (time) => dateTime(Date.parse(time), clock.zoneOf(alert.region));
  if (alert.silenced) return joined("part", [t("silenced", { name: alert.silenced.by, at: at(alert.silenced.until) }), alert.silenced.comment]);
  if (!alert.held) return "";
  return alert.held.until ? t("held_until", { at: at(alert.held.until) }) : t("held");
}

function item(act) {
  let own = null;
  const text = h("strong");
  const more = h("span", { class: "muted" });
  const end = h("button", { type: "button", text: t("silence_end"), onclick: () => asked(true) });
  const sure = h("span", { class: "sure", role: "group", hidden: true }, h("span", { text: t("silence_end_sure") }), " ",
    h("button", { type: "button", class: "primary", text: t("silence_end_yes"), onclick: () => act(own) }), " ",
    h("button", { type: "button", text: t("silence_end_no"), onclick: () => asked(false) }));
  function asked(yes) {
    sure.hidden = !yes;
    end.hidden = yes;
    (yes ? sure.lastChild : end).focus();
  }
  sure.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    asked(false);
  });
  const row = h("li", {}, text, " ", more, " ", end, sure);
  row.update = (next) => {
    own = next;
    const zone = clock.zoneOf(next.region ?? "_all");
    const scope = ["region", "service"].map((kind) => name(kind, next[kind] ?? "_all")).join(" / ");
    setText(text, t("silence_item", { scope, from: dateTime(Date.parse(next.starts_at), zone), to: dateTime(Date.parse(next.ends_at), zone) }));
    setText(more, joined("part", [next.by, next.comment, t(next.critical ? "silence_item_critical" : "silence_item_warnings")]));
    end.setAttribute("aria-label", joined("part", [t("silence_end"), scope]));
  };
  return row;
}

/** The section of the overview: silences in force and planned ones. `reload` loads them again. */
export function silenceList(reload) {
  const list = h("ul", { class: "plain" });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const summary = h("summary");
  const by = h("input", { id: "silence-end-by", required: true, maxlength: 64, autocomplete: "name", value: recall("name") ?? "" });
  const node = h("details", { class: "panel", id: "silences", hidden: true }, summary,
    h("label", { class: "field", for: by.id }, h("span", { text: t("ack_name") }), by), list, failed);
  async function act(own) {
    by.value = by.value.trim();
    if (!by.reportValidity()) return;
    remember("name", by.value);
    failed.hidden = true;
    try {
      await post(`/silences/${encodeURIComponent(own.id)}/end`, { by: by.value });
      await reload();
      if (!node.hidden) summary.focus();
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }
  node.update = (silences) => {
    node.hidden = silences.length === 0;
    setText(summary, t("silences_title", { n: silences.length }));
    keyed(list, silences, (own) => own.id, () => item(act));
  };
  return node;
}
