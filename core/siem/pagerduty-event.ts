import type { AlertNews, AlertNotice } from './alert-notice.ts';
import { cut, headline } from './alert-text.ts';

const EVENT_ACTIONS: Record<AlertNews, 'trigger' | 'acknowledge' | 'resolve'> = {
  raised: 'trigger',
  acknowledged: 'acknowledge',
  closed: 'resolve',
  tested: 'trigger',
};
const MAX_SUMMARY_LENGTH = 1_024;

/**
 * An alert as an event of PagerDuty (Events API v2, "Send an Alert Event"). The alert's id joins what becomes of it to
 * one incident there; a test is an incident of its own, which people resolve there. Tiers are severities of theirs.
 *
 * @param routingKey the integration key of the service.
 */
export function pagerDutyEvent(notice: AlertNotice, routingKey: string): string {
  const event = {
    routing_key: routingKey,
    event_action: EVENT_ACTIONS[notice.news],
    dedup_key: notice.id,
  };
  return JSON.stringify(event.event_action === 'trigger' ? { ...event, payload: payloadOf(notice) } : event);
}

function payloadOf(notice: AlertNotice) {
  const { tier, kind, subject, seen, usual, facts, by, at, workspaceId, id, event } = notice;
  return {
    summary: cut(headline(notice), MAX_SUMMARY_LENGTH),
    source: 'lockzero',
    severity: tier,
    timestamp: at,
    component: by,
    group: workspaceId,
    class: kind,
    custom_details: { subject, seen, usual, ...facts, alert: id, event },
  };
}
