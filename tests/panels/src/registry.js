// What Grafana's core registers at its start: options of fields, and transformations. Options that a kind of panel does not have are
// refused, so that a misspelt one cannot pass.
import {
  FieldColorModeId, FieldType, PanelPlugin, booleanOverrideProcessor, dataLinksOverrideProcessor, displayNameOverrideProcessor,
  identityOverrideProcessor, numberOverrideProcessor, standardFieldConfigEditorRegistry, standardTransformers,
  standardTransformersRegistry, stringOverrideProcessor, thresholdsOverrideProcessor, unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from "@grafana/data";

const STANDARD = {
  displayName: displayNameOverrideProcessor, unit: unitOverrideProcessor, min: numberOverrideProcessor,
  max: numberOverrideProcessor, decimals: numberOverrideProcessor, noValue: stringOverrideProcessor,
  color: identityOverrideProcessor, thresholds: thresholdsOverrideProcessor, mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor, filterable: booleanOverrideProcessor, fieldMinMax: booleanOverrideProcessor,
};

const CHART = [
  "drawStyle", "lineInterpolation", "lineWidth", "fillOpacity", "gradientMode", "fillBelowTo", "lineStyle", "barAlignment",
  "barWidthFactor", "barMaxWidth", "spanNulls", "insertNulls", "showPoints", "pointSize", "stacking", "transform", "axisPlacement",
  "axisLabel", "axisWidth", "axisSoftMin", "axisSoftMax", "axisGridShow", "axisCenteredZero", "axisColorMode", "axisBorderShow",
  "scaleDistribution", "hideFrom", "thresholdsStyle",
];
const TABLE = ["width", "minWidth", "align", "cellOptions", "wrapText", "wrapHeaderText", "inspect", "filterable", "hideFrom"];

standardFieldConfigEditorRegistry.setInit(() =>
  Object.entries(STANDARD).map(([id, process]) => ({
    id, path: id, name: id, description: "", process, shouldApply: () => true, editor: () => null, override: () => null,
  })));

// Some are there under two names.
standardTransformersRegistry.setInit(() => {
  const byId = new Map(Object.values(standardTransformers).map((transformation) => [transformation.id, transformation]));
  return [...byId].map(([id, transformation]) => ({ id, name: transformation.name, transformation, editor: () => null }));
});

const thresholds = { mode: "absolute", steps: [{ color: "green", value: null }, { color: "red", value: 80 }] };

function plugin(id, custom, color, defaults) {
  const made = new PanelPlugin(null);
  made.meta = { id, name: id };
  made.useFieldConfig({
    standardOptions: { color: { defaultValue: { mode: color } }, thresholds: { defaultValue: thresholds } },
    useCustomConfig: (builder) => {
      for (const path of custom) {
        builder.addCustomEditor({
          id: path, path, name: path, editor: () => null, override: () => null, process: identityOverrideProcessor,
          // An axis of time has no options of a panel's series.
          shouldApply: ({ type }) => id === "table" || type !== FieldType.time, defaultValue: defaults[path],
        });
      }
    },
  });
  return made;
}

/** Kinds of panels that are drawn. */
export const PLUGINS = {
  timeseries: plugin("timeseries", CHART, FieldColorModeId.PaletteClassic, {
    drawStyle: "line", lineInterpolation: "linear", lineWidth: 1, fillOpacity: 0, gradientMode: "none", barAlignment: 0,
    barWidthFactor: 0.6, showPoints: "auto", pointSize: 5, stacking: { mode: "none", group: "A" }, axisPlacement: "auto",
    axisColorMode: "text", axisBorderShow: false, scaleDistribution: { type: "linear" }, thresholdsStyle: { mode: "off" },
    hideFrom: { legend: false, tooltip: false, viz: false },
  }),
  stat: plugin("stat", [], FieldColorModeId.Thresholds, {}),
  table: plugin("table", TABLE, FieldColorModeId.Thresholds, { align: "auto", cellOptions: { type: "auto" }, inspect: false }),
};

/** Options in a panel's field configuration that its kind does not have. */
export function unknown(panel) {
  const { defaults, overrides } = panel.fieldConfig;
  const { custom = {}, ...standard } = defaults;
  const used = [...Object.keys(standard), ...Object.keys(custom).map((key) => `custom.${key}`)];
  used.push(...overrides.flatMap(({ properties }) => properties.map(({ id }) => id)));
  const registry = PLUGINS[panel.type].fieldConfigRegistry;
  return used.filter((id) => !registry.getIfExists(id));
}

/** What a table of this version does with options of earlier ones. */
export function migrated(panel) {
  if (panel.type !== "table") return panel;
  const { fieldConfig } = structuredClone(panel);
  const unwrapped = (custom) => {
    const { wrapText, ...cellOptions } = custom.cellOptions ?? {};
    return wrapText === undefined ? custom : { ...custom, cellOptions, wrapText };
  };
  if (fieldConfig.defaults.custom) fieldConfig.defaults.custom = unwrapped(fieldConfig.defaults.custom);
  for (const rule of fieldConfig.overrides) {
    rule.properties = rule.properties.map((property) => property.id !== "custom.hidden" ? property
      : { id: "custom.hideFrom", value: { viz: property.value } });
  }
  return { ...panel, fieldConfig };
}
