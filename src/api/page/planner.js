// Planners' entries, such as campaigns, billing runs and overrides: to add, list, edit and remove.
import * as clock from "./clock.js";
import { csvButton } from "./csv.js";
import { h, keyed, recall, remember, setText } from "./dom.js";
import { dateTime, joined, name, num, percent, t, times, zoneLabel } from "./i18n.js";
import { KINDS } from "./keys.js";
import { del, post, sayFault } from "./net.js";
import { instantOf, iso, local } from "./time.js";

const SORTS = ["campaign", "billing", "override", "other"];
const SAYS = ["factor", "tickets_per_window"];
const HOUR_MS = 3600000;
/** How long entries stay listed when they are over: two weeks. */
export const ENTRIES_KEPT_MS = 14 * 24 * HOUR_MS;

/** Whether an entry concerns a series. A roll-up is concerned if one of its parts is. */
export const touches = (entry, series) =>
  KINDS.every((kind) => entry[kind] == null || series[kind] === "_all" || entry[kind] === series[kind]);

/** The overview with this entry marked. */
export const hrefOfEntry = (entry) => `#/?entry=${encodeURIComponent(entry.id)}`;

/** "×1.50" or "80 tickets per window". */
const amount = (entry) => (entry.factor != null ? times(entry.factor) : t("plan_amount", { n: num(entry.tickets_per_window) }));

/** The errors with and without entries; nothing if none was scored. */
export function adjustedSays(accuracy) {
  const both = accuracy?.adjustments;
  if (both?.adjusted.wape == null) return [];
  const words = { adjusted: percent(both.adjusted.wape), model: percent(both.model.wape), n: both.model.n };
  return [h("p", { text: t("plan_scored", words) })];
}

function field(id, label, input) {
  input.id = id;
  return h("label", { class: "field", for: id }, h("span", { text: label }), input);
}

const options = (list, text) => list.map((value) => h("option", { value, text: text(value) }));

/** Whether an entry leaves whole services without tickets, and so without agents. */
const isNone = (entry) => entry.channel === null && (entry.factor ?? entry.tickets_per_window) <= 0;

/** The form of an entry. It asks before an entry that leaves whole services without tickets. */
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
  const submit = h("button", { class: "primary", text: t("plan_enter") });
  const cancel = h("button", { type: "button", text: t("cancel"), hidden: true, onclick: () => edit(null) });
  const sure = h("input", { type: "checkbox", id: "p-sure" });
  const asked = h("label", { class: "check note", for: "p-sure", hidden: true }, sure, h("span", { text: t("plan_none_sure") }));
  let edited = null;
  const zone = () => clock.zoneOf(scope.region.value || "_all");
  const limit = () => (value.max = says.value === "factor" ? 10 : 1000000);
  says.addEventListener("change", limit);
  scope.region.addEventListener("change", () => zoned());
  const zoned = () => setText(zoneNote, t("plan_zone", { zone: zoneLabel(zone(), clock.now()) }));
  const node = h("form", { class: "planner" },
    h("div", { class: "filters" },
      field("p-label", t("plan_label"), label), field("p-kind", t("plan_kind"), sort),
      KINDS.map((kind) => field(`p-${kind}`, t(`filter_${kind}`), scope[kind])),
      field("p-from", t("plan_from"), from), field("p-to", t("plan_to"), to),
      field("p-says", t("plan_says"), says), field("p-value", t("plan_value"), value),
      field("p-by", t("plan_by"), by), field("p-note", t("plan_note"), note), submit, cancel),
    asked, zoneNote, failed);

  function fault(text) {
    failed.hidden = false;
    failed.title = "";
    setText(failed, text);
  }

  /** The values of the form as an entry. */
  function read() {
    const id = edited?.id ?? `${Date.now().toString(36)}${Math.floor(Math.random() * 1e9).toString(36)}`;
    const entry = {
      id, label: label.value, kind: sort.value, starts_at: iso(instantOf(from.value, zone())), ends_at: iso(instantOf(to.value, zone())),
      [says.value]: Number(value.value), by: by.value, note: note.value || null,
    };
    for (const kind of KINDS) entry[kind] = scope[kind].value || null;
    return entry;
  }

  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    if (to.value <= from.value) return fault(t("plan_order"));
    const entry = read();
    if (isNone(entry) && !sure.checked) {
      asked.hidden = false;
      sure.focus();
      return fault(t("plan_none_asked"));
    }
    remember("name", by.value.trim());
    try {
      await post("/adjustments", { ...entry, confirmed: sure.checked });
      edit(null);
      return await done();
    } catch (error) {
      failed.hidden = false;
      return sayFault(failed, error);
    }
  });

  /** Fills the form with an entry to change; `null` empties it for a new one. */
  function edit(entry) {
    edited = entry;
    failed.hidden = asked.hidden = true;
    sure.checked = false;
    cancel.hidden = entry === null;
    setText(submit, t(entry ? "plan_save" : "plan_enter"));
    label.value = entry?.label ?? "";
    note.value = entry?.note ?? "";
    if (!entry) return;
    sort.value = entry.kind;
    for (const kind of KINDS) choose(kind, entry[kind] ?? "");
    from.value = local(Date.parse(entry.starts_at), zone());
    to.value = local(Date.parse(entry.ends_at), zone());
    says.value = entry.factor == null ? "tickets_per_window" : "factor";
    value.value = entry.factor ?? entry.tickets_per_window;
    limit();
    zoned();
    node.scrollIntoView({ block: "nearest" });
    label.focus();
  }
  node.edit = edit;

  /** Chooses a name, also one that no series has (any more). */
  function choose(kind, wanted) {
    if (wanted && ![...scope[kind].options].some((o) => o.value === wanted)) scope[kind].append(h("option", { value: wanted, text: name(kind, wanted) }));
    scope[kind].value = wanted;
  }

  /** Takes names and a factor from elsewhere, such as a what-if. */
  node.prefill = (names, factor) => {
    for (const kind of KINDS) choose(kind, names[kind] === "_all" ? "" : names[kind] ?? "");
    says.value = "factor";
    value.value = factor;
    label.focus();
  };

  node.update = (names) => {
    for (const kind of KINDS) {
      const known = names[kind].filter((v) => v !== "_all");
      if (scope[kind].dataset.list === known.join("|") && scope[kind].options.length) continue;
      const chosen = scope[kind].value;
      scope[kind].dataset.list = known.join("|");
      scope[kind].replaceChildren(h("option", { value: "", text: t("filter_any") }), ...options(known, (v) => name(kind, v)));
      choose(kind, chosen);
    }
    zoned();
    if (from.value || !clock.status()) return;
    const next = Math.ceil(clock.now() / HOUR_MS) * HOUR_MS;
    from.value = local(next, zone());
    to.value = local(next + 4 * HOUR_MS, zone());
  };
  return node;
}

