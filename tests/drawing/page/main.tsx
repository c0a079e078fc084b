// SPDX-License-Identifier: Apache-2.0
// Draws the dashboard that the page's address names. `window.isDone()` says when, `window.seen()` what can be seen.
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { LocationServiceProvider, locationService } from '@grafana/runtime';
import { SceneGridRow, VizPanel, sceneGraph, sceneUtils, type EmbeddedScene } from '@grafana/scenes';
import { asked, problems } from './asked';
import { boot, theme } from './boot';
import { DashboardLinks } from './links';
import { registerPanels } from './panels';
import { Prometheus } from './prometheus';
import { Loki } from './loki';
import { makeScene, valuesOf } from './scene';
import { seen } from './seen';
import { Tempo } from './tempo';
import 'uplot/dist/uPlot.min.css';
import '@grafana/react-data-grid/lib/styles.css';
import 'react-grid-layout/css/styles.css';

const page = window as any;
const get = async (path: string) => (await fetch(path)).json();

const isCollapsed = (panel: any) => { let one = panel.parent; while (one && !(one instanceof SceneGridRow)) one = one.parent; return !!one?.state.isCollapsed; };
const panelsOf = (scene: EmbeddedScene) => (sceneGraph.findAllObjects(scene, (o) => o instanceof VizPanel) as VizPanel[]).filter((panel) => !isCollapsed(panel));

/** Whether there is something in the panel's frame. */
function isPainted(panel: VizPanel) {
  const content = document.querySelector(`[data-viz-panel-key="${panel.state.key}"] [data-testid="data-testid panel content"]`);
  return !!content?.querySelector('canvas, [role="grid"], .panel-empty, span');
}

/** Panels that repeat need the values of their variable first: the variables are asked with a dashboard without panels. */
async function repeating(dashboard: any) {
  const all = dashboard.panels.flatMap((panel: any) => [panel, ...(panel.panels ?? [])]);
  if (!all.some((panel: any) => panel.repeat)) return undefined;
  const bare = makeScene({ ...dashboard, panels: [] });
  sceneUtils.syncStateFromSearchParams(bare, asked.parameters);
  page.__grafanaSceneContext = bare;
  const stop = bare.activate();
  while (bare.state.$variables?.state.variables.some((one: any) => one.state.loading || bare.state.$variables?.isVariableLoadingOrWaitingToUpdate(one))) await new Promise((then) => setTimeout(then, 20));
  const values = valuesOf(bare);
  const known = new Map(all.filter((panel: any) => panel.repeat).map((panel: any) => [panel.repeat, values(panel.repeat)]));
  stop();
  return (name: string) => known.get(name) as string[];
}

/** Big values are sized by how wide their text is, so the fonts have to be there before. */
async function loadFonts() {
  const fonts = [['Inter', 'inter/Inter-Regular', '400'], ['Inter', 'inter/Inter-Medium', '500'], ['Roboto Mono', 'roboto/RobotoMono-Regular', '400']].map(
    ([family, file, weight]) => new FontFace(family, `url(/public/fonts/${file}.woff2)`, { weight }));
  for (const font of await Promise.all(fonts.map((font) => font.load()))) document.fonts.add(font);
}

async function main() {
  await loadFonts();
  const prometheus = new Prometheus(asked.prometheus, asked.scrapeInterval, 'tempo');
  const [tempo, loki] = [new Tempo(await get('/traces.json')), new Loki(await get('/logs.json'))];
  await boot([prometheus, tempo, loki]);
  registerPanels();
  const dashboard = await get(`/dashboards/${asked.dashboard}`);
  const scene = makeScene(dashboard, await repeating(dashboard));
  sceneUtils.syncStateFromSearchParams(scene, asked.parameters);
  page.__grafanaSceneContext = scene;
  page.seen = async () => ({ uid: dashboard.uid, title: dashboard.title, panels: await seen(scene), asked: [...prometheus.asked, ...tempo.asked, ...loki.asked], problems });
  page.isDone = () => panelsOf(scene).every((panel) => ['Done', 'Error'].includes(sceneGraph.getData(panel).state.data?.state as any) && isPainted(panel));
  document.body.className = 'theme-dark';
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <LocationServiceProvider service={locationService}>
        <BrowserRouter>
          <div style={{ padding: 16 }}>
            <h3 style={{ margin: '0 0 2px' }}>{dashboard.title}</h3>
            <div style={{ color: theme.colors.text.secondary, marginBottom: 12 }}>{dashboard.description}</div>
            <DashboardLinks links={dashboard.links ?? []} color={theme.colors.text.link} />
            <scene.Component model={scene} />
          </div>
          <PortalContainer />
        </BrowserRouter>
      </LocationServiceProvider>
    </ThemeContext.Provider>
  );
}
window.addEventListener('error', (e) => problems.push(`error: ${e.message}`));
window.addEventListener('unhandledrejection', (e) => problems.push(`rejection: ${e.reason?.stack ?? e.reason}`));
main();
