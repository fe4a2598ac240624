// Draws a board from answers of its data source, in the places of its panels. `window.surgecast` is for the test.
//
// Grafana's own libraries apply the field configuration and the transformations, and draw the panels. The layout, the line at now
// and the frames made from answers are this page's own: it is not a Grafana server.
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { firstValueFrom } from "rxjs";
import {
  ThemeContext, applyFieldOverrides, createTheme, dateTime, getFieldDisplayValuesProxy,
  getPanelOptionsWithDefaults, locationUtil, transformDataFrame,
} from "@grafana/data";
import { GlobalStyles, PanelChrome } from "@grafana/ui";
import { facts } from "./facts.js";
import { frames as framesOf } from "./frames.js";
import { KINDS, plots } from "./panels.jsx";
import { PLUGINS, migrated, unknown } from "./registry.js";

const COLUMNS = 24, CELL_HEIGHT_PX = 30, MARGIN_PX = 8;

locationUtil.initialize({ config: { appSubUrl: "" }, getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => ({}) });

/** Texts with variables: those of the board, and values of a row (`${__data.fields.NAME}`). */
function variablesOf(board) {
  const values = Object.fromEntries(board.templating.list.map(({ name, current }) => [name, String(current?.value ?? "")]));
  return (text, scoped) => String(text).replaceAll(/\$\{([^}]+)\}/g, (whole, inner) => {
    const [name, format] = inner.split(":");
    const context = scoped?.__dataContext?.value;
    const ofRow = name.startsWith("__data.fields.") && context;
    const found = ofRow ? getFieldDisplayValuesProxy({ frame: context.frame, rowIndex: context.rowIndex })[name.slice(14)] : values[name];
    if (found === undefined || found === "") return whole;
    const value = String(found);
    return format === "percentencode" ? encodeURIComponent(value) : value;
  });
}

async function prepared(board, source, answers, { theme, zone }) {
  const wrong = unknown(migrated(source));
  if (wrong.length) throw new Error(`${source.title}: unknown options ${wrong.join(", ")}`);
  const panel = migrated(source);
  const plugin = PLUGINS[panel.type];
  const { options, fieldConfig } = getPanelOptionsWithDefaults({
    plugin, currentOptions: panel.options, currentFieldConfig: panel.fieldConfig, isAfterPluginChange: false,
  });
  const replaceVariables = variablesOf(board);
  const raw = panel.targets.flatMap((target) => framesOf(answers[target.refId], target));
  const shaped = panel.transformations
    ? await firstValueFrom(transformDataFrame(panel.transformations, raw, { interpolate: (text) => replaceVariables(text) })) : raw;
  const frames = applyFieldOverrides({
    data: shaped, fieldConfig, fieldConfigRegistry: plugin.fieldConfigRegistry, replaceVariables, theme, timeZone: zone,
  });
  return { panel: { ...panel, options, fieldConfig }, frames, fieldConfig, replaceVariables };
}

let root = null;

/** Resolves when everything is drawn. */
async function drawn() {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame++) await new Promise((done) => requestAnimationFrame(done));
}

/** Draws `board`, and returns its height. */
async function draw({ board, answers, mode, width, from, to, now, zone = "utc" }) {
  const theme = createTheme({ colors: { mode } });
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const all = await Promise.all(board.panels.map((panel) => prepared(board, panel, answers[panel.id] ?? {}, { theme, zone })));
  const column = (width - MARGIN_PX * (COLUMNS + 1)) / COLUMNS;
  const places = all.map(({ panel: { gridPos: { x, y, w, h } } }) => ({
    left: MARGIN_PX + x * (column + MARGIN_PX), top: MARGIN_PX + y * (CELL_HEIGHT_PX + MARGIN_PX),
    width: w * (column + MARGIN_PX) - MARGIN_PX, height: h * (CELL_HEIGHT_PX + MARGIN_PX) - MARGIN_PX,
  }));
  const height = Math.max(...places.map((place) => place.top + place.height)) + MARGIN_PX;
  root?.unmount();
  plots.clear();
  root = createRoot(document.querySelector("#root"));
  document.body.style.background = theme.colors.background.canvas;
  flushSync(() => root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div id="board" style={{ width, height }}>
        {all.map(({ panel, ...rest }, n) => {
          const Kind = KINDS[panel.type];
          return (
            <div key={panel.id} className="place" data-panel={panel.id} style={places[n]}>
              <PanelChrome title={panel.title} width={places[n].width} height={places[n].height}>
                {(width, height) => (
                  <Kind {...rest} panel={panel} width={width} height={height} range={range} zone={zone} theme={theme} now={now} />
                )}
              </PanelChrome>
            </div>
          );
        })}
      </div>
    </ThemeContext.Provider>,
  ));
  await drawn();
  return height;
}

/** What a reader sees of each panel. The window has to be as high as the board: elements below it have no texts. */
async function seen({ board, now }) {
  await drawn();
  return board.panels.map(({ id }) => facts(id, now));
}

window.surgecast = { draw, seen };
