// The series' chart: tickets, alarms and agents over one axis of local time, drawn by plotly.js.
import { h } from "./dom.js";
import { hm, dayMonth, offset, t } from "./i18n.js";

const HOUR_MS = 3600000;
const PAST_MS = 24 * HOUR_MS;
const SEVERITIES = ["critical", "major", "minor", "warning", "indeterminate"];
let script = null;

/** Loads plotly.js once, and only for a chart, because it is large. */
export function plotly() {
  script ??= new Promise((resolve, reject) => {
    const node = document.createElement("script");
    node.src = new URL("plotly.js", import.meta.url).href;
    node.onload = () => (globalThis.Plotly ? resolve(globalThis.Plotly) : reject(new Error("no Plotly")));
    node.onerror = () => {
      script = null;
      node.remove();
      reject(new Error("plotly.js did not load"));
    };
    document.head.append(node);
  });
  return script;
}

export function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** Every third local hour (sixth on small screens), the date at midnight. */
export function ticks(from, to, zone, narrow) {
  const vals = [];
  const text = [];
  const step = narrow ? 6 : 3;
  for (let at = Math.ceil(from / 900000) * 900000; at <= to; at += 900000) {
    const local = at + offset(at, zone);
    if (local % (step * HOUR_MS) !== 0) continue;
    vals.push(at);
    text.push(local % (24 * HOUR_MS) === 0 ? `${hm(at, zone)}<br>${dayMonth(at, zone)}` : hm(at, zone));
  }
  return { vals, text };
}

/** Last week's counts and the forecasts that were issued first, of a whole day. */
function dayTraces(d, x, c) {
  if (!d.day) return [];
  const line = (name, key, color, dash) => ({
    x: d.day.windows.map((w) => x(w.start)), y: d.day.windows.map(key), name, hovertemplate: "%{y:.3~g}", connectgaps: false,
    line: { color, width: 1.5, dash },
  });
  return [
    line(t("tr_week"), (w) => w.week_before, c("text-soft"), "dot"),
    line(t("tr_first"), (w) => w.first?.quantiles["0.5"] ?? null, c("first"), "dashdot"),
  ];
}

