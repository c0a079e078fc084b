// SPDX-License-Identifier: Apache-2.0
// What the substitutes for Loki and Tempo share, and Grafana's transformation of labels to columns, which is in its core.
import { FieldType, DataTransformerID, type DataFrame } from '@grafana/data';
import { sceneGraph } from '@grafana/scenes';
import { map } from 'rxjs';

export function interpolated(query: string, scopedVars: any, format: any) {
  const scene = scopedVars?.__sceneObject?.value?.valueOf() ?? (window as any).__grafanaSceneContext;
  return sceneGraph.interpolate(scene, query, scopedVars, format);
}

/** Whether a value meets a condition; an attribute that is not there meets none. */
export function meets(value: string | undefined, operator: string, wanted: string) {
  if (value === undefined) return false;
  if (operator === '=~') return new RegExp(`^(?:${wanted})$`).test(value);
  if (operator === '>') return Number(value) > Number(wanted);
  return (value === wanted) === (operator === '=');
}

/** `extractFields` of a field whose values are objects: a column for each of their keys. */
export const extractFields = {
  id: 'extractFields' as DataTransformerID, name: 'Extract fields', description: '', defaultOptions: {},
  operator: (options: any) => (source: any) => source.pipe(map((frames: DataFrame[]) => frames.map((frame) => {
    const from = frame.fields.find((field) => field.name === options.source);
    if (!from) return frame;
    const names = [...new Set(from.values.flatMap((one: any) => Object.keys(one)))];
    const columns = names.map((name) => ({ name, type: FieldType.string, config: {}, values: from.values.map((one: any) => one[name] ?? '') }));
    const kept = options.replace ? frame.fields.filter((field) => options.keepTime && field.type === FieldType.time) : frame.fields;
    return { ...frame, fields: [...kept, ...columns] };
  }))),
};
