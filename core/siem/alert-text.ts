import type { AlertNews, AlertNotice } from './alert-notice.ts';

const MARKS: Record<AlertNews, string> = {
  raised: '',
  acknowledged: ', acknowledged',
  closed: ', closed',
  tested: '',
};

/** An alert on one line, such as `[critical] honeypot_used: api_key key_1`. */
export function headline({ news, tier, kind, subject }: AlertNotice): string {
  return `[${tier}${MARKS[news]}] ${kind}: ${subject}`;
}

/** What there is to know of an alert, a line for each thing; no links, and nothing that is only in a headline. */
export function factLines(notice: AlertNotice): readonly string[] {
  const { news, seen, usual, facts, by, at, workspaceId, id, event } = notice;
  const given = {
    seen,
    usual,
    ...facts,
    [`${news} at`]: at,
    [`${news} by`]: by,
    workspace: workspaceId,
    event,
    ...(news === 'tested' ? {} : { alert: id }),
  };
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name[0]?.toUpperCase()}${name.slice(1)}: ${value}`],
  );
}

/** All of an alert in plain text, for somebody who was just woken up. */
export function letter(notice: AlertNotice): string {
  return `${[headline(notice), '', ...factLines(notice), ...nextSteps(notice)].join('\n')}\n`;
}

function nextSteps({ news, id }: AlertNotice): readonly string[] {
  if (news === 'tested' || news === 'closed') return [];
  const close = `When it is dealt with: POST /alerts/${id}/close`;
  if (news === 'acknowledged') return ['', close];
  return [
    '',
    `To say that you are on it: POST /alerts/${id}/acknowledge`,
    close,
    `All that is known of it: GET /alerts/${id}; its events: GET /audit`,
  ];
}

/** The beginning of a text, of at most so many UTF-16 code units, without half a character at its end. */
export function cut(text: string, maximum: number): string {
  return text.slice(0, maximum).toWellFormed();
}
