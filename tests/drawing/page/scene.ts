// SPDX-License-Identifier: Apache-2.0
// A dashboard's JSON comes in, a scene comes out, as Grafana makes one when it loads a dashboard.
import {
  ConstantVariable, CustomVariable, DataSourceVariable, EmbeddedScene, IntervalVariable, LocalValueVariable, QueryVariable, SceneControlsSpacer, SceneDataLayerControls,
  SceneDataLayerSet, SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow, SceneQueryRunner, SceneRefreshPicker, SceneTimePicker, SceneTimeRange,
  SceneVariableSet, TextBoxVariable, VariableValueSelectors, VizPanel, behaviors, dataLayers,
} from '@grafana/scenes';
import { asked } from './asked';
import { panelLinks } from './links';

const variables: Record<string, (v: any) => any> = {
  datasource: (v) => new DataSourceVariable({ name: v.name, label: v.label, pluginId: v.query, regex: v.regex, isMulti: v.multi, includeAll: v.includeAll }),
  query: (v) => new QueryVariable({
    name: v.name, label: v.label, query: v.query, datasource: v.datasource, regex: v.regex, sort: v.sort, refresh: v.refresh, isMulti: v.multi,
    includeAll: v.includeAll, allValue: v.allValue, value: v.current?.value ?? '', text: v.current?.text ?? '', hide: v.hide, defaultToAll: !!v.includeAll, skipUrlSync: v.skipUrlSync,
  }),
  custom: (v) => new CustomVariable({ name: v.name, label: v.label, query: v.query, isMulti: v.multi, includeAll: v.includeAll, allValue: v.allValue, value: v.current?.value ?? '', text: v.current?.text ?? '' }),
  constant: (v) => new ConstantVariable({ name: v.name, value: v.query, hide: v.hide }),
  textbox: (v) => new TextBoxVariable({ name: v.name, label: v.label, value: v.query }),
  interval: (v) => new IntervalVariable({ name: v.name, label: v.label, intervals: v.query.split(','), value: v.current?.value }),
};

function item(panel: any, repeated?: { name: string; value: string; place: number; of: number }) {
  const runner = new SceneQueryRunner({ datasource: panel.datasource, queries: panel.targets ?? [], maxDataPoints: panel.maxDataPoints, maxDataPointsFromWidth: true, minInterval: panel.interval, dataLayerFilter: { panelId: panel.id } });
  const key = repeated?.place ? `panel-${panel.id}-clone-${repeated.place}` : `panel-${panel.id}`;
  const width = repeated ? Math.floor(panel.gridPos.w / repeated.of) : panel.gridPos.w;
  return new SceneGridItem({
    key: `grid-item-${key}`, x: panel.gridPos.x + (repeated ? repeated.place * width : 0), y: panel.gridPos.y, width, height: panel.gridPos.h, isResizable: false, isDraggable: false,
    $variables: repeated ? new SceneVariableSet({ variables: [new LocalValueVariable({ name: repeated.name, value: repeated.value, text: repeated.value })] }) : undefined,
    body: new VizPanel({
      key, title: panel.title, description: panel.description, pluginId: panel.type, options: panel.options ?? {}, fieldConfig: panel.fieldConfig,
      pluginVersion: panel.pluginVersion, displayMode: panel.transparent ? 'transparent' : undefined, titleItems: panelLinks(panel.links ?? []),
      $data: new SceneDataTransformer({ $data: runner, transformations: panel.transformations ?? [] }),
    }),
  });
}

/** A panel, or one for each value of the variable that it repeats for. */
function items(panel: any, values: (variable: string) => string[]) {
  if (!panel.repeat) return [item(panel)];
  const all = values(panel.repeat);
  return all.map((value, place) => item(panel, { name: panel.repeat, value, place, of: all.length }));
}

function rows(panels: any[], values: (variable: string) => string[]) {
  const found: any[] = [];
  let row: any;
  for (const panel of panels) {
    if (panel.libraryPanel) throw new Error(`not supported: ${panel.title} is a library panel`);
    if (panel.type === 'row') {
      row = new SceneGridRow({ key: `row-${panel.id}`, title: panel.title, isCollapsed: !!panel.collapsed, y: panel.gridPos.y, children: (panel.panels ?? []).flatMap((one: any) => items(one, values)) });
      found.push(row);
    } else if (row && !row.state.isCollapsed) row.setState({ children: [...row.state.children, ...items(panel, values)] });
    else found.push(...items(panel, values));
  }
  return found;
}

const variableSet = (dashboard: any) => {
  for (const kind of dashboard.templating?.list ?? []) if (!variables[kind.type]) throw new Error(`no variable of type ${kind.type}`);
  return new SceneVariableSet({ variables: (dashboard.templating?.list ?? []).map((v: any) => variables[v.type](v)) });
};

export function makeScene(dashboard: any, values: (variable: string) => string[] = () => []) {
  const layout = new SceneGridLayout({ isLazy: false, children: rows(dashboard.panels, values) });
  if (asked.open) for (const row of layout.state.children) if (row instanceof SceneGridRow && row.state.isCollapsed) layout.toggleRow(row);
  const annotations = (dashboard.annotations?.list ?? []).filter((one: any) => !one.builtIn);
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: asked.from ?? dashboard.time.from, to: asked.to ?? dashboard.time.to, timeZone: 'utc' }),
    $variables: variableSet(dashboard),
    $data: new SceneDataLayerSet({
      name: annotations.map((one: any) => one.name).join(', '),
      layers: annotations.map((query: any) => new dataLayers.AnnotationsDataLayer({ key: `annotations-${query.name}`, name: query.name, query, isEnabled: query.enable, isHidden: query.hide })),
    }),
    $behaviors: [new behaviors.CursorSync({ sync: dashboard.graphTooltip })],
    controls: [new VariableValueSelectors({}), new SceneDataLayerControls(), new SceneControlsSpacer(), new SceneTimePicker({ isOnCanvas: true }), new SceneRefreshPicker({ refresh: '', isOnCanvas: true })],
    body: layout,
  });
}

/** The values that a panel repeats for: those that are chosen, or all that there are. */
export function valuesOf(scene: EmbeddedScene) {
  return (name: string) => {
    const variable: any = scene.state.$variables?.getByName(name);
    if (!variable) throw new Error(`no variable ${name} to repeat for`);
    const value = variable.getValue();
    return value === variable.state.allValue || value === '$__all' || (Array.isArray(value) && value.includes('$__all')) || variable.hasAllValue?.()
      ? variable.state.options.map((option: any) => option.value) : [value].flat();
  };
}
