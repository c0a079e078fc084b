// SPDX-License-Identifier: Apache-2.0
// Answers as Tempo's search for spans does, from spans that were kept, so that its tables can be seen.
import { FieldType, createDataFrame } from '@grafana/data';
import { of } from 'rxjs';
import { asRegex } from './prometheus';
import { interpolated, meets } from './stores';

const CONDITION = /^(resource|span)\.([\w.]+)\s*(=~|=|>)\s*"?(.*?)"?$/;

export class Tempo {
  uid = 'tempo'; name = 'Tempo'; type = 'tempo'; id = 2; interval = '1s';
  meta: any = { id: 'tempo', name: 'Tempo', metrics: true, tracing: true, info: { logos: {} } };
  asked: any[] = [];
  constructor(private spans: any[]) {}
  getRef() { return { uid: this.uid, type: this.type }; }
  async testDatasource() { return { status: 'success' }; }

  query(request: any) {
    const [target] = request.targets;
    const query = interpolated(target.query, request.scopedVars, asRegex);
    this.asked.push({ expr: query });
    const parts = /^\{\s*(.+?)\s*\}\s*\|\s*select\((.+)\)$/.exec(query);
    if (!parts) throw new Error(`not understood: ${query}`);
    const conditions = parts[1].split('&&').map((one) => {
      const found = CONDITION.exec(one.trim());
      if (!found) throw new Error(`not understood: ${one}`);
      return found.slice(1);
    });
    const value = (span: any, scope: string, name: string) => (scope === 'resource' ? { 'service.name': span.service }[name] : span.attributes[name]);
    const rows = this.spans.filter((span) => conditions.every(([scope, name, operator, wanted]) => meets(value(span, scope, name), operator, wanted))).slice(0, target.limit ?? 20);
    const column = (name: string, type: FieldType, of: (row: any) => any, config: any = {}) => ({ name, type, config, values: rows.map(of) });
    const link = { title: 'Span: ${__value.raw}', url: '', internal: { datasourceUid: this.uid, datasourceName: this.name, query: { query: '${__value.raw}', queryType: 'traceql' } } };
    if (!rows.length) return of({ data: [] });
    return of({ data: [createDataFrame({
      refId: 'A', name: 'Spans', meta: { preferredVisualisationType: 'table' },
      fields: [
        column('traceService', FieldType.string, (row) => row.service, { displayNameFromDS: 'Trace Service' }),
        column('traceName', FieldType.string, (row) => row.name, { displayNameFromDS: 'Trace Name' }),
        column('spanID', FieldType.string, (row) => row.spanID, { unit: 'string', displayNameFromDS: 'Span ID', links: [link] }),
        column('time', FieldType.time, (row) => row.start, { displayNameFromDS: 'Start time' }),
        column('name', FieldType.string, (row) => row.name, { displayNameFromDS: 'Name' }),
        ...parts[2].split(',').map((one) => one.trim().replace(/^span\./, '')).map((name) => column(name, FieldType.string, (row) => row.attributes[name] ?? '')),
        column('duration', FieldType.number, (row) => row.duration, { displayNameFromDS: 'Duration', unit: 'ns' }),
      ],
    })] });
  }
}
