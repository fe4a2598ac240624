// Attained service of a series: the past day in a sentence, the model's calibration, and the past hours beside their plans.
import { h } from "./dom.js";
import { dayTime, joined, num, percent, t } from "./i18n.js";

const WINDOWS_MAX = 16;
const OPEN_MAX = 6;
const COLUMNS = ["time", "offered", "attained", "expected", "wait50", "wait90", "gone"];

/** "In the past 14 days the model said 84 %, you had 71 %." */
function model(own) {
  const words = { days: own.days, n: num(own.contacts), expected: percent(own.expected_service_level), attained: percent(own.service_level), factor: num(own.factor, 2) };
  return h("p", { text: t("served_model", words) });
}

/** The newest windows first: a few whose contacts may still be served in time, the others settled. */
function shown(windows) {
  const open = windows.filter((w) => !w.settled).slice(-OPEN_MAX);
  return [...windows.filter((w) => w.settled).slice(open.length - WINDOWS_MAX), ...open].reverse();
}

function table(windows, zone) {
  const row = (w) => h("tr", {}, h("th", { scope: "row", text: joined("part", [dayTime(w.start, zone), !w.settled && t("served_open")]) }),
    [num(w.offered), percent(w.service_level), percent(w.expected_service_level), num(w.first_response_p50_seconds), num(w.first_response_p90_seconds), percent(w.abandonment)]
      .map((text) => h("td", { text })));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("served_table") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, COLUMNS.map((key) => h("th", { scope: "col", text: t(`th_${key}`) })))),
    h("tbody", {}, shown(windows).map(row))));
}

/** The content of the section; `own` is null where nothing is known. */
export function attained(own, zone) {
  if (!own?.offered) return [h("p", { class: "muted", text: t("served_none") })];
  const words = {
    n: num(own.offered), level: percent(own.service_level), expected: percent(own.expected_service_level),
    median: num(own.first_response_p50_seconds), most: num(own.first_response_p90_seconds), gone: percent(own.abandonment, 1),
  };
  return [
    h("p", { text: joined("sentence", [
      t(own.service_level == null ? "served_unknown" : own.expected_service_level == null ? "served_day" : "served_day_plan", words),
      own.first_response_p50_seconds != null && t("served_waits", words),
      own.abandoned > 0 && t("served_gone", words),
    ]) }),
    own.calibration && model(own.calibration),
    table(own.windows, zone),
  ];
}
