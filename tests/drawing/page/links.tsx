// SPDX-License-Identifier: Apache-2.0
// Links of panels and of the dashboard. Grafana has these in its core; they are drawn simply, and every address is noted.
import { Icon, PanelChrome } from '@grafana/ui';

/** What stands beside a panel's title. */
export function panelLinks(links: any[]) {
  if (!links.length) return undefined;
  return (
    <PanelChrome.TitleItem title={links.map((link) => link.title).join(', ')} href={links[0].url}>
      <Icon name="external-link-alt" size="md" />
    </PanelChrome.TitleItem>
  );
}

export function DashboardLinks({ links, color }: { links: any[]; color: string }) {
  return <>{links.map((link) => <span key={link.title} style={{ color, marginRight: 12 }}><Icon name="external-link-alt" size="sm" /> {link.title}</span>)}</>;
}
