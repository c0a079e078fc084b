// SPDX-License-Identifier: Apache-2.0
// In place of @grafana/plugin-compat, which probes @grafana/runtime for exports that it may not have: a bundler refuses that.
import { getDataSourceSrv } from '@grafana/runtime';

const entry = (one: any) => ({ uid: one.uid, type: one.type, name: one.name, meta: one.meta, isDefault: one.isDefault ?? false });
export const getDataSourceInstance = async (ref?: any, scopedVars?: any) => getDataSourceSrv().get(ref, scopedVars);
export const getDataSourceInstanceList = async (filters?: any) => getDataSourceSrv().getList(filters).map(entry);
export const getDataSourceInstanceSettings = async (ref?: any, scopedVars?: any) => getDataSourceSrv().getInstanceSettings(ref, scopedVars);
export const getDefaultDataSourceInstanceListItem = async (items: any[]) => items.find((one) => one.isDefault);
export const registerRuntimeDataSourceInstance = () => {};
