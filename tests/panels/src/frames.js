// Answers of data sources as data frames, like Grafana's data sources make them.
import { FieldType, createDataFrame } from "@grafana/data";

/** Records of a text with comma-separated values: lists of texts. */
function records(text) {
  const all = [];
  let record = [], value = "", quoted = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (quoted) {
      if (c !== '"') value += c;
      else if (text[at + 1] === '"') value += text[++at];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ",") { record.push(value); value = ""; }
    else if (c === "\n") { record.push(value); all.push(record); record = []; value = ""; }
    else if (c !== "\r") value += c;
  }
  if (value || record.length) all.push([...record, value]);
  return all;
}

const TIMES = ["dateTime:RFC3339", "dateTime:RFC3339Nano"];
const NUMBERS = ["double", "long", "unsignedLong", "duration"];

function typeOf(kind) {
  if (TIMES.includes(kind)) return FieldType.time;
  if (NUMBERS.includes(kind)) return FieldType.number;
  return kind === "boolean" ? FieldType.boolean : FieldType.string;
}

function valueOf(text, kind) {
  if (text === "" && kind !== "string") return null;
  if (TIMES.includes(kind)) return Date.parse(text);
  if (NUMBERS.includes(kind)) return Number(text);
  return kind === "boolean" ? text === "true" : text;
}

/** The tables of an annotated CSV: columns with name, kind and default value, and rows. */
function tables(text) {
  const found = [];
  let kinds = null, defaults = [], table = null;
  for (const record of records(text)) {
    if (record.length <= 1) { table = null; continue; }
    if (record[0] === "#datatype") { kinds = record; table = null; continue; }
    if (record[0] === "#default") { defaults = record; continue; }
    if (record[0] === "#group") continue;
    if (!table) {
      const columns = record.map((name, n) => ({ name, n, kind: kinds[n], value: defaults[n] ?? "" }));
      table = { columns: columns.slice(1), rows: [] };
      found.push(table);
      continue;
    }
    table.rows.push(record);
  }
  return found;
}

/**
 * Frames of Flux: with a `_value` and a time, each table is a series whose labels are the columns that do not begin with `_`.
 * Anything else is a table.
 */
export function fromFlux(text, refId) {
  const frames = [];
  for (const { columns, rows } of tables(text)) {
    const read = (row, column) => valueOf(row[column.n] || column.value, column.kind);
    const find = (name) => columns.find((column) => column.name === name);
    const [value, time, table] = ["_value", "_time", "table"].map(find);
    const byTable = new Map();
    for (const row of rows) {
      const key = table ? row[table.n] : "";
      byTable.set(key, [...(byTable.get(key) ?? []), row]);
    }
    for (const group of byTable.values()) {
      if (value && time) {
        const tags = columns.filter(({ name }) => !name.startsWith("_") && name !== "result" && name !== "table");
        const labels = Object.fromEntries(tags.map((tag) => [tag.name, String(read(group[0], tag))]));
        const field = find("_field");
        frames.push(createDataFrame({
          refId,
          name: find("_measurement") ? String(read(group[0], find("_measurement"))) : "",
          fields: [
            { name: "Time", type: FieldType.time, values: group.map((row) => read(row, time)) },
            {
              name: field ? String(read(group[0], field)) : "_value", type: typeOf(value.kind), labels,
              values: group.map((row) => read(row, value)),
            },
          ],
        }));
      } else {
        const shown = columns.filter(({ name }) => name !== "result" && name !== "table");
        const fields = shown.map((column) => ({
          name: column.name, type: typeOf(column.kind), values: group.map((row) => read(row, column)),
        }));
        frames.push(createDataFrame({ refId, name: "", fields }));
      }
    }
  }
  return frames;
}

/** The type of values of JSON: that of the first one. */
function typeOfValues(values) {
  const first = values.find((value) => value !== null && value !== undefined);
  if (typeof first === "boolean") return FieldType.boolean;
  return typeof first === "string" ? FieldType.string : FieldType.number;
}

/** The name of a series by a pattern such as `$tag_region: $col`. */
function named(alias, series, column) {
  return alias
    .replaceAll(/\$tag_(\w+)/g, (_, tag) => series.tags?.[tag] ?? "")
    .replaceAll("$col", column)
    .replaceAll("$m", series.name);
}

/** Frames of InfluxQL, as series or as one table. */
export function fromInfluxql(text, target) {
  const { refId, alias, resultFormat } = target;
  const series = JSON.parse(text).results.flatMap((result) => result.series ?? []);
  if (resultFormat === "time_series") {
    return series.flatMap((one) => one.columns.slice(1).map((column, n) => {
      const values = one.values.map((row) => row[n + 1]);
      const name = alias ? named(alias, one, column) : column;
      return createDataFrame({
        refId,
        name,
        fields: [
          { name: "Time", type: FieldType.time, values: one.values.map((row) => row[0]) },
          {
            name: "Value", type: typeOfValues(values), labels: one.tags ?? {}, values,
            config: { displayNameFromDS: name },
          },
        ],
      });
    }));
  }
  if (!series.length) return [];
  const tags = Object.keys(series[0].tags ?? {}).sort();
  const columns = series[0].columns.slice(1);
  const rows = series.flatMap((one) =>
    one.values.map((row) => [row[0], ...tags.map((tag) => one.tags[tag]), ...row.slice(1)]));
  const fields = ["Time", ...tags, ...columns].map((name, n) => {
    const values = rows.map((row) => row[n]);
    return { name, type: n === 0 ? FieldType.time : typeOfValues(values), values };
  });
  return [createDataFrame({ refId, name: series[0].name, fields })];
}

/** Frames of Prometheus, from a range or an instant. */
export function fromPrometheus(text, target) {
  const { result } = JSON.parse(text).data;
  return result.map(({ metric, values, value }) => {
    const points = values ?? [value];
    // A quantile of nothing is not a number. Grafana's panel makes a gap of it.
    const finite = (text) => (Number.isFinite(Number(text)) ? Number(text) : null);
    const legend = target.legendFormat?.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? "");
    return createDataFrame({
      refId: target.refId,
      fields: [
        { name: "Time", type: FieldType.time, values: points.map(([at]) => at * 1000) },
        {
          name: "Value", type: FieldType.number, labels: metric, values: points.map(([, number]) => finite(number)),
          config: legend ? { displayNameFromDS: legend } : {},
        },
      ],
    });
  });
}

/** The frames of a target's answer. */
export function frames(answer, target) {
  if (target.expr !== undefined) return fromPrometheus(answer, target);
  return target.rawQuery ? fromInfluxql(answer, target) : fromFlux(answer, target.refId);
}
