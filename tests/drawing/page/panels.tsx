// SPDX-License-Identifier: Apache-2.0
// Panel plugins: thin shells around Grafana's own components, since the plugins themselves are in Grafana's core.
import { useMemo, useRef } from 'react';
import {
  FieldColorModeId, FieldType, PanelPlugin, cacheFieldDisplayNames, VizOrientation, getDisplayValueAlignmentFactors, getFieldDisplayValues, type PanelProps,
} from '@grafana/data';
import { BigValue, BigValueTextMode, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { registerRuntimePanelPlugin } from '@grafana/scenes';
import { theme } from './boot';
import { Annotations, Exemplars, Scales, Tooltips } from './overlays';

const NoData = ({ text, width, height }: { text?: string; width: number; height: number }) => (
  <div className="panel-empty" style={{ width, height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>{text || 'No data'}</div>
);
const isEmpty = (data: any) => !data.series.some((frame: any) => frame.length);

function StatPanel({ data, options, fieldConfig, replaceVariables, timeZone, width, height, renderCounter }: PanelProps<any>) {
  const theme = useTheme2();
  const values = () => getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: data.series, sparkline: options.graphMode !== 'none',
    timeZone, percentChange: options.showPercentChange,
  });
  const named = (count: number) => options.textMode === 'auto' && count === 1 ? BigValueTextMode.Value : options.textMode;
  return (
    <VizRepeater
      getValues={values} getAlignmentFactors={getDisplayValueAlignmentFactors} source={data} itemSpacing={3}
      renderCounter={renderCounter} autoGrid orientation={options.orientation ?? VizOrientation.Auto} width={width} height={height}
      renderValue={({ value, alignmentFactors, width, height, count }: any) => (
        <BigValue
          value={value.display} count={count} sparkline={value.sparkline} colorMode={options.colorMode} graphMode={options.graphMode} theme={theme}
          justifyMode={options.justifyMode} text={options.text} textMode={named(count) as any} alignmentFactors={alignmentFactors} width={width} height={height}
          {...{ wideLayout: options.wideLayout, parentOrientation: options.orientation }}
        />
      )}
    />
  );
}

function TimeSeriesPanel({ id, data, options, timeRange, timeZone, width, height, fieldConfig }: PanelProps<any>) {
  const theme = useTheme2();
  // Colours by name are by the names that are shown, which core keeps with the fields before it draws.
  const frames = useMemo(() => { cacheFieldDisplayNames(data.series); return data.series.map(plottable); }, [data.series]);
  const drawn = useRef<any>(null);
  if (isEmpty(data)) return <NoData text={fieldConfig.defaults.noValue} width={width} height={height} />;
  return (
    <TimeSeries frames={frames} structureRev={data.structureRev} timeRange={timeRange} timeZone={timeZone} width={width} height={height} legend={options.legend} options={options} {...{ theme }}>
      {(builder, frame) => (
        <>
          <Annotations builder={builder} annotations={data.annotations ?? []} />
          <Exemplars builder={builder} annotations={data.annotations ?? []} />
          <Scales builder={builder} panel={id} drawn={drawn} />
          <Tooltips builder={builder} frame={frame} options={options.tooltip} timeZone={timeZone} />
        </>
      )}
    </TimeSeries>
  );
}

/** What is no number leaves a gap, as in core. */
const plottable = (frame: any) => ({
  ...frame, fields: frame.fields.map((field: any) => field.type === 'number' ? { ...field, values: field.values.map((v: any) => (Number.isFinite(v) ? v : null)) } : field),
});

function TablePanel({ data, options, fieldConfig, timeRange, width, height }: PanelProps<any>) {
  if (isEmpty(data)) return <NoData text={fieldConfig.defaults.noValue} width={width} height={height} />;
  cacheFieldDisplayNames(data.series);
  const frame = data.series[Math.min(options.frameIndex, data.series.length - 1)];
  return (
    <TableNG
      data={frame} width={width} height={height} noHeader={!options.showHeader} showTypeIcons={options.showTypeIcons} resizable sortBy={options.sortBy}
      cellHeight={options.cellHeight} timeRange={timeRange} fieldConfig={fieldConfig} structureRev={data.structureRev} enableVirtualization={false}
    />
  );
}

const graphDefaults: Record<string, any> = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', pointSize: 5, showPoints: 'auto', spanNulls: false,
  insertNulls: false, barAlignment: 0, barWidthFactor: 0.6, lineStyle: { fill: 'solid' }, stacking: { mode: 'none', group: 'A' }, transform: undefined, fillBelowTo: undefined,
  axisPlacement: 'auto', axisLabel: '', axisWidth: undefined, axisSoftMin: undefined, axisSoftMax: undefined, axisGridShow: undefined, axisColorMode: 'text',
  axisBorderShow: false, axisCenteredZero: false, scaleDistribution: { type: 'linear' }, thresholdsStyle: { mode: 'off' }, hideFrom: { legend: false, tooltip: false, viz: false },
};
const tableDefaults: Record<string, any> = {
  width: undefined, minWidth: undefined, align: 'auto', cellOptions: { type: 'auto' }, inspect: false, hidden: undefined, filterable: undefined, wrapHeaderText: undefined, tooltip: undefined, footer: { reducers: [] },
};
/** What core does not apply to the field that is the horizontal axis. */
const ofOneAxis = (path: string) => path.startsWith('axis');
const custom = (defaults: Record<string, any>) => (builder: any) => Object.entries(defaults).forEach(([path, defaultValue]) =>
  builder.addCustomEditor({
    id: path, path, name: path, defaultValue, editor: () => null, override: () => null, process: (value: any) => value,
    shouldApply: (field: any) => !ofOneAxis(path) || (field.type !== FieldType.time && field.type !== FieldType.string),
  }));

export function registerPanels() {
  const plugin = (id: string, component: any, defaults: any, fields: any) => {
    const made: any = new PanelPlugin(component).useFieldConfig(fields);
    made.setPanelOptions((builder: any) => Object.entries(defaults).forEach(([path, defaultValue]) =>
      builder.addCustomEditor({ id: path, path, name: path, editor: () => null, defaultValue })));
    made.setDataSupport({ annotations: id === 'timeseries', alertStates: false });
    made.meta = { ...made.meta, skipDataQuery: false, info: { version: '' } };
    registerRuntimePanelPlugin({ pluginId: id, plugin: made });
  };
  plugin('stat', StatPanel, { reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' }, orientation: 'auto', textMode: 'auto', wideLayout: true, colorMode: 'value', graphMode: 'area', justifyMode: 'auto', showPercentChange: false },
    { standardOptions: { color: { defaultValue: { mode: FieldColorModeId.Thresholds } } } });
  plugin('timeseries', TimeSeriesPanel, { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] }, tooltip: { mode: 'single', sort: 'none' } },
    { standardOptions: { color: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } }, useCustomConfig: custom(graphDefaults) });
  plugin('table', TablePanel, { frameIndex: 0, showHeader: true, showTypeIcons: false, cellHeight: 'sm', sortBy: [] },
    { standardOptions: { color: { defaultValue: { mode: FieldColorModeId.Thresholds } } }, useCustomConfig: custom(tableDefaults) });
}
