import { type Alert, MAX_ALERT_ROWS } from '../detection/alert.ts';

const MAX_SUBJECT_LENGTH = 300;
const MAX_SENTENCE_LENGTH = 500;
/** With the eight members that every alert has, these fit the 16 of an audit event's detail. */
const MAX_DETAILS = 7;
/** Of one member of an audit event's detail. */
export const MAX_DETAIL_LENGTH = 512;

/** An alert within its bounds, whatever it was raised with: one that is too long must not be lost for that. */
export function boundedAlert(alert: Alert): Alert {
  const { seen, usual, rows = [], detail } = alert;
  const details = Object.entries(detail).slice(0, MAX_DETAILS);
  return {
    ...alert,
    subject: clip(alert.subject, MAX_SUBJECT_LENGTH),
    ...(seen === undefined ? {} : { seen: clip(seen, MAX_SENTENCE_LENGTH) }),
    ...(usual === undefined ? {} : { usual: clip(usual, MAX_SENTENCE_LENGTH) }),
    rows: rows.slice(0, MAX_ALERT_ROWS),
    detail: Object.fromEntries(details.map(([name, value]) => [name, clip(value, MAX_DETAIL_LENGTH)])),
  };
}

/** Well-formed text of at most `maximum` UTF-16 code units, cut between code points; an ellipsis stands for the rest. */
export function clip(text: string, maximum: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= maximum) return whole;
  const kept = whole.slice(0, maximum - 1);
  return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}…`;
}