function ticketTraces(d, x, c) {
  const next = d.forecast?.targets ?? [];
  const nx = next.map((f) => x(f.start));
  const q = (p) => next.map((f) => f.quantiles[p]);
  const band = (low, high, name, fill) => [
    { x: nx, y: q(low), line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { x: nx, y: q(high), line: { width: 0 }, fill: "tonexty", fillcolor: fill, name, hoverinfo: "skip" },
  ];
  const settled = d.windows.filter((w) => w.settled || w.missing);
  const open = d.windows.filter((w) => !w.settled && !w.missing);
  const line = { mode: "lines", hovertemplate: "%{y:.3~g}" };
  const last = settled.at(-1);
  const joined = !d.day && last && !last.missing && next.length > 0;
  return [
    ...band("0.025", "0.975", t("tr_95"), c("band95")),
    ...band("0.1", "0.9", t("tr_80"), c("band80")),
    ...dayTraces(d, x, c),
    { ...line, x: settled.map((w) => x(w.start)), y: settled.map((w) => (w.missing ? null : w.tickets)), name: t("tr_actual"), line: { color: c("actual"), width: 2 }, connectgaps: false },
    { ...line, x: [...(joined ? [x(last.start)] : []), ...nx], y: [...(joined ? [last.tickets] : []), ...q("0.5")], name: t("tr_median"), line: { color: c("expected"), width: 2, dash: "dash" },
      customdata: [...(joined ? [[last.tickets, last.tickets]] : []), ...next.map((f) => [f.quantiles["0.1"], f.quantiles["0.9"]])],
      hovertemplate: "%{y:.3~g} (80%: %{customdata[0]:.3~g} – %{customdata[1]:.3~g})" },
    ...(next.some((f) => f.model) ? [{ ...line, x: nx, y: next.map((f) => (f.model ?? f).quantiles["0.5"]), name: t("tr_model"), line: { color: c("text-soft"), width: 1.5, dash: "dot" } }] : []),
    { x: open.map((w) => x(w.start)), y: open.map((w) => w.tickets), mode: "markers", name: t("tr_open"), marker: { symbol: "circle-open", color: c("actual"), size: 8 }, hovertemplate: "%{y}" },
  ].map((trace) => ({ type: "scatter", mode: "lines", legend: "legend", ...trace }));
}

function alarmTraces(d, x, c, width) {
  return SEVERITIES.filter((s) => s !== "indeterminate" || d.windows.some((w) => w.alarms?.[s])).map((s) => ({
    type: "bar", yaxis: "y2", legend: "legend2", name: t(`severity-${s}`), x: d.windows.map((w) => x(w.start)),
    y: d.windows.map((w) => w.alarms?.[s] ?? 0), width, offset: 0,
    marker: { color: c(`sev-${s}`), line: { width: 0 } }, hovertemplate: "%{y}",
  }));
}

/** A step ends with its window, so the last value is repeated at the end of the horizon. */
function agentTraces(d, x, c, width) {
  const targets = d.plan?.targets ?? [];
  if (targets.length === 0) return [];
  const xs = [...targets.map((p) => x(p.start)), x(targets.at(-1).start) + width];
  const ys = (key) => [...targets.map((p) => p[key]), targets.at(-1)[key]];
  const step = { type: "scatter", mode: "lines", yaxis: "y3", legend: "legend3", x: xs };
  const line = (color, dash, w = 2) => ({ shape: "hv", color, width: w, dash });
  return [
    { ...step, y: ys("agents_low"), line: { shape: "hv", width: 0 }, showlegend: false, hoverinfo: "skip" },
    { ...step, y: ys("agents_high"), line: { shape: "hv", width: 0 }, fill: "tonexty", fillcolor: c("band-agents"), name: t("tr_agents_band"), hoverinfo: "skip" },
    { ...step, y: ys("agents"), line: line(c("needed"), "solid"), name: t("tr_agents"), hovertemplate: "%{y}" },
    ...(targets.some((p) => p.scheduled != null)
      ? [{ ...step, y: ys("scheduled"), line: line(c("scheduled"), "dot", 2.5), name: t("tr_scheduled"), hovertemplate: "%{y}" }] : []),
  ];
}

/** Marks the current time, windows with too few agents, and planners' entries. */
function shapes(d, x, c, width) {
  const upright = (at, color) => ({ type: "line", xref: "x", yref: "paper", x0: x(at), x1: x(at), y0: 0, y1: 1, line: { color: c(color), width: 1, dash: "dot" } });
  const marks = marksOf(d).map(([at, , color]) => upright(at, color));
  const wanted = d.at == null ? [] : [{ type: "rect", xref: "x", yref: "paper", x0: x(d.at), x1: x(d.at) + width, y0: 0, y1: 1, line: { width: 0 }, fillcolor: c("entered-area"), layer: "below", name: "wanted" }];
  const short = (d.plan?.targets ?? []).filter((p) => p.gap > 0).map((p) => ({
    type: "rect", xref: "x", yref: "y3 domain", x0: x(p.start), x1: x(p.start) + width, y0: 0, y1: 1,
    line: { width: 0 }, fillcolor: c("short-area"), layer: "below",
  }));
  const entered = (d.entries ?? []).filter((e) => Date.parse(e.ends_at) > d.from && Date.parse(e.starts_at) < d.to).map((e) => ({
    type: "rect", xref: "x", yref: "y domain", x0: x(Math.max(d.from, Date.parse(e.starts_at))), x1: x(Math.min(d.to, Date.parse(e.ends_at))), y0: 0, y1: 1,
    line: { width: 0 }, fillcolor: c("entered-area"), layer: "below", name: "entered", label: { text: e.label, textposition: "top left", font: { size: 11, color: c("text-soft") } },
  }));
  return [...marks, ...wanted, ...short, ...entered];
}

/** Instants to mark inside the span, with their texts and colours: now, and the time up to which forecasts are known. */
const marksOf = (d) => [[d.now, t("now"), "text-soft"], ...(d.issued == null ? [] : [[d.issued, t("known_mark"), "link"]])]
  .filter(([at]) => at >= d.from && at <= d.to);

/** On a small screen Plotly's legends would cover the panels. A list above the chart replaces them there. */
function legendList(node, traces, narrow) {
  node.hidden = !narrow;
  node.replaceChildren(...traces.filter((trace) => trace.name).map((trace) => {
    const swatch = h("span", { class: "swatch" });
    const filled = trace.fillcolor ?? (trace.type === "bar" ? trace.marker.color : null);
    if (trace.mode === "markers") swatch.classList.add("ring");
    if (filled) swatch.style.background = filled;
    else if (trace.mode === "markers") swatch.style.borderColor = trace.marker.color;
    else {
      const style = { dash: "dashed", dot: "dotted" }[trace.line?.dash] ?? "solid";
      swatch.style.borderTop = `3px ${style} ${trace.line?.color ?? trace.marker.color}`;
    }
    return h("li", {}, swatch, trace.name);
  }));
}

function layout(d, x, c, width, narrow) {
  const range = [d.from, d.to];
  const marks = ticks(...range, d.zone, narrow);
  const axis = { gridcolor: c("line"), linecolor: c("line"), zeroline: false, fixedrange: true, automargin: true };
  const y = (title, domain) => ({ ...axis, title: { text: title, font: { size: 11 } }, domain, rangemode: "tozero", nticks: 5 });
  const legend = (top) => ({
    orientation: "h", x: 1, xanchor: "right", y: top, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)", font: { size: 11 },
    traceorder: "normal", itemclick: false, itemdoubleclick: false,
  });
  const alarmed = d.windows.some((w) => SEVERITIES.some((s) => w.alarms?.[s]));
  const per = { w: Math.round(width / 60000) };
  return {
    width: d.size[0], height: d.size[1], margin: { l: narrow ? 40 : 56, r: 8, t: narrow ? 12 : 28, b: 40 }, showlegend: !narrow,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: c("text"), family: "inherit", size: 12 },
    barmode: "stack", bargap: 0, hovermode: "x unified", hoversubplots: "axis", dragmode: false,
    hoverlabel: { bgcolor: c("card"), bordercolor: c("line"), font: { color: c("text") } },
    xaxis: { ...axis, type: "date", range: range.map(x), anchor: "y3", tickangle: 0, tickvals: marks.vals.map(x), ticktext: marks.text, hoverformat: "%H:%M", showspikes: false },
    yaxis: y(t("axis_tickets", per), [0.52, 1]), yaxis2: { ...y(t("axis_alarms"), [0.3, 0.45]), ...(alarmed ? {} : { range: [0, 4] }) }, yaxis3: y(t("axis_agents"), [0, 0.22]),
    legend: legend(1), legend2: legend(0.45), legend3: legend(0.22),
    shapes: shapes(d, x, c, width),
    annotations: marksOf(d).map(([at, text, color]) => ({ x: x(at), xref: "x", y: 1, yref: "paper", xanchor: at - d.from < HOUR_MS ? "left" : "right", yanchor: "top", text, showarrow: false, font: { size: 11, color: c(color) } })),
  };
}

