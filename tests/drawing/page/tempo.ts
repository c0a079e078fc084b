// SPDX-License-Identifier: Apache-2.0
// Answers as Tempo's search does, from traces that were kept, so that its tables can be seen.
import { FieldType, createDataFrame } from '@grafana/data';
import { of } from 'rxjs';

export class Tempo {
  uid = 'tempo'; name = 'Tempo'; type = 'tempo'; id = 2; interval = '1s';
  meta: any = { id: 'tempo', name: 'Tempo', metrics: true, tracing: true, info: { logos: {} } };
  constructor(private traces: any[]) {}
  getRef() { return { uid: this.uid, type: this.type }; }
  async testDatasource() { return { status: 'success' }; }

  query(request: any) {
    const [target] = request.targets;
    const saved = target.query.includes('resend_count');
    const rows = this.traces.filter((trace) => trace.saved === saved).slice(0, target.limit ?? 20);
    const column = (name: string, type: FieldType, key: string, config: any = {}) => ({ name, type, config, values: rows.map((row) => row[key]) });
    const link = { title: 'Trace: ${__value.raw}', url: '', internal: { datasourceUid: this.uid, datasourceName: this.name, query: { query: '${__value.raw}', queryType: 'traceql' } } };
    return of({ data: [createDataFrame({
      refId: 'A', name: 'Traces', meta: { preferredVisualisationType: 'table' },
      fields: [
        column('traceID', FieldType.string, 'traceID', { unit: 'string', displayNameFromDS: 'Trace ID', links: [link] }),
        column('startTime', FieldType.time, 'start', { displayNameFromDS: 'Start time' }),
        column('traceService', FieldType.string, 'service', { displayNameFromDS: 'Service' }),
        column('traceName', FieldType.string, 'name', { displayNameFromDS: 'Name' }),
        column('traceDuration', FieldType.number, 'duration', { displayNameFromDS: 'Duration', unit: 'ms' }),
      ],
    })] });
  }
}