/** A list of entries; `act` has what their buttons do. */
function entryList(act) {
  const list = h("ul", { class: "plain" });
  const item = (first) => {
    const text = h("strong");
    const more = h("span", { class: "muted" });
    let entry = first;
    const button = (key, run, more = {}) => h("button", { type: "button", text: t(key), "aria-label": joined("part", [t(key), entry.label]), onclick: run, ...more });
    const sure = h("span", { class: "sure", role: "group", hidden: true }, h("span", { text: t("plan_remove_sure") }), " ",
      button("plan_remove_yes", () => act.remove(entry), { class: "primary" }), " ", button("plan_remove_no", () => asked(false)));
    const change = button("plan_edit", () => act.edit(entry));
    const back = button("plan_remove", () => asked(true));
    function asked(yes) {
      sure.hidden = !yes;
      back.hidden = change.hidden = yes;
      (yes ? sure.lastChild : back).focus();
    }
    sure.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      asked(false);
    });
    const row = h("li", {}, text, " ", more, " ", change, " ", back, sure);
    row.update = (e) => {
      entry = e;
      const zone = clock.zoneOf(e.region ?? "_all");
      const scope = KINDS.map((kind) => name(kind, e[kind] ?? "_all")).join(" / ");
      setText(text, t("plan_item", { label: e.label, amount: amount(e), from: dateTime(e.starts_at, zone), to: dateTime(e.ends_at, zone) }));
      setText(more, joined("part", [t(`plan_${e.kind}`), scope, e.by, e.note]));
    };
    return row;
  };
  return { node: list, update: (entries) => keyed(list, entries, (e) => e.id, item) };
}

/**
 * The section of the overview. `reload` loads the entries again. `wanted`: names and a factor to begin an entry with; `marked`:
 * the id of an entry to show.
 */
export function planner(reload, wanted = null, marked = null) {
  const none = h("p", { class: "muted", text: t("plan_none") });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const enter = form(reload);
  const act = {
    edit: (entry) => enter.edit(entry),
    async remove(entry) {
      failed.hidden = true;
      try {
        await del(`/adjustments/${encodeURIComponent(entry.id)}`);
        await reload();
        summary.focus();
      } catch (error) {
        failed.hidden = false;
        sayFault(failed, error);
      }
    },
  };
  const [current, past] = [entryList(act), entryList(act)];
  current.node.classList.add("current");
  const summary = h("summary");
  const pastSummary = h("summary");
  const over = h("details", { class: "over" }, pastSummary, past.node);
  const save = csvButton(() => ["/adjustments", { from: iso(clock.now() - ENTRIES_KEPT_MS) }, t("plan_file")]);
  const node = h("details", { class: "panel", id: "planner", open: wanted !== null || marked !== null }, summary,
    h("p", { class: "muted small", text: t("plan_help") }), none, current.node, failed, enter, over, save);
  let filled = wanted === null;
  /** Once, when it is listed. */
  function mark() {
    const row = [...node.querySelectorAll("li")].find((li) => li.dataset.key === marked);
    if (!row) return;
    marked = null;
    row.classList.add("wanted");
    if (over.contains(row)) over.open = true;
    row.scrollIntoView({ block: "center" });
    row.querySelector("button").focus({ preventScroll: true });
  }
  node.update = (entries, names) => {
    const isOver = (e) => Date.parse(e.ends_at) <= clock.now();
    const open = entries.filter((e) => !isOver(e));
    const ended = entries.filter(isOver).reverse();
    setText(summary, t("plan_title", { n: open.length }));
    setText(pastSummary, t("plan_over", { n: ended.length }));
    none.hidden = open.length > 0;
    over.hidden = ended.length === 0;
    current.update(open);
    past.update(ended);
    enter.update(names);
    if (marked !== null) mark();
    if (filled || names.region.length === 0) return;
    filled = true;
    enter.prefill(wanted, wanted.factor);
    node.scrollIntoView({ block: "start" });
  };
  return node;
}
