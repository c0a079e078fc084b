// SPDX-License-Identifier: Apache-2.0
// What can be seen of each panel: names, texts and colours as Grafana's code has made them, and what does not fit.
import { FieldType, fieldMatchers, formattedValueToString, getDisplayProcessor, getFieldDisplayName, getFieldDisplayValues, standardTransformersRegistry, transformDataFrame } from '@grafana/data';
import { VizPanel, sceneGraph } from '@grafana/scenes';
import { lastValueFrom } from 'rxjs';
import { theme } from './boot';
import { scales } from './overlays';

/** What a panel's JSON names and its data does not have: Grafana says nothing then, and does nothing. */
async function unmet(panel: any, applied: any) {
  const provider: any = sceneGraph.getData(panel), before = provider.state.$data?.state.data?.series ?? [];
  if (!before.some((frame: any) => frame.length)) return [];
  const names = (series: any[]) => new Set(series.flatMap((frame: any) => frame.fields.flatMap((f: any) => [f.name, getFieldDisplayName(f, frame, series)])));
  const found: string[] = [];
  for (const { matcher, properties } of panel.state.fieldConfig.overrides) {
    const match = fieldMatchers.get(matcher.id).get(matcher.options);
    if (properties.every(({ id }: any) => id === 'color')) continue; // one table of colours for all that could come
    if (!applied.series.some((frame: any) => frame.fields.some((field: any) => match(field, frame, applied.series)))) found.push(`override ${matcher.id} ${JSON.stringify(matcher.options)}: ${properties.map((p: any) => p.id)}`);
  }
  const steps = provider.state.transformations ?? [];
  for (const [n, { id, options }] of steps.entries()) {
    const has = names(await lastValueFrom(transformDataFrame(steps.slice(0, n), before)));
    if (!standardTransformersRegistry.getIfExists(id)) found.push(`transformation ${id}`);
    for (const key of ['renameByName', 'excludeByName']) for (const name of Object.keys(options?.[key] ?? {})) if (!has.has(name)) found.push(`${id}.${key} ${name}`);
    for (const key of ['rowField', 'columnField', 'valueField']) if (options?.[key] && !has.has(options[key])) found.push(`${id}.${key} ${options[key]}`);
    for (const { field } of options?.sort ?? []) if (!has.has(field)) found.push(`${id} ${field}`);
  }
  return found;
}

const text = (field: any, value: any) => formattedValueToString((field.display ?? getDisplayProcessor({ field, theme }))(value));
/** The step of a graph, and the shortest and the longest time between two points of a frame, in ms; 0 without two. */
const between = (field: any) => {
  const times: number[] = field?.values ?? [], apart = times.slice(1).map((time, at) => time - times[at]);
  const [shortest, longest] = apart.length ? [Math.min(...apart), Math.max(...apart)] : [0, 0];
  return { interval: field?.config.interval ?? 0, shortest, longest };
};
const series = (frames: any[]) => frames.map((frame) => ({
  refId: frame.refId, ...between(frame.fields.find((field: any) => field.type === FieldType.time)),
  fields: frame.fields.map((field: any) => {
    const numbers = field.type === FieldType.number ? field.values.filter((v: any) => Number.isFinite(v)) : [];
    return {
      name: getFieldDisplayName(field, frame, frames), type: field.type, rows: field.values.length, labels: field.labels,
      color: field.type === FieldType.number ? field.display?.(field.values[field.values.length - 1]).color : undefined,
      byName: field.config.color?.mode === 'palette-classic-by-name',
      least: numbers.length ? Math.min(...numbers) : undefined, most: numbers.length ? Math.max(...numbers) : undefined,
      lone: field.type === FieldType.number ? field.values.filter((v: any, at: number) => Number.isFinite(v) && !Number.isFinite(field.values[at - 1]) && !Number.isFinite(field.values[at + 1])).length : 0,
      whole: numbers.every((one: number) => Math.abs(one - Math.round(one)) < 1e-6),
      texts: field.values.slice(0, 100).map((value: any) => text(field, value)),
      links: field.getLinks ? field.getLinks({ valueRowIndex: field.values.length - 1 }).map((link: any) => ({ title: link.title, href: link.href, trace: !link.href || link.href.includes('explore') })) : [],
    };
  }),
}));

/** The big values of a stat panel. */
const bigValues = (panel: any, data: any) => getFieldDisplayValues({
  fieldConfig: panel.state.fieldConfig, reduceOptions: panel.state.options.reduceOptions, replaceVariables: (value) => sceneGraph.interpolate(panel, value), theme, data: data.series, timeZone: 'utc',
}).map(({ display }) => ({ text: formattedValueToString(display), color: display.color, title: display.title }));

