// The kinds of panels, drawn with Grafana's components.
import { useLayoutEffect } from "react";
import { FieldType, VizOrientation, cacheFieldDisplayNames, getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BigValue, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";

/** Plots that are drawn, by the id of their panel, with their frames. */
export const plots = new Map();

const HOURS_AHEAD = 6;

/** The line at now and the shaded future. In Grafana they come from an annotation. */
function Now({ config, id, frames, now }) {
  useLayoutEffect(() => {
    config.addHook("ready", (plot) => plots.set(id, { plot, frames }));
    config.addHook("drawClear", (plot) => {
      const { left, top, width, height } = plot.bbox;
      const place = (at) => Math.min(Math.max(plot.valToPos(at, "x", true), left), left + width);
      const [from, to] = [place(now), place(now + HOURS_AHEAD * 3_600_000)];
      plot.ctx.save();
      plot.ctx.fillStyle = "rgba(163, 82, 204, 0.1)";
      plot.ctx.fillRect(from, top, to - from, height);
      if (from > left && from < left + width) {
        plot.ctx.fillStyle = "rgb(163, 82, 204)";
        plot.ctx.fillRect(from, top, 2, height);
      }
      plot.ctx.restore();
    });
  }, [config]);
  return null;
}

function Empty({ panel }) {
  return <div className="empty">{panel.fieldConfig.defaults.noValue ?? "No data"}</div>;
}

const hasRows = (frame) => frame.fields.some((field) => field.values.length > 0);

export function Chart({ panel, frames, width, height, range, zone, now }) {
  const drawn = frames.filter((frame) =>
    frame.fields.some(({ type }) => type === FieldType.time) && frame.fields.some(({ type }) => type === FieldType.number));
  if (!drawn.some(hasRows)) return <Empty panel={panel} />;
  return (
    <TimeSeries frames={drawn} structureRev={1} timeRange={range} timeZone={zone} width={width} height={height}
      legend={panel.options.legend} options={panel.options}>
      {(config) => <Now config={config} id={panel.id} frames={drawn} now={now} />}
    </TimeSeries>
  );
}

export function Stat({ panel, frames, width, height, theme, zone, replaceVariables, fieldConfig }) {
  const { options } = panel;
  const getValues = () => getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: frames, sparkline: false, timeZone: zone,
  });
  const tile = ({ value, alignmentFactors, orientation, width, height, count }) => (
    <div className="tile">
      <BigValue value={value.display} count={count} colorMode={options.colorMode} graphMode={options.graphMode}
        justifyMode={options.justifyMode} text={options.text} textMode={options.textMode} alignmentFactors={alignmentFactors}
        parentOrientation={orientation} disableWideLayout={!options.wideLayout} width={width} height={height} theme={theme} />
    </div>
  );
  return (
    <VizRepeater getValues={getValues} getAlignmentFactors={getDisplayValueAlignmentFactors} renderValue={tile} width={width}
      height={height} source={frames} itemSpacing={3} renderCounter={1} autoGrid={true}
      orientation={options.orientation ?? VizOrientation.Auto} />
  );
}

export function Table({ panel, frames, width, height, range }) {
  const data = frames.find(hasRows);
  if (!data) return <Empty panel={panel} />;
  cacheFieldDisplayNames(frames);
  return (
    <TableNG data={data} width={width} height={height} noHeader={!panel.options.showHeader} cellHeight={panel.options.cellHeight}
      timeRange={range} structureRev={1} enableVirtualization={false} />
  );
}

export const KINDS = { timeseries: Chart, stat: Stat, table: Table };
