// SPDX-License-Identifier: Apache-2.0
// What the page is to draw: its address says it.

const parameters = new URLSearchParams(location.search);

export const asked = {
  parameters,
  /** The name of the dashboard's file. */
  dashboard: parameters.get('dashboard') ?? '',
  prometheus: parameters.get('prometheus') ?? '',
  /** What the data source would have for its scrape interval. */
  scrapeInterval: parameters.get('scrape') ?? '15s',
  from: parameters.get('from'),
  to: parameters.get('to'),
  /** Whether collapsed rows are shown open. */
  open: parameters.get('rows') === 'open',
};

/** What has gone wrong while the page was drawn. */
export const problems: string[] = [];
