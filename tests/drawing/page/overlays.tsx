// SPDX-License-Identifier: Apache-2.0
// What core draws over a graph's lines: annotations, exemplars, and the tooltip, whose parts are Grafana's.
import { useEffect, useLayoutEffect, useRef } from 'react';
import { dateTimeFormat } from '@grafana/data';
import { TooltipPlugin2, VizTooltipContent, VizTooltipHeader, VizTooltipWrapper, getFieldDisplayItems } from '@grafana/ui';
import { theme } from './boot';

const isExemplar = (frame: any) => frame.meta?.custom?.resultType === 'exemplar';
const field = (frame: any, name: string) => frame.fields.find((one: any) => one.name === name)?.values ?? [];

/** The vertical scale that lines are drawn with: uPlot also has one that nothing uses. */
const scaleOf = (u: any) => Object.keys(u.scales).find((key) => key !== 'x' && u.scales[key].min != null) ?? 'y';

/** Calls `draw` with uPlot's instance whenever the graph is drawn. */
function useDrawing(builder: any, data: any, draw: (u: any, data: any) => void) {
  const latest = useRef(data), plot = useRef<any>(null);
  latest.current = data;
  useEffect(() => plot.current?.redraw(), [data]);
  useLayoutEffect(() => {
    builder.addHook('init', (u: any) => { plot.current = u; });
    builder.addHook('draw', (u: any) => draw(u, latest.current));
  }, [builder]);
}

/** Regions and marks; how strong the tint of a region is, is a guess. */
export function Annotations({ builder, annotations }: any) {
  useDrawing(builder, annotations, (u, frames) => {
    for (const frame of frames.filter((one: any) => !isExemplar(one))) {
      const [times, ends, colors] = [field(frame, 'time'), field(frame, 'timeEnd'), field(frame, 'color')];
      times.forEach((time: number, i: number) => {
        const left = u.valToPos(Math.max(time, u.scales.x.min), 'x', true), right = u.valToPos(Math.min(ends[i] ?? time, u.scales.x.max), 'x', true);
        u.ctx.save();
        u.ctx.fillStyle = u.ctx.strokeStyle = theme.visualization.getColorByName(colors[i] ?? 'red');
        u.ctx.setLineDash([5, 5]);
        u.ctx.beginPath();
        for (const x of [left, right]) { u.ctx.moveTo(x, u.bbox.top); u.ctx.lineTo(x, u.bbox.top + u.bbox.height); }
        u.ctx.stroke();
        u.ctx.globalAlpha = 0.1; u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
        u.ctx.globalAlpha = 1; u.ctx.fillRect(left, u.bbox.top + u.bbox.height, Math.max(right - left, 6), 5);
        u.ctx.restore();
      });
    }
  });
  return null;
}

/** Diamonds, where core has them. */
export function Exemplars({ builder, annotations }: any) {
  useDrawing(builder, annotations, (u, frames) => {
    for (const frame of frames.filter(isExemplar)) {
      const values = field(frame, 'Value'), scale = scaleOf(u);
      field(frame, 'Time').forEach((time: number, i: number) => {
        const value = Math.min(Math.max(values[i], u.scales[scale].min), u.scales[scale].max);
        const x = u.valToPos(time, 'x', true), y = u.valToPos(value, scale, true);
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
        u.ctx.save();
        u.ctx.fillStyle = theme.visualization.getColorByName('super-light-blue');
        u.ctx.translate(x, y); u.ctx.rotate(Math.PI / 4); u.ctx.fillRect(-4, -4, 8, 8);
        u.ctx.restore();
      });
    }
  });
  return null;
}

/** Notes the range of the axis, for whoever checks what can be seen. */
export const scales: Record<number, { min: number; max: number }> = {};
export function Scales({ builder, panel, drawn }: any) {
  useDrawing(builder, drawn, (u) => {
    const { min, max } = u.scales[scaleOf(u)] ?? {};
    scales[panel] = { min, max };
  });
  return null;
}

export function Tooltips({ builder, frame, options, timeZone }: any) {
  const render = (_: any, dataIdxs: Array<number | null>, seriesIdx: number | null) => {
    const [time] = frame.fields;
    const items = getFieldDisplayItems(frame.fields, time, dataIdxs, seriesIdx, options.mode, options.sort);
    return (
      <div className="drawn-tooltip">
        <VizTooltipWrapper>
          <VizTooltipHeader item={{ label: '', value: dateTimeFormat(time.values[dataIdxs[0] ?? 0], { timeZone }) }} />
          <VizTooltipContent items={items} />
        </VizTooltipWrapper>
      </div>
    );
  };
  return <TooltipPlugin2 config={builder} hoverMode={(options.mode === 'multi' ? 1 : 0) as any} render={render} />;
}
