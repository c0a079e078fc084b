// SPDX-License-Identifier: Apache-2.0
// What Prometheus answers, as the data frames that Grafana's own data source makes of it.
import { DataFrameType, DataTopic, FieldType, createDataFrame, type DataFrame } from '@grafana/data';

export interface Series { labels: Record<string, string>; points: Array<[number, string]> }

/** The legend of a series: a format with {{labels}}, `__auto`, or the series as PromQL writes it. */
export function legend(format: string, labels: Record<string, string>, expr: string): string {
  if (format === '__auto' && Object.keys(labels).length) return '';
  if (format && format !== '__auto') return fill(format, labels);
  const { __name__: metric = '', ...others } = labels;
  const name = `${metric}{${Object.entries(others).map(([key, value]) => `${key}="${value}"`).join(', ')}}`;
  if (name === '{}') return expr;
  return metric && !Object.keys(others).length ? metric : name;
}

export const fill = (format: string, labels: Record<string, string>) => format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? '');

/** One frame for each series. */
export function timeSeries(target: any, series: Series[], step: number, expr: string): DataFrame[] {
  return series.map(({ labels, points }) => {
    const name = legend(target.legendFormat ?? '', labels, expr);
    return createDataFrame({
      refId: target.refId, name, meta: { type: DataFrameType.TimeSeriesMulti, executedQueryString: `Expr: ${expr}\nStep: ${step}s` },
      fields: [
        { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000), config: { interval: step * 1000 } },
        { name: 'Value', type: FieldType.number, values: points.map(([, value]) => Number(value)), labels, config: name ? { displayNameFromDS: name } : {} },
      ],
    });
  });
}

/** One frame with a column for each label. */
export function table(target: any, series: Series[], many: boolean): DataFrame[] {
  if (!series.length) return [];
  const rows = series.flatMap(({ labels, points }) => points.map(([time, value]) => ({ labels, time: time * 1000, value: Number(value) })));
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  return [createDataFrame({
    refId: target.refId, meta: { preferredVisualisationType: 'table' },
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.time), config: {} },
      ...names.map((name) => ({ name, type: FieldType.string, config: { filterable: true }, values: rows.map((row) => row.labels[name] ?? '') })),
      { name: many ? `Value #${target.refId}` : 'Value', type: FieldType.number, values: rows.map((row) => row.value), config: {} },
    ],
  })];
}

/** Exemplars, as core's time series panel wants them: a frame of its own, drawn over the lines. */
export function exemplars(target: any, found: any[], destination: string): DataFrame[] {
  const rows = found.flatMap(({ seriesLabels, exemplars }) => exemplars.map((one: any) => ({ ...one, seriesLabels })));
  if (!rows.length) return [];
  return [createDataFrame({
    refId: target.refId, name: 'exemplar', meta: { dataTopic: DataTopic.Annotations, custom: { resultType: 'exemplar' } },
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map((row) => row.timestamp * 1000), config: {} },
      { name: 'Value', type: FieldType.number, values: rows.map((row) => Number(row.value)), config: {} },
      {
        name: 'trace_id', type: FieldType.string, values: rows.map((row) => row.labels.trace_id ?? ''),
        config: { links: [{ title: 'Trace', url: '', internal: { datasourceUid: destination, datasourceName: destination, query: { query: '${__value.raw}', queryType: 'traceql' } } }] },
      },
    ],
  })];
}

/** Annotations: what a query finds, joined to regions where it finds it step after step. */
export function events(annotation: any, frames: DataFrame[], stepMs: number) {
  const { titleFormat = '', textFormat = '', tagKeys = '' } = annotation;
  const keys = tagKeys.split(',').map((key: string) => key.trim());
  return frames.flatMap((frame) => {
    const [time, value] = frame.fields;
    const labels = value.labels ?? {};
    const found: any[] = [];
    time.values.forEach((at: number, place: number) => {
      if (!value.values[place]) return;
      const last = found[found.length - 1];
      if (last && at - (last.timeEnd ?? last.time) <= stepMs) { last.timeEnd = at; last.isRegion = true; return; }
      found.push({
        time: at, title: fill(titleFormat, labels), text: fill(textFormat, labels), annotation,
        tags: Object.keys(labels).filter((label) => keys.includes(label)).map((label) => labels[label]),
      });
    });
    return found;
  });
}
