import type { AlertNotice } from './alert-notice.ts';
import { factLines, headline } from './alert-text.ts';

/**
 * An alert for an incoming webhook of Slack, or of what takes the same: the field `text`, in which three characters
 * begin Slack's own marks and are written as entities ("Formatting text for app surfaces"). No marks of emphasis and no
 * links under other words are made of what is in it, and Slack fetches no address that somebody put there. A whole
 * address can be clicked all the same, which no field of an incoming webhook prevents.
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
