// SPDX-License-Identifier: Apache-2.0
// node build.mjs [FOLDER]: bundles the page (FOLDER/page) and the program that draws with it (FOLDER/draw.mjs). FOLDER is `out`.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = process.argv[2] ?? here('out');
const common = { absWorkingDir: here('.'), bundle: true, format: 'esm', minify: true, logLevel: 'warning' };

await build({
  ...common,
  entryPoints: ['page/main.tsx'],
  outdir: `${out}/page`,
  splitting: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.svg': 'text', '.woff2': 'file', '.png': 'dataurl', '.ttf': 'empty' },
  mainFields: ['module', 'browser', 'main'],
  conditions: ['module', 'import', 'browser'],
  alias: {
    '@grafana/plugin-compat/datasources': './page/substitutes/plugin-compat.ts',
    '@monaco-editor/react': './page/substitutes/editor.ts',
    'monaco-editor/esm/vs/editor/editor.api': './page/substitutes/editor.ts',
    'monaco-editor': './page/substitutes/editor.ts',
  },
});
await build({ ...common, entryPoints: ['draw.ts'], outfile: `${out}/draw.mjs`, platform: 'node', packages: 'external', minify: false });
