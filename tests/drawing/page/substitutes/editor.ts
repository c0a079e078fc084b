// SPDX-License-Identifier: Apache-2.0
// In place of the code editors in @grafana/ui, which no dashboard shows.
const nothing = () => null;
export default {};
export const loader = { config: nothing };
export const useMonaco = nothing, Editor = nothing, DiffEditor = nothing;
export const editor = {}, languages = {}, KeyCode = {}, KeyMod = {}, Range = {}, MarkerSeverity = {};
