// What a reader sees of a drawn panel: texts, colours and fills.
import { getFieldDisplayName } from "@grafana/data";
import { plots } from "./panels.jsx";

const BAND_MIN_PX = 8;

/** The share of a band that is filled, of places before `now` at which it is high enough to tell. */
function filled(plot, [top, bottom], now) {
  const { data, ctx } = plot;
  let places = 0, painted = 0;
  const color = [0, 0, 0, 0];
  data[0].forEach((at, n) => {
    const [high, low] = [data[top][n], data[bottom][n]];
    if (at >= now || high == null || low == null) return;
    const scale = plot.series[top].scale;
    const [x, y0, y1] = [plot.valToPos(at, "x", true), plot.valToPos(high, scale, true), plot.valToPos(low, scale, true)];
    if (y1 - y0 < BAND_MIN_PX || x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) return;
    places++;
    const pixel = ctx.getImageData(Math.round(x), Math.round((y0 + y1) / 2), 1, 1).data;
    if (pixel[3] > 0) painted++;
    pixel.forEach((part, m) => { color[m] += part; });
  });
  return { places, painted, color: color.map((part) => Math.round(part / Math.max(places, 1))) };
}

function chart(id, now) {
  const { plot, frames } = plots.get(id);
  const fieldOf = (series) => {
    const { frameIndex, fieldIndex } = series.dataFrameFieldIndex;
    return [frames[frameIndex], frames[frameIndex].fields[fieldIndex]];
  };
  const fields = frames.flatMap((frame) => frame.fields.filter(({ type }) => type === "number").map((field) => ({
    name: getFieldDisplayName(field, frame, frames), config: field.config, points: field.values.filter((value) => value !== null).length,
  })));
  const names = plot.series.map((_, n) => (n === 0 ? "Time" : fields[n - 1]?.name));
  const series = plot.series.slice(1).map((one, n) => ({
    name: fields[n]?.name, points: fields[n]?.points, width: one.width, dash: one.dash ?? [],
    custom: fields[n]?.config.custom,
  }));
  const axes = plot.axes.filter((axis) => axis.show).map((axis) => ({
    side: axis.side, scale: axis.scale, label: axis.label ?? "", values: (axis._values ?? []).filter((value) => value !== null),
  }));
  const bands = plot.bands.map((band) => ({ top: names[band.series[0]], bottom: names[band.series[1]], ...filled(plot, band.series, now) }));
  return { series, axes, bands };
}

/** Whether a text is wider or higher than what shows it. */
const cut = (node) => node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1;

function tile(node) {
  const texts = [...node.querySelectorAll("*")].filter((inner) => !inner.children.length && inner.textContent);
  const box = node.getBoundingClientRect();
  const parts = texts.map((inner) => {
    const { right } = inner.getBoundingClientRect();
    return {
      text: inner.textContent, color: getComputedStyle(inner).color, size: parseFloat(getComputedStyle(inner).fontSize),
      cut: right > box.right + 1 || cut(inner),
    };
  });
  return { text: node.textContent, parts };
}

function table(node) {
  const cells = (row, role) => [...row.querySelectorAll(`[role=${role}]`)].map((cell) => ({
    text: cell.innerText.trim(), background: getComputedStyle(cell).backgroundColor, color: getComputedStyle(cell).color,
    link: cell.querySelector("a")?.getAttribute("href") ?? null, width: Math.round(cell.clientWidth),
    cut: cut(cell) || [...cell.querySelectorAll("*")].some((inner) => cut(inner) && getComputedStyle(inner).overflow !== "visible"),
  }));
  const rows = [...node.querySelectorAll("[role=row]")].map((row) => cells(row, "gridcell")).filter((row) => row.length);
  const header = node.querySelector("[role=row]");
  return { columns: header ? cells(header, "columnheader") : [], rows };
}

/** The facts of the panel with this id. */
export function facts(id, now) {
  const node = document.querySelector(`[data-panel="${id}"]`);
  const title = node.querySelector("h2, h6")?.textContent ?? "";
  const found = { id, title, empty: node.querySelector(".empty")?.textContent ?? null };
  if (plots.has(id)) {
    const legend = [...node.querySelectorAll('[data-testid="series-icon"]')].map((icon) => ({
      text: icon.parentElement.textContent, color: icon.getAttribute("style") ?? "",
    }));
    Object.assign(found, { chart: chart(id, now), legend });
  }
  const tiles = [...node.querySelectorAll(".tile")];
  if (tiles.length) found.tiles = tiles.map(tile);
  const grid = node.querySelector("[role=grid]");
  if (grid) found.table = table(grid);
  return found;
}
