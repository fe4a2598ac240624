// Planners' entries, such as campaigns, billing runs and overrides: to add, list and remove.
import * as clock from "./clock.js";
import { h, keyed, recall, remember, setText } from "./dom.js";
import { dateTime, joined, name, num, offset, percent, t, times, zoneLabel } from "./i18n.js";
import { KINDS } from "./keys.js";
import { del, post, sayFault } from "./net.js";

const SORTS = ["campaign", "billing", "override", "other"];
const SAYS = ["factor", "tickets_per_window"];
const HOUR_MS = 3600000;

/** Whether an entry concerns a series. A roll-up is concerned if one of its parts is. */
export const touches = (entry, series) =>
  KINDS.every((kind) => entry[kind] == null || series[kind] === "_all" || entry[kind] === series[kind]);

/** "×1.50" or "80 tickets per window". */
const amount = (entry) => (entry.factor != null ? times(entry.factor) : t("plan_amount", { n: num(entry.tickets_per_window) }));

/** The errors with and without entries; nothing if none was scored. */
export function adjustedSays(accuracy) {
  const both = accuracy?.adjustments;
  if (both?.adjusted.wape == null) return [];
  const words = { adjusted: percent(both.adjusted.wape), model: percent(both.model.wape), n: both.model.n };
  return [h("p", { text: t("plan_scored", words) })];
}

/** The instant at which a clock in `zone` shows `text` (as in datetime-local). */
function instant(text, zone) {
  const shown = Date.parse(`${text}Z`);
  const near = shown - offset(shown, zone);
  return new Date(shown - offset(near, zone)).toISOString();
}

const local = (at, zone) => new Date(at + offset(at, zone)).toISOString().slice(0, 16);

function field(id, label, input) {
  input.id = id;
  return h("label", { class: "field", for: id }, h("span", { text: label }), input);
}

const options = (list, text) => list.map((value) => h("option", { value, text: text(value) }));

function form(done) {
  const label = h("input", { required: true, maxlength: 60 });
  const sort = h("select", {}, options(SORTS, (s) => t(`plan_${s}`)));
  const scope = Object.fromEntries(KINDS.map((kind) => [kind, h("select")]));
  const from = h("input", { type: "datetime-local", required: true });
  const to = h("input", { type: "datetime-local", required: true });
  const says = h("select", {}, options(SAYS, (s) => t(`plan_${s}`)));
  const value = h("input", { type: "number", required: true, min: 0, max: 10, step: "any", value: "1.5" });
  const by = h("input", { required: true, maxlength: 100, autocomplete: "name", value: recall("name") ?? "" });
  const note = h("input", { maxlength: 1000 });
  const zoneNote = h("p", { class: "muted small" });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const zone = () => clock.zoneOf(scope.region.value || "_all");
  says.addEventListener("change", () => (value.max = says.value === "factor" ? 10 : 1000000));
  scope.region.addEventListener("change", () => zoned());
  const zoned = () => setText(zoneNote, t("plan_zone", { zone: zoneLabel(zone(), clock.now()) }));
  const node = h("form", { class: "planner" },
    h("div", { class: "filters" },
      field("p-label", t("plan_label"), label), field("p-kind", t("plan_kind"), sort),
      KINDS.map((kind) => field(`p-${kind}`, t(`filter_${kind}`), scope[kind])),
      field("p-from", t("plan_from"), from), field("p-to", t("plan_to"), to),
      field("p-says", t("plan_says"), says), field("p-value", t("plan_value"), value),
      field("p-by", t("plan_by"), by), field("p-note", t("plan_note"), note),
      h("button", { class: "primary", text: t("plan_enter") })),
    zoneNote, failed);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    if (to.value <= from.value) {
      failed.hidden = false;
      failed.title = "";
      return setText(failed, t("plan_order"));
    }
    remember("name", by.value.trim());
    const entry = {
      id: `${Date.now().toString(36)}${Math.floor(Math.random() * 1e9).toString(36)}`,
      label: label.value, kind: sort.value, starts_at: instant(from.value, zone()), ends_at: instant(to.value, zone()),
      [says.value]: Number(value.value), by: by.value, note: note.value || null,
    };
    for (const kind of KINDS) entry[kind] = scope[kind].value || null;
    try {
      await post("/adjustments", entry);
      label.value = note.value = "";
      return await done();
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  });
  node.update = (names) => {
    for (const kind of KINDS) {
      const known = names[kind].filter((v) => v !== "_all");
      if (scope[kind].dataset.list === known.join("|") && scope[kind].options.length) continue;
      const chosen = scope[kind].value;
      scope[kind].dataset.list = known.join("|");
      scope[kind].replaceChildren(h("option", { value: "", text: t("filter_any") }), ...options(known, (v) => name(kind, v)));
      scope[kind].value = known.includes(chosen) ? chosen : "";
    }
    zoned();
    if (from.value || !clock.status()) return;
    const next = Math.ceil(clock.now() / HOUR_MS) * HOUR_MS;
    from.value = local(next, zone());
    to.value = local(next + 4 * HOUR_MS, zone());
  };
  return node;
}

/** The section of the overview. `reload` loads the entries again. */
export function planner(reload) {
  const list = h("ul", { class: "plain" });
  const none = h("p", { class: "muted", text: t("plan_none") });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const enter = form(reload);
  const summary = h("summary");
  const node = h("details", { class: "panel", id: "planner" }, summary,
    h("p", { class: "muted small", text: t("plan_help") }), none, list, failed, enter);
  const item = (entry) => {
    const text = h("strong");
    const more = h("span", { class: "muted" });
    const back = h("button", { type: "button", text: t("plan_remove"), "aria-label": joined("part", [t("plan_remove"), entry.label]), onclick: async () => {
      failed.hidden = true;
      try {
        await del(`/adjustments/${encodeURIComponent(entry.id)}`);
        await reload();
      } catch (error) {
        failed.hidden = false;
        sayFault(failed, error);
      }
    } });
    const row = h("li", {}, text, " ", more, " ", back);
    row.update = (e) => {
      const zone = clock.zoneOf(e.region ?? "_all");
      const scope = KINDS.map((kind) => name(kind, e[kind] ?? "_all")).join(" / ");
      setText(text, t("plan_item", { label: e.label, amount: amount(e), from: dateTime(e.starts_at, zone), to: dateTime(e.ends_at, zone) }));
      setText(more, joined("part", [t(`plan_${e.kind}`), scope, e.by, e.note]));
    };
    return row;
  };
  node.update = (entries, names) => {
    const open = entries.filter((e) => Date.parse(e.ends_at) > clock.now());
    setText(summary, t("plan_title", { n: open.length }));
    none.hidden = open.length > 0;
    keyed(list, open, (e) => e.id, item);
    enter.update(names);
  };
  return node;
}
