// What if: the plan of a series or its team under other assumptions. Nothing is stored.
import { h, setText } from "./dom.js";
import { hm, num, percent, t, times } from "./i18n.js";
import { KINDS, gapText } from "./keys.js";
import { get, sayFault, throttled } from "./net.js";

const ASK_GAP_MS = 250;

/** What each slider says: its range and step from the plan, and how the query has its value. */
const SLIDERS = {
  agents: { of: (plan) => Math.max(...plan.targets.map((x) => x.scheduled ?? x.agents)), range: (v) => [0, Math.max(10, v * 2), 1], shown: (v) => num(v), asked: String },
  aht: { of: (plan) => Math.round(plan.profile.aht_seconds), range: (v) => [Math.ceil(v / 20) * 10, Math.ceil(v / 5) * 10, Math.max(1, Math.round(v / 60))], shown: (v) => t("seconds", { s: num(v) }), asked: (v) => `${v}s` },
  target: { of: (plan) => Number(plan.profile.target.split("/")[0]), range: (v) => [50, Math.max(99, v), 1], shown: (v, plan) => t("what_target_value", { p: percent(v / 100), s: num(Number(plan.profile.target.split("/")[1])) }), asked: (v, plan) => `${v}/${plan.profile.target.split("/")[1]}` },
  shrinkage: { of: (plan) => Math.round(plan.profile.shrinkage * 100), range: () => [0, 60, 1], shown: (v) => percent(v / 100), asked: (v) => String(v / 100) },
  arrivals_factor: { of: () => 1, range: () => [0.5, 2, 0.05], shown: times, asked: String },
};

function figures(plan) {
  const worst = plan.targets.reduce((best, x) => (x.gap > best.gap ? x : best));
  const least = Math.min(...plan.targets.map((x) => x.expected_service_level ?? x.service_level));
  const peak = Math.max(...plan.targets.map((x) => x.agents));
  const short = plan.targets.filter((x) => x.gap > 0).length;
  return { worst, least, peak, short };
}

/** The panel of one series. `update(plan, zone)`: the plan as it is, or `null`. */
export function whatIf(key) {
  let plan = null;
  let zone = "UTC";
  let given = {};
  let asked = 0;
  const rows = new Map();
  const failed = h("p", { class: "failed", role: "alert", hidden: true });
  const result = h("table", { class: "figures what" });
  const sliders = h("div", { class: "sliders" });
  const team = h("p", { class: "muted small" });
  const reset = h("button", { type: "button", text: t("what_reset"), onclick: () => {
    given = {};
    draw(null);
    for (const row of rows.values()) row.show();
  } });
  const enter = h("a", { class: "button", text: t("what_enter") });
  const node = h("details", { class: "panel", id: "what-if", hidden: true }, h("summary", { text: t("what_if") }),
    h("p", { class: "muted small", text: t("what_help") }), team, sliders, h("div", { role: "status" }, h("div", { class: "scroll", tabindex: "0" }, result)), failed, h("p", { class: "foot-row" }, reset, enter));

  const ask = throttled(async () => {
    if (Object.keys(given).length === 0 || !plan) return;
    const mine = (asked += 1);
    const names = plan.team ? { team: plan.team } : key;
    const query = Object.fromEntries(Object.entries(given).map(([id, value]) => [id, SLIDERS[id].asked(value, plan)]));
    failed.hidden = true;
    try {
      const found = await get("/staffing", { ...names, ...query });
      if (mine === asked) draw(found);
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  }, ASK_GAP_MS);

  function slider(id) {
    const { of, range, shown } = SLIDERS[id];
    const value = h("output", { for: `w-${id}` });
    const input = h("input", { type: "range", id: `w-${id}`, oninput: () => {
      given[id] = Number(input.value);
      if (given[id] === of(plan)) delete given[id];
      row.show();
      if (Object.keys(given).length === 0) draw(null);
      else ask();
    } });
    const row = { node: h("label", { class: "slider", for: `w-${id}` }, h("span", { text: t(`what_${id}`) }), value, input) };
    row.show = () => {
      const now = given[id] ?? of(plan);
      const [min, max, step] = range(of(plan));
      Object.assign(input, { min, max, step });
      input.value = now;
      setText(value, shown(now, plan));
      input.setAttribute("aria-valuetext", value.textContent);
      row.node.classList.toggle("changed", id in given);
    };
    return row;
  }

  function draw(other) {
    const before = figures(plan);
    const after = other && figures(other);
    const line = (label, say) => h("tr", {}, h("th", { scope: "row", text: label }), h("td", { text: say(before) }), h("td", { class: "main", text: after ? say(after) : "–" }));
    result.replaceChildren(
      h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col", text: t("what_now") }), h("th", { scope: "col", text: t("what_then") }))),
      h("tbody", {},
        line(t("what_gap"), (f) => t("what_gap_at", { gap: gapText(f.worst.gap), at: hm(f.worst.start, zone) })),
        line(t("what_short"), (f) => num(f.short)),
        line(t("what_peak"), (f) => num(f.peak)),
        line(t("what_level"), (f) => percent(f.least))));
    reset.disabled = !other;
    enter.hidden = !(other && "arrivals_factor" in given);
    const query = new URLSearchParams({ factor: given.arrivals_factor ?? 1 });
    for (const kind of KINDS) query.set(`for-${kind}`, key[kind]);
    enter.href = `#/?${query}`;
  }

  node.update = async (next, where) => {
    const known = next?.profile && next.targets?.length > 0;
    node.hidden = !known;
    if (!known || (plan?.issued_at === next.issued_at && zone === where)) return;
    // A team is planned as a whole.
    const whole = next.team ? await get("/staffing", { team: next.team }).catch(() => null) : next;
    if (!whole) return;
    [plan, zone] = [whole, where];
    team.hidden = !plan.team;
    setText(team, t("what_team", { name: plan.team ?? "" }));
    if (rows.size === 0) {
      for (const id of Object.keys(SLIDERS)) rows.set(id, slider(id));
      sliders.replaceChildren(...[...rows.values()].map((row) => row.node));
    }
    for (const row of rows.values()) row.show();
    draw(null);
    ask();
  };
  return node;
}
