// SPDX-License-Identifier: Apache-2.0
// Answers as Loki does to a query for lines, from log records that were kept, so that its table can be seen.
import { FieldType, createDataFrame } from '@grafana/data';
import { of } from 'rxjs';
import { asRegex } from './prometheus';
import { interpolated, meets } from './stores';

const CONDITION = /^(\w+)\s*(=~|=|!=)\s*"(.*)"$/;

export class Loki {
  uid = 'loki'; name = 'Loki'; type = 'loki'; id = 3; interval = '1s';
  meta: any = { id: 'loki', name: 'Loki', metrics: true, logs: true, info: { logos: {} } };
  asked: any[] = [];
  constructor(private records: any[]) {}
  getRef() { return { uid: this.uid, type: this.type }; }
  async testDatasource() { return { status: 'success' }; }

  query(request: any) {
    const [target] = request.targets;
    const query = interpolated(target.expr, request.scopedVars, asRegex);
    this.asked.push({ expr: query });
    const parts = /^\{(.+?)\}((?:\s*\|\s*\w+\s*(?:=~|=|!=)\s*"[^"]*")*)$/.exec(query);
    if (!parts) throw new Error(`not understood: ${query}`);
    const filters = [...parts[2].matchAll(/\|\s*(\w+\s*(?:=~|=|!=)\s*"[^"]*")/g)].map((one) => one[1]);
    const conditions = [parts[1], ...filters].map((one) => CONDITION.exec(one.trim())!.slice(1));
    const rows = this.records.filter((record) => conditions.every(([name, operator, wanted]) => meets(record.labels[name] ?? '', operator, wanted))).slice(0, target.maxLines ?? 20);
    if (!rows.length) return of({ data: [] });
    return of({ data: [createDataFrame({
      refId: 'A', meta: { preferredVisualisationType: 'logs' },
      fields: [
        { name: 'labels', type: FieldType.other, config: {}, values: rows.map((row) => row.labels) },
        { name: 'Time', type: FieldType.time, config: {}, values: rows.map((row) => row.time) },
        { name: 'Line', type: FieldType.string, config: {}, values: rows.map((row) => row.line) },
      ],
    })] });
  }
}
