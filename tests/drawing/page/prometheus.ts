// SPDX-License-Identifier: Apache-2.0
// A data source that asks Prometheus as Grafana's own does: steps, intervals, variables, formats, annotations, exemplars.
import { rangeUtil, type DataFrame } from '@grafana/data';
import { sceneGraph } from '@grafana/scenes';
import { from, of } from 'rxjs';
import { events, exemplars, table, timeSeries, type Series } from './frames';

const MAX_POINTS = 11000;

/** Values of a variable as alternatives of a regular expression, escaped as PromQL needs it. */
export function asRegex(value: any, variable: any = {}) {
  if (!variable.multi && !variable.includeAll) return String(value);
  const escaped = (one: string) => one.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');
  if (typeof value === 'string') return escaped(value);
  return value.length === 1 ? escaped(value[0]) : `(${value.map(escaped).join('|')})`;
}

export class Prometheus {
  uid = 'prometheus'; name = 'Prometheus'; type = 'prometheus'; id = 1;
  meta: any = { id: 'prometheus', name: 'Prometheus', metrics: true, annotations: true, info: { logos: {} } };
  interval: string;
  asked: any[] = [];
  annotations = {
    prepareAnnotation: (json: any) => json,
    prepareQuery: (annotation: any) => ({ ...annotation.target, step: annotation.step, legendFormat: '', isAnnotation: true }),
    processEvents: (annotation: any, frames: DataFrame[]) => of(events(annotation, frames, rangeUtil.intervalToMs(annotation.step ?? '60s'))),
  };

  constructor(private url: string, private scrapeInterval: string, private traces: string) { this.interval = scrapeInterval; }
  getRef() { return { uid: this.uid, type: this.type }; }
  async testDatasource() { return { status: 'success' }; }
  query(request: any) { return from(this.answer(request)); }

  private async answer(request: any) {
    const targets = request.targets.filter((target: any) => target.expr && !target.hide);
    const answers = await Promise.all(targets.map((target: any) => this.ask(target, request, targets.length > 1)));
    return { data: answers.flat() };
  }

  private async ask(target: any, request: any, many: boolean): Promise<DataFrame[]> {
    const scrape = rangeUtil.intervalToSeconds(this.scrapeInterval);
    const [begin, end] = [request.range.from.valueOf() / 1000, request.range.to.valueOf() / 1000];
    const interval = Math.max(request.intervalMs / 1000, scrape, target.interval ? rangeUtil.intervalToSeconds(target.interval) : 0);
    const step = Math.max(interval * (target.intervalFactor ?? 1), Math.ceil((end - begin) / MAX_POINTS));
    const expr = this.interpolated(target.expr, request.scopedVars, end - begin, step, Math.max(step + scrape, 4 * scrape));
    const instant = target.instant && !target.range;
    const aligned = (time: number) => Math.floor(time / step) * step;
    const result = await this.post(instant ? 'query' : 'query_range', instant ? { query: expr, time: end } : { query: expr, start: aligned(begin), end: aligned(end), step });
    const rows = result.resultType === 'scalar' ? [{ metric: {}, value: result.result }] : result.result;
    const series: Series[] = rows.map((one: any) => ({ labels: one.metric, points: one.values ?? [one.value] }));
    this.asked.push({ expr, step, instant: !!instant, series: series.length });
    const frames = target.format === 'table' ? table(target, series, many) : timeSeries(target, series, step, expr);
    if (!target.exemplar || instant) return frames;
    return [...frames, ...exemplars(target, await this.post('query_exemplars', { query: expr, start: begin, end }), this.traces)];
  }

  private interpolated(expr: string, scopedVars: any, range: number, step: number, rate: number) {
    const text = (value: any) => ({ text: String(value), value: String(value) });
    const scene = scopedVars?.__sceneObject?.value?.valueOf() ?? (window as any).__grafanaSceneContext;
    return sceneGraph.interpolate(scene, expr, {
      ...scopedVars,
      __interval: text(`${step}s`), __interval_ms: text(step * 1000), __rate_interval: text(`${rate}s`), __rate_interval_ms: text(rate * 1000),
      __range: text(`${Math.round(range)}s`), __range_s: text(Math.round(range)), __range_ms: text(range * 1000),
    }, asRegex);
  }

  private async post(path: string, parameters: Record<string, string | number>) {
    const body = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
    const answer = await (await fetch(`${this.url}/api/v1/${path}`, { method: 'POST', body })).json();
    if (answer.status !== 'success') throw new Error(`${answer.error} in ${parameters.query}`);
    return answer.data;
  }

  /** The options of a variable, from `label_values(selector, label)` or `query_result(expression)`. */
  async metricFindQuery(query: any, options: any = {}) {
    const { range, scopedVars } = options;
    const [begin, end] = [range.from.valueOf() / 1000, range.to.valueOf() / 1000];
    const text = this.interpolated(typeof query === 'string' ? query : query.query, scopedVars, end - begin, 15, 60).trim();
    const values = /^label_values\((?:(.+),\s*)?([a-zA-Z_$][a-zA-Z0-9_]*)\)$/.exec(text);
    if (values) {
      const parameters = new URLSearchParams({ start: String(begin), end: String(end) });
      if (values[1]) parameters.set('match[]', values[1]);
      const answer = await (await fetch(`${this.url}/api/v1/label/${values[2]}/values?${parameters}`)).json();
      if (answer.status !== 'success') throw new Error(`${answer.error} in ${text}`);
      return answer.data.map((value: string) => ({ text: value }));
    }
    const expression = /^query_result\((.+)\)$/s.exec(text);
    if (!expression) throw new Error(`not understood: ${text}`);
    const { result } = await this.post('query', { query: expression[1], time: end });
    return result.map(({ metric, value }: any) => {
      const { __name__: name = '', ...labels } = metric;
      return { text: `${name}{${Object.entries(labels).map(([key, one]) => `${key}="${one}"`).join(',')}} ${value[1]} ${value[0] * 1000}` };
    });
  }
}
