import { VaultError } from '../kernel/errors.ts';
import { readNotice } from './alert-notice.ts';
import { cut, headline, letter } from './alert-text.ts';
import { cloudEventOf } from './cloud-event.ts';
import type { DeliveryFailure } from './delivery-log.ts';
import { type HttpPreset, messageFor, takesAll } from './http-formats.ts';
import type { SendOutcome } from './sender.ts';
import type { Transport, Verdict } from './transport.ts';
import type { Preset } from './webhook.ts';

/** A signed POST to the webhook's URL. */
const byPost =
  (preset: HttpPreset): Transport =>
  async ({ sender }, { webhook: { url, batchSize }, rows, credential, sign }) => {
    const { headers, ...request } = messageFor({ preset, url, batchSize }, rows, credential);
    const signed = { ...headers, ...(await sign(request.body)) };
    return judge(preset, await sender.post({ ...request, headers: signed }));
  };

/** Mail servers take longer subjects, but nobody reads them. */
const MAX_SUBJECT_LENGTH = 200;

const byMail: Transport = ({ mail }, { webhook: { url }, rows }) => {
  const notice = readNotice(rows);
  const subject = cut(headline(notice), MAX_SUBJECT_LENGTH);
  const to = url.slice('mailto:'.length);
  return takenOr('mail_refused', mail.send({ to, subject, text: letter(notice) }));
};

const byTopic: Transport = ({ topics }, { webhook: { url: topicArn }, rows }) => {
  const notice = readNotice(rows);
  const { tier, kind, news, workspaceId, event } = notice;
  const message = {
    topicArn,
    id: `${workspaceId}/${event}`,
    group: workspaceId,
    subject: headline(notice),
    event: rows.map((row) => String(cloudEventOf(row))).join(''),
    text: letter(notice),
    attributes: { tier, kind, news },
  };
  return takenOr('topic_refused', topics.publish(message));
};

export const TRANSPORTS: Record<Preset, Transport> = {
  generic: byPost('generic'),
  splunk: byPost('splunk'),
  datadog: byPost('datadog'),
  elastic: byPost('elastic'),
  slack: byPost('slack'),
  pagerduty: byPost('pagerduty'),
  email: byMail,
  sns: byTopic,
};

function judge(preset: HttpPreset, outcome: SendOutcome): Verdict {
  if (outcome.status === 'failed') return { accepted: false, error: outcome.reason };
  const { code: status, body, retryAfter } = outcome;
  if (status < 200 || status > 299) {
    return { accepted: false, status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
  return takesAll(preset, body)
    ? { accepted: true, status }
    : { accepted: false, status, error: 'not_accepted' };
}

/** A service that does not take something now may do so later, as a receiver may. Anything else is a fault of ours. */
async function takenOr(error: DeliveryFailure, work: Promise<void>): Promise<Verdict> {
  try {
    await work;
    return { accepted: true };
  } catch (thrown) {
    if (thrown instanceof VaultError && thrown.code === 'unavailable') return { accepted: false, error };
    throw thrown;
  }
}
