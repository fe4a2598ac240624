// Expected against attained service level of the past two weeks: "the model said 84 %, you had 71 %", by team.
import { csvButton } from "./csv.js";
import { h, setText } from "./dom.js";
import { labelOf } from "./heat.js";
import { num, percent, signed, t } from "./i18n.js";
import { get, sayFault } from "./net.js";

const AGE_MS = 60000;
const ROWS_MAX = 40;
const COLUMNS = ["team", "model", "had", "difference", "contacts", "factor"];

function table(rows) {
  const points = (row) => Math.round(row.service_level * 100) - Math.round(row.expected_service_level * 100);
  const body = rows.map((row) => h("tr", {}, h("th", { scope: "row", text: labelOf(row) }),
    [percent(row.expected_service_level), percent(row.service_level), t("said_points", { n: signed(points(row)) }), num(row.contacts), num(row.factor, 2)].map((text) => h("td", { text }))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("said") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, COLUMNS.map((key) => h("th", { scope: "col", text: t(`said_${key}`) })))), h("tbody", {}, body)));
}

/** The panel. It reads when it is opened, when the region changes, and at most once a minute. */
export function said() {
  let last = null;
  let asked = null;
  let region = "";
  const none = h("p", { class: "muted", text: t("loading") });
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const shown = h("div");

  async function read() {
    [last, asked] = [performance.now(), region];
    try {
      const rows = await get("/service/calibration", { region, limit: ROWS_MAX });
      if (asked !== region) return;
      failed.hidden = true;
      none.hidden = rows.length > 0;
      setText(none, t("said_none"));
      shown.replaceChildren(...(rows.length ? [h("p", { class: "muted small", text: t("said_help", { days: rows[0].days }) }), table(rows)] : []));
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }

  const node = h("details", { class: "panel", id: "said", ontoggle: () => node.update(region) }, h("summary", { text: t("said") }),
    csvButton(() => ["/service/calibration", { region }, t("said")]), failed, none, shown);
  node.update = (chosen) => {
    region = chosen;
    if (node.open && (last === null || asked !== region || performance.now() - last > AGE_MS)) read();
  };
  return node;
}
