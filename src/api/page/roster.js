// A new roster from a file: what it would change is shown before it is stored.
import { csvButton } from "./csv.js";
import { h, setCoded, setText } from "./dom.js";
import { dateTime, num, seriesName, signed, t } from "./i18n.js";
import { put } from "./net.js";

const KIND = "text/csv; charset=utf-8";

/** Rows that can have no effect. They are stored all the same. */
function warned(found) {
  if (!found.warnings.length) return [];
  const items = found.warnings.map((own) => h("li", { text: own.text }));
  if (found.more_warnings) items.push(h("li", { text: t("roster_more", { n: found.more_warnings }) }));
  return [h("div", { class: "note", id: "r-warnings" }, h("p", { text: t("roster_no_effect") }), h("ul", {}, items))];
}

function preview(changes) {
  const keys = ["who", "from", "to", "zone", "replaced", "shifts", "before", "after", "change"];
  const at = (c, key) => dateTime(Date.parse(c[key]), c.time_zone);
  const rows = changes.map((c) => h("tr", {}, h("th", { scope: "row", text: c.team ?? seriesName(c) }),
    [at(c, "from"), at(c, "to"), c.time_zone, num(c.replaced), num(c.shifts), num(c.hours_before), num(c.hours_after), signed(Math.round(c.hours_after - c.hours_before))].map((text) => h("td", { text }))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("roster") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, keys.map((key) => h("th", { scope: "col", text: t(`roster_${key}`) })))), h("tbody", {}, rows)));
}

/** The panel. `stored` runs after a roster was stored. */
export function roster(stored) {
  let text = null;
  let shifts = 0;
  const file = h("input", { type: "file", id: "r-file", accept: ".csv,text/csv", onchange: () => check() });
  const shown = h("div");
  const says = h("p", { role: "status" });
  const failed = h("div", { class: "failed", role: "alert", hidden: true });
  const store = h("button", { type: "button", class: "primary", hidden: true, text: t("roster_store"), onclick: () => send() });
  const help = h("p", { class: "muted small" });
  setCoded(help, t("roster_help"));

  function refuse(error) {
    failed.hidden = false;
    const lines = error.message.split("\n").map((line) => h("li", {}, h("code", { lang: "en", text: line })));
    failed.replaceChildren(t("roster_refused"), h("ul", {}, lines));
  }

  async function check() {
    failed.hidden = store.hidden = true;
    setText(says, "");
    shown.replaceChildren();
    text = await file.files[0]?.text();
    if (!text) return;
    try {
      const found = await put("/roster?dry_run=true", text, KIND);
      shifts = found.shifts + found.team_shifts;
      shown.replaceChildren(...warned(found), preview(found.changes));
      store.hidden = false;
      node.scrollIntoView({ block: "nearest" });
    } catch (error) {
      refuse(error);
    }
  }

  async function send() {
    try {
      await put("/roster", text, KIND);
      store.hidden = true;
      setText(says, t("roster_stored", { n: shifts }));
      stored();
    } catch (error) {
      refuse(error);
    }
  }

  const node = h("details", { class: "panel", id: "roster" }, h("summary", { text: t("roster") }), help,
    h("div", { class: "filters" }, h("label", { class: "field", for: "r-file" }, h("span", { text: t("roster_file") }), file), store,
      csvButton(() => ["/roster", {}, t("roster")])), failed, says, shown);
  /** Asks for a file. The panel opens, and shows what the file would change. */
  node.choose = () => {
    node.open = true;
    file.click();
  };
  return node;
}
