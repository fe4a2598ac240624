// Needed and scheduled agents of a day as a chart.
import { colours, plotly, scalable, ticks } from "./chart.js";
import { offset, t } from "./i18n.js";

/** Draws into `node`. `d`: {targets, span, zone, now (ms), width_minutes}. */
export async function agents(node, d) {
  const Plotly = await plotly();
  const [from, to] = d.span;
  const c = colours();
  const width = d.width_minutes * 60000;
  const shift = offset(from, d.zone);
  const x = (at) => (typeof at === "number" ? at : Date.parse(at)) + shift;
  const narrow = node.clientWidth < 600;
  const marks = ticks(from, to, d.zone, narrow);
  const last = d.targets.at(-1);
  const xs = [...d.targets.map((p) => x(p.start)), x(last.start) + width];
  const step = (key, name, color, dash) => ({
    type: "scatter", mode: "lines", x: xs, y: [...d.targets.map((p) => p[key]), last[key]], name, hovertemplate: "%{y}",
    line: { shape: "hv", color, width: 2, dash },
  });
  const short = d.targets.filter((p) => p.gap > 0).map((p) => ({
    type: "rect", xref: "x", yref: "paper", x0: x(p.start), x1: x(p.start) + width, y0: 0, y1: 1, line: { width: 0 }, fillcolor: c("short-area"), layer: "below",
  }));
  const now = { type: "line", xref: "x", yref: "paper", x0: x(d.now), x1: x(d.now), y0: 0, y1: 1, line: { color: c("text-soft"), width: 1, dash: "dot" } };
  const axis = { gridcolor: c("line"), linecolor: c("line"), zeroline: false, fixedrange: true, automargin: true };
  const size = [node.clientWidth, node.clientHeight];
  const traces = [step("agents", t("tr_agents"), c("needed"), "solid"), ...(d.targets.some((p) => p.scheduled != null) ? [step("scheduled", t("tr_scheduled"), c("scheduled"), "dot")] : [])];
  await Plotly.react(node, traces, {
    width: size[0], height: size[1], margin: { l: 40, r: 8, t: 28, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: c("text"), family: "inherit", size: 12 }, hovermode: "x unified", dragmode: false,
    hoverlabel: { bgcolor: c("card"), bordercolor: c("line"), font: { color: c("text") } },
    xaxis: { ...axis, type: "date", range: [x(from), x(to)], tickangle: 0, tickvals: marks.vals.map(x), ticktext: marks.text, hoverformat: "%H:%M" },
    yaxis: { ...axis, rangemode: "tozero", nticks: 5, title: { text: t("axis_agents"), font: { size: 11 } } },
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" }, showlegend: true,
    shapes: [...short, ...(d.now >= from && d.now <= to ? [now] : [])],
  }, { displayModeBar: false });
  scalable(node, size);
}
