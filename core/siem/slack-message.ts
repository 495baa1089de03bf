import type { AlertNotice } from './alert-notice.ts';
import { factLines, headline } from './alert-text.ts';

/**
 * An alert for an incoming webhook of Slack, or of what takes the same: the field `text`, in which three characters
 * begin Slack's own marks and are written as entities ("Formatting text for app surfaces"). Neither marks of emphasis
 * nor links are made of what is in it, and Slack fetches no address that somebody put there.
 */
export function slackMessage(notice: AlertNotice): string {
  const text = [headline(notice), ...factLines(notice)].join('\n');
  return JSON.stringify({
    text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
  });
}
