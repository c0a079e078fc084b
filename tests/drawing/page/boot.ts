// SPDX-License-Identifier: Apache-2.0
// What Grafana's server and its core would have set up before a scene is drawn: registries and services.
import {
  FieldType, LoadingState, ThresholdsMode, createTheme, displayNameOverrideProcessor,
  dataLinksOverrideProcessor, identityOverrideProcessor, numberOverrideProcessor, standardEditorsRegistry,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, stringOverrideProcessor,
  thresholdsOverrideProcessor, unitOverrideProcessor, valueMappingsOverrideProcessor, EventBusSrv, locationUtil, toDataFrame,
} from '@grafana/data';
import {
  config, setAppEvents, setBackendSrv, setDataSourceSrv, setPluginImportUtils, setRunRequest, setTemplateSrv,
  setPluginLinksHook, setEchoSrv, setReturnToPreviousHook, setChromeHeaderHeightHook, setPluginComponentsHook,
} from '@grafana/runtime';
import { initPluginTranslations } from '@grafana/i18n';
import { sceneGraph } from '@grafana/scenes';
import { Observable, catchError, from, isObservable, map, of, startWith } from 'rxjs';
import { problems } from './asked';
import { extractFields } from './stores';

export const theme = createTheme({ colors: { mode: 'dark' } });
(config as any).theme2 = theme;
(config as any).buildInfo = { ...config.buildInfo, version: '13.2.3' };

const property = (id: string, process: any, extra: object = {}) => ({
  id, path: id, name: id, process, editor: () => null as any, override: () => null as any,
  shouldApply: () => true, settings: {}, ...extra,
});
const numbers = { shouldApply: (field: any) => field.type === FieldType.number };

/** The standard field options, by the ids and paths that dashboards name them with. */
export function registerFieldOptions() {
  standardEditorsRegistry.setInit(() =>
    ['number', 'text', 'boolean', 'select', 'radio', 'slider', 'unit', 'color', 'thresholds', 'mappings', 'links', 'multi-select',
      'stats-picker', 'strings', 'field-name', 'dashboard-uid', 'timezone', 'field-color', 'fieldColor', 'actions'].map((id) => ({ id, name: id, editor: () => null as any })) as any
  );
  standardFieldConfigEditorRegistry.setInit(() => [
    property('unit', unitOverrideProcessor),
    property('min', numberOverrideProcessor, numbers),
    property('max', numberOverrideProcessor, numbers),
    property('fieldMinMax', identityOverrideProcessor, numbers),
    property('decimals', numberOverrideProcessor, numbers),
    property('displayName', displayNameOverrideProcessor, { settings: { expandTemplateVars: true } }),
    property('color', identityOverrideProcessor),
    property('noValue', stringOverrideProcessor),
    property('links', dataLinksOverrideProcessor),
    property('actions', identityOverrideProcessor),
    property('mappings', valueMappingsOverrideProcessor),
    property('thresholds', thresholdsOverrideProcessor, {
      defaultValue: { mode: ThresholdsMode.Absolute, steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] },
    }),
    property('filterable', identityOverrideProcessor),
  ] as any);
  standardTransformersRegistry.setInit(() =>
    [...Object.values(standardTransformers), extractFields as any].filter((t, i, all) => all.findIndex((o) => o.id === t.id) === i)
      .map((transformation) => ({ id: transformation.id, name: transformation.name, transformation: async () => transformation, editor: () => null })) as any
  );
}

/** Asks a data source and makes panel data of what it answers: core's part between a scene and a data source. */
export function runRequest(datasource: any, request: any, queryFunction?: any): Observable<any> {
  request.startTime = Date.now();
  const nothing = { series: [], annotations: [], request, timeRange: request.range };
  if (!request.targets.length) return of({ ...nothing, state: LoadingState.Done });
  const answer = queryFunction ? queryFunction(request) : datasource.query(request);
  return (isObservable(answer) ? answer : from(answer)).pipe(
    map((response: any) => {
      const frames = (response.data ?? []).map((frame: any) => toDataFrame(frame));
      const about = (topic: any) => frames.filter((frame: any) => (frame.meta?.dataTopic === 'annotations') === topic);
      return {
        ...nothing, state: response.state ?? LoadingState.Done, series: about(false), annotations: about(true),
        errors: response.errors, structureRev: 1,
      };
    }),
    catchError((error) => {
      problems.push(`query: ${error.message}`);
      return of({ ...nothing, state: LoadingState.Error, errors: [{ message: error.message }] });
    }),
    startWith({ ...nothing, state: LoadingState.Loading })
  );
}

export async function boot(datasources: any[]) {
  registerFieldOptions();
  await initPluginTranslations('grafana', []);
  await initPluginTranslations('grafana-scenes', []);
  const settings = datasources.map((ds) => ({
    uid: ds.uid, id: 1, name: ds.name, type: ds.type, meta: ds.meta, isDefault: ds.type === 'prometheus', readOnly: true,
    access: 'proxy', jsonData: {}, url: '', module: '', baseUrl: '', rawRef: { uid: ds.uid, type: ds.type },
  }));
  const uid = (ref: any, scopedVars: any) => {
    const wanted = typeof ref === 'string' ? ref : ref?.uid;
    const scene = scopedVars?.__sceneObject?.value?.valueOf();
    return scene && wanted?.includes('$') ? sceneGraph.interpolate(scene, wanted, scopedVars) : wanted;
  };
  const find = (list: any[], ref: any, scopedVars: any) => list.find((one) => one.uid === uid(ref, scopedVars));
  setDataSourceSrv({
    get: async (ref: any, scopedVars: any) => {
      const found = find(datasources, ref, scopedVars);
      if (!found) throw new Error(`no data source ${JSON.stringify(ref)}`);
      return found;
    },
    getList: (filters: any = {}) => settings.filter((one) => !filters.pluginId || one.type === filters.pluginId),
    getInstanceSettings: (ref: any, scopedVars: any) => find(settings, ref, scopedVars),
    reload: () => {}, registerRuntimeDataSource: () => {},
  } as any);
  setTemplateSrv({
    getVariables: () => [], containsTemplate: (text?: string) => !!text?.includes('$'), updateTimeRange: () => {},
    replace: (text = '', scopedVars?: any, format?: any) => {
      const scene = scopedVars?.__sceneObject?.value?.valueOf() ?? (window as any).__grafanaSceneContext;
      return scene ? sceneGraph.interpolate(scene, text, scopedVars, format) : text;
    },
  } as any);
  locationUtil.initialize({ config, getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => ({ from: 'now-1h', to: 'now' }) } as any);
  setRunRequest(runRequest as any);
  setAppEvents(new EventBusSrv());
  setBackendSrv({ get: async () => ({}), post: async () => ({}), fetch: () => of({ data: {} }) } as any);
  setEchoSrv({ flush() {}, addBackend() {}, addEvent() {} } as any);
  setPluginImportUtils({
    importPanelPlugin: async (id: string) => { throw new Error(`no panel plugin ${id}`); },
    getPanelPluginFromCache: () => undefined,
  } as any);
  setPluginLinksHook(() => ({ links: [], isLoading: false }));
  setPluginComponentsHook?.(() => ({ components: [], isLoading: false }) as any);
  setReturnToPreviousHook(() => () => {});
  setChromeHeaderHeightHook?.(() => 0);
}
