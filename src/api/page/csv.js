// Tables as files: the API's CSV, all pages of a list in one file.
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { getCsv, sayFault } from "./net.js";

/** Rows of a text in CSV, each an array of cells. */
function parse(text) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') {
      cell += c;
      i += 1;
    } else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "," || c === "\n")) {
      row.push(cell);
      cell = "";
      if (c === "\n") {
        rows.push(row);
        row = [];
      }
    } else if (quoted || c !== "\r") cell += c;
  }
  return rows;
}

const written = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** One table of several: a column that a page lacks is empty there. */
export function merged(pages) {
  if (pages.length === 1) return pages[0];
  const tables = pages.map(parse).filter((rows) => rows.length > 0);
  const columns = [...new Set(tables.flatMap(([head]) => head))];
  const rows = tables.flatMap(([head, ...rest]) => rest.map((row) => columns.map((column) => row[head.indexOf(column)] ?? "")));
  return [columns, ...rows].map((row) => `${row.map(written).join(",")}\r\n`).join("");
}

/** A text that no spreadsheet takes for a formula; numbers stay as they are. */
const safe = (cell) => (/^[=+\-@\t\r＝＋－＠]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell);

/** A button that saves a file; `make()` returns its text and its name, or a promise of them. */
function fileButton(attributes, make) {
  const failed = h("span", { class: "failed", role: "alert", hidden: true });
  const button = h("button", { type: "button", ...attributes, onclick: async () => {
    failed.hidden = true;
    try {
      const [text, name] = await make();
      // Spreadsheets read UTF-8 only with this mark.
      const blob = new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" });
      const href = URL.createObjectURL(blob);
      h("a", { href, download: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 10000);
    } catch (error) {
      failed.hidden = false;
      sayFault(failed, error);
    }
  } });
  return h("span", { class: "save" }, button, failed);
}

/** A button that saves a list of the API; `asked()` returns its path, its query and the file's name. */
export const csvButton = (asked) => fileButton({ class: "csv", title: t("csv_title"), text: t("csv") }, async () => {
  const [path, query, name] = asked();
  return [merged(await getCsv(path, query)), name];
});

/** A button that saves a table as it is shown; `asked()` returns its rows of cells and the file's name. */
export const tableButton = (text, asked) => fileButton({ class: "shown-csv", text }, () => {
  const [rows, name] = asked();
  return [rows.map((row) => `${row.map((cell) => written(safe(cell))).join(",")}\r\n`).join(""), name];
});
