// Which recommendations were taken, and what followed: a row for each team and week or quarter of the year.
import { teamLabel } from "./advice.js";
import { csvButton } from "./csv.js";
import { h, setText } from "./dom.js";
import { num, percent, t } from "./i18n.js";
import { get, sayFault } from "./net.js";

const PERIODS = ["week", "quarter"];
const AGE_MS = 60000;

/** Columns after the team: key of the header, and text of a row. */
const COLUMNS = {
  share: (row) => percent(row.share_taken),
  taken: (row) => num(row.taken),
  declined: (row) => num(row.declined),
  expired: (row) => num(row.expired),
  hours: (row) => num(row.agent_hours, 1),
  cost: (row) => num(row.cost, 2),
  compared: (row) => num(row.compared),
  expected: (row) => percent(row.expected_service_level_with),
  with: (row) => percent(row.service_level_with),
  without: (row) => percent(row.service_level_without),
  more: (row) => num(row.answered_more),
};

function table(rows) {
  const columns = Object.entries(COLUMNS);
  const head = ["period", "team", ...columns.map(([key]) => key)].map((key) => h("th", { scope: "col", text: t(`taken_${key}`) }));
  const body = rows.map((row) => h("tr", {}, h("th", { scope: "row", title: row.first_day, text: row.period }), h("td", { text: teamLabel(row.team) }),
    columns.map(([key, text]) => h("td", { "data-column": key, text: text(row) }))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("taken") }, h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** The panel. It reads when it is opened, and then at most once a minute. */
export function taken() {
  let last = null;
  const period = h("select", { id: "taken-by", onchange: () => read() }, PERIODS.map((by) => h("option", { value: by, text: t(`taken_by_${by}`) })));
  const none = h("p", { class: "muted", text: t("loading") });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const shown = h("div");

  async function read() {
    const by = period.value;
    last = performance.now();
    try {
      const rows = await get("/recommendations/taken", { by });
      if (by !== period.value) return;
      failed.hidden = true;
      none.hidden = rows.length > 0;
      setText(none, t("taken_none"));
      shown.replaceChildren(...(rows.length ? [table(rows)] : []));
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }

  const node = h("details", { class: "panel", id: "taken", ontoggle: () => node.update() }, h("summary", { text: t("taken") }),
    csvButton(() => ["/recommendations/taken", { by: period.value }, t("taken")]), h("p", { class: "muted small", text: t("taken_help") }),
    h("div", { class: "filters" }, h("label", { class: "field", for: "taken-by" }, h("span", { text: t("taken_period") }), period)), failed, none, shown);
  node.update = () => {
    if (node.open && (last === null || performance.now() - last > AGE_MS)) read();
  };
  return node;
}
