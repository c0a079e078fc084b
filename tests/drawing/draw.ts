// SPDX-License-Identifier: Apache-2.0
// node draw.mjs ORDERS.json FOLDER: draws dashboards in headless Chromium, with Grafana's own libraries.
//
// ORDERS is {"chromium": path, "modules": path of node_modules, "browsers": n, "orders": [ORDER, ...]}. An ORDER has `name`, `board`
// (a file), `prometheus` (URL), and may have `traces` and `logs` (files), `from` and `to` (ms), `widths` (px), `query` (of the page's address, such as
// var-model=x or rows=open), `scrape` (the scrape interval), `hover` (read each graph's tooltip). For every width FOLDER/NAME-WIDTH.png is
// what one sees, FOLDER/NAME-WIDTH.json what the page says of each panel.
import { createServer } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AddressInfo } from 'node:net';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

interface Order { name: string; board: string; prometheus: string; traces?: string; logs?: string; from?: number; to?: number; widths?: number[]; query?: string; scrape?: string; hover?: boolean }

const [ordersFile, folder] = process.argv.slice(2);
const { chromium, modules, browsers: many = 2, orders } = JSON.parse(await readFile(ordersFile, 'utf8')) as { chromium: string; modules: string; browsers?: number; orders: Order[] };
const here = dirname(fileURLToPath(import.meta.url));
const TIMEOUT_MS = 60_000;
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.html': 'text/html', '.woff2': 'font/woff2' };
const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><link rel="stylesheet" href="/page/main.css"><div id="root"></div>' +
  '<script>window.__grafana_public_path__="/public/";window.grafanaBootData={settings:{},user:{},navTree:[]}</script><script type="module" src="/page/main.js"></script>';

/** What the page asks for, by the place of its order in the list. */
async function serve(path: string, referer: URL): Promise<[string | Buffer, string]> {
  const order = orders[Number(referer.searchParams.get('order'))];
  if (path === '/') return [PAGE, '.html'];
  if (path === '/traces.json') return [order?.traces ? await readFile(order.traces) : '[]', '.json'];
  if (path === '/logs.json') return [order?.logs ? await readFile(order.logs) : '[]', '.json'];
  if (path.startsWith('/dashboards/')) return [await readFile(order.board), '.json'];
  if (path.startsWith('/page/')) return [await readFile(join(here, path)), extname(path)];
  if (path.startsWith('/public/fonts/')) return [await font(path), '.woff2'];
  if (path.startsWith('/public/build/img/')) {
    const picture = readFile(join(modules, '@grafana/ui/dist/public/img', path.slice('/public/build/img/'.length)));
    return [await picture.catch(() => '<svg xmlns="http://www.w3.org/2000/svg"/>'), extname(path)];
  }
  throw new Error(`nothing at ${path}`);
}

/** Grafana's fonts are not in its packages. */
async function font(path: string) {
  const family = path.includes('/inter/') ? 'inter' : 'roboto-mono';
  return readFile(join(modules, `@fontsource/${family}/files/${family}-latin-${path.includes('Medium') ? 500 : 400}-normal.woff2`));
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [body, type] = await serve(normalize(url.pathname), new URL(request.headers.referer ?? 'http://localhost'));
    response.writeHead(200, { 'content-type': TYPES[type] ?? 'application/octet-stream', 'cache-control': type === '.json' ? 'no-store' : 'max-age=600' }).end(body);
  } catch { response.writeHead(404).end(); }
}).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const pause = (ms: number) => new Promise((then) => setTimeout(then, ms));

/** Waits until every panel has its data, and what is drawn has stayed the same for a moment. */
async function settled(tab: Page) {
  await tab.waitForFunction('window.isDone && window.isDone()', { timeout: TIMEOUT_MS, polling: 50 });
  await tab.evaluate('document.fonts.ready');
  let before = '', same = 0;
  for (const began = Date.now(); same < 3 && Date.now() - began < 10_000;) {
    await pause(80);
    const now = String(await tab.evaluate('[window.isDone(), document.querySelector("#root").scrollHeight, document.querySelectorAll("#root *").length].join()'));
    same = now === before && now.startsWith('true') ? same + 1 : 0;
    before = now;
  }
}

/** The texts of each graph's tooltip, with the mouse two thirds along its width. */
async function tooltips(tab: Page) {
  const found: Record<string, string[]> = {};
  for (const over of await tab.$$('[data-viz-panel-key] .u-over')) {
    const key = await over.evaluate((one) => one.closest('[data-viz-panel-key]')!.getAttribute('data-viz-panel-key')!);
    const box = await over.boundingBox();
    if (!box) continue;
    await tab.mouse.move(box.x + box.width * 0.66, box.y + box.height * 0.5);
    await tab.waitForSelector('.drawn-tooltip', { timeout: 2000 }).catch(() => undefined);
    await pause(60);
    found[key] = await tab.$$eval('.drawn-tooltip', (all) => all.flatMap((one) => (one as HTMLElement).innerText.split('\n')));
    await tab.mouse.move(2, 2);
    await pause(60);
  }
  return found;
}

async function draw(browser: Browser, place: number) {
  const order = orders[place], tab = await browser.newPage();
  const said: string[] = [];
  tab.on('console', (message) => ['error', 'warn', 'warning'].includes(message.type()) && said.push(`console: ${message.text()}`));
  tab.on('pageerror', (error) => said.push(`page: ${(error as Error).stack}`));
  tab.on('requestfailed', (request) => request.failure()?.errorText !== 'net::ERR_ABORTED' && said.push(`request: ${request.url()}`));
  const query = new URLSearchParams({ order: String(place), dashboard: 'board.json', prometheus: order.prometheus });
  for (const key of ['from', 'to'] as const) if (order[key]) query.set(key, new Date(Number(order[key])).toISOString());
  if (order.scrape) query.set('scrape', order.scrape);
  for (const [key, value] of new URLSearchParams(order.query ?? '')) query.append(key, value);
  for (const [turn, width] of (order.widths ?? [1600]).entries()) {
    await tab.setViewport({ width, height: 1200 });
    if (!turn) await tab.goto(`${address}/?${query}`, { waitUntil: 'load' });
    await settled(tab).catch((error) => said.push(`not done: ${error.message}`));
    const height = Number(await tab.evaluate('Math.ceil(document.querySelector("#root").scrollHeight)'));
    await tab.setViewport({ width, height: Math.max(height, 300) });
    await settled(tab).catch(() => undefined);
    await tab.screenshot({ path: join(folder, `${order.name}-${width}.png`) });
    const seen: any = await tab.evaluate('window.seen ? window.seen() : {}');
    const tips = order.hover && !turn ? await tooltips(tab) : undefined;
    await writeFile(join(folder, `${order.name}-${width}.json`), JSON.stringify({ name: order.name, width, height, ...seen, tooltips: tips, console: [...new Set(said)] }, null, 1));
  }
  await tab.close();
}

await mkdir(folder, { recursive: true });
// A browser for each: tabs in the background are not painted.
const launch = () => puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage'] });
const browsers = await Promise.all(Array.from({ length: Math.min(many, orders.length) }, launch));
try {
  let next = 0;
  const work = async (browser: Browser) => {
    while (next < orders.length) {
      const place = next++, began = Date.now();
      await draw(browser, place);
      console.log(`${orders[place].name}: ${Date.now() - began} ms`);
    }
  };
  await Promise.all(browsers.map(work));
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  server.close();
}