/** Lets paper scale the drawing, which has a fixed size in pixels. */
export function scalable(node, [width, height]) {
  node.style.setProperty("--drawn", `${width} / ${height}`);
  for (const drawing of node.querySelectorAll(".main-svg")) drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
}

/**
 * Draws the chart into `node`, and its legend into `keys` on small screens. `d`: {windows, forecast, plan, entries, now (ms), zone,
 * width_minutes}; forecast and plan may be null. For a whole day also {day (the timeline), span, issued, at}. Plotly has no time
 * zones: times are shifted by the zone's offset at the issue time or at the start of the day. Tick labels are exact.
 */
export async function draw(node, keys, d) {
  const Plotly = await plotly();
  const width = d.width_minutes * 60000;
  const issued = Date.parse(d.forecast?.issued_at ?? "") || d.now;
  const shift = offset(d.span?.[0] ?? issued, d.zone);
  const x = (at) => (typeof at === "number" ? at : Date.parse(at)) + shift;
  const narrow = node.clientWidth < 600;
  const c = colours();
  const [from, to] = d.span ?? [issued - PAST_MS, issued + 6 * HOUR_MS];
  const view = { ...d, size: [node.clientWidth, node.clientHeight], from, to };
  const traces = [...ticketTraces(view, x, c), ...alarmTraces(view, x, c, width), ...agentTraces(view, x, c, width)];
  legendList(keys, traces, narrow);
  // After a change of size Plotly would draw legends at their old place.
  if (node.dataset.size !== `${view.size}`) Plotly.purge(node);
  node.dataset.size = view.size;
  await Plotly.react(node, traces, layout(view, x, c, width, narrow), { displayModeBar: false });
  scalable(node, view.size);
}