const isCut = (element: Element | null) => !!element && element.scrollWidth > element.clientWidth + 1;

/** Texts that are wider than the cell they stand in: `scrollWidth` of an inline element is 0, so the text itself is measured. */
const cutHeads = (grid: Element | null) => [...(grid?.querySelectorAll('[role="columnheader"]') ?? [])].filter((cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  const [words, room] = [text, cell].map((one) => one.getBoundingClientRect());
  return words.right > room.right + 1 || words.left < room.left - 1;
}).map((cell) => cell.textContent);

/** Texts of a big value that reach out of their panel. */
function sticksOut(root: Element | null) {
  const frame = root?.getBoundingClientRect();
  return [...(root?.querySelectorAll('span') ?? [])].filter((one) => frame && one.getBoundingClientRect().right > frame.right + 1).map((one) => one.textContent);
}

/** Names of big values that stand above their numbers, where there are several. */
function apart(root: Element | null, values: any[]) {
  const boxes = [...(root?.querySelectorAll('span, div') ?? [])].filter((one) => !one.children.length && one.textContent);
  return values.length < 2 ? [] : values.filter(({ title, text }: any) => boxes.some((name, at) => {
    const number = boxes[at + 1];
    return name.textContent === title && number && text.startsWith(number.textContent!) && name.getBoundingClientRect().bottom <= number.getBoundingClientRect().top + 4;
  })).map(({ title }: any) => title);
}

/** How many px of the legend can only be seen by scrolling. */
function hiddenLegend(root: Element | null) {
  let box = root?.querySelector('[data-testid*="VizLegend series"]')?.parentElement;
  for (; box && box !== root; box = box.parentElement) if (box.scrollHeight > box.clientHeight + 2 && getComputedStyle(box).overflowY !== 'visible') return box.scrollHeight - box.clientHeight;
  return 0;
}

async function look(panel: any) {
  const data = sceneGraph.getData(panel).state.data;
  const applied: any = data ? panel.applyFieldConfig(data) : { series: [] };
  const root = document.querySelector(`[data-viz-panel-key="${panel.state.key}"]`);
  const grid = root?.querySelector('[role="grid"]');
  const annotations = (data?.annotations ?? []).filter((frame: any) => frame.meta?.custom?.resultType !== 'exemplar');
  return {
    id: panel.getLegacyPanelId(), key: panel.state.key, type: panel.state.pluginId, title: sceneGraph.interpolate(panel, panel.state.title), description: panel.getDescription(),
    unit: panel.state.fieldConfig.defaults.unit, axis: panel.state.fieldConfig.defaults.custom?.axisLabel, drawn: !!root, state: data?.state,
    errors: data?.errors?.map((e: any) => e.message) ?? [], unmet: await unmet(panel, applied),
    overflow: grid ? grid.scrollWidth - grid.clientWidth : 0,
    cutTexts: [...(grid?.querySelectorAll('[role="gridcell"] div') ?? [])].filter((one) => !one.children.length && isCut(one)).map((one) => one.textContent)
      .concat([...(grid?.querySelectorAll('[role="gridcell"]') ?? [])].filter(isCut).map((one) => one.textContent))
      .concat(cutHeads(grid ?? null), panel.state.pluginId === 'stat' ? sticksOut(root) : []),
    cutTitle: isCut(root?.querySelector('h2, h6, [data-testid*="header-title"]') ?? null),
    empty: root?.querySelector('.panel-empty')?.textContent, calcs: panel.state.options?.legend?.calcs, hiddenLegend: hiddenLegend(root),
    custom: panel.state.fieldConfig.defaults.custom ?? {}, scale: scales[panel.getLegacyPanelId()],
    annotations: annotations.flatMap((f: any) => Array.from({ length: f.length }, (_, i) => Object.fromEntries(f.fields.filter((x: any) => ['time', 'timeEnd', 'title', 'text', 'tags', 'color'].includes(x.name)).map((x: any) => [x.name, x.values[i]])))),
    exemplars: (data?.annotations ?? []).filter((frame: any) => frame.meta?.custom?.resultType === 'exemplar').reduce((n: number, frame: any) => n + frame.length, 0),
    values: panel.state.pluginId === 'stat' && data ? bigValues(panel, applied) : [],
    apart: panel.state.pluginId === 'stat' && data ? apart(root, bigValues(panel, applied)) : [],
    frames: series(applied.series),
  };
}

export const seen = (scene: any) => Promise.all((sceneGraph.findAllObjects(scene, (o) => o instanceof VizPanel) as any[]).map(look));
