import { HTTP } from 'cloudevents';
import type { ReadableRow } from '../audit/merged-rows.ts';
import { readNotice } from './alert-notice.ts';
import { type AuditCloudEvent, cloudEventOf } from './cloud-event.ts';
import { pagerDutyEvent } from './pagerduty-event.ts';
import { slackMessage } from './slack-message.ts';
import type { Preset, Webhook } from './webhook.ts';

/** The presets of receivers that take a POST. */
export type HttpPreset = Exclude<Preset, 'email' | 'sns'>;

/** The body of a request, and what its headers say of it. */
interface Message {
  readonly contentType: string;
  readonly body: string;
}

/** How a kind of receiver wants its events. */
interface Format {
  readonly message: (rows: readonly ReadableRow[], webhook: MessageOptions) => Message;
  /** The header that shows the credential, where a header does. */
  readonly credential?: (credential: string) => { readonly [header: string]: string };
  /** For intakes that answer with success and yet refuse: whether this answer takes all events. */
  readonly takesAll?: (answer: string) => boolean;
  /** The URL to send to, where it is not the one that was given. */
  readonly url?: (url: string, credential: string) => string;
}

interface MessageOptions {
  readonly batchSize: number;
  /** Empty where there is none. */
  readonly credential: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

const FORMATS: Record<HttpPreset, Format> = {
  /** CloudEvents HTTP protocol binding 1.0.2, structured or batched content mode. */
  generic: {
    message: (rows, { batchSize }) =>
      batchSize === 1 ? structured(rows.map(cloudEventOf)) : batched(rows.map(cloudEventOf)),
    credential: (credential) => ({ authorization: `Bearer ${credential}` }),
  },
  /** Splunk HTTP Event Collector, `/services/collector/event`: events one after the other. */
  splunk: {
    message: (rows) => ({
      contentType: JSON_TYPE,
      body: rows
        .map(cloudEventOf)
        .map((event) => ({ event, time: Date.parse(timeOf(event)) / 1000, sourcetype: 'lockzero:audit' }))
        .map((entry) => JSON.stringify(entry))
        .join('\n'),
    }),
    credential: (credential) => ({ authorization: `Splunk ${credential}` }),
  },
  /** Datadog logs intake, `/api/v2/logs`. */
  datadog: {
    message: (rows) => ({
      contentType: JSON_TYPE,
      body: JSON.stringify(
        rows.map(cloudEventOf).map((event) => ({
          ddsource: 'lockzero',
          service: 'lockzero',
          timestamp: timeOf(event),
          message: `${event.type} ${event.subject}`,
          event,
        })),
      ),
    }),
    credential: (credential) => ({ 'dd-api-key': credential }),
  },
  /** Elasticsearch `/<index or data stream>/_bulk`: an event that comes again is refused as a document that exists. */
  elastic: {
    message: (rows) => ({
      contentType: 'application/x-ndjson',
      body: rows
        .map(cloudEventOf)
        .flatMap((event) => [
          { create: { _id: event.id } },
          { '@timestamp': timeOf(event), event: { id: event.id, action: event.type }, cloudevent: event },
        ])
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    }),
    credential: (credential) => ({ authorization: `ApiKey ${credential}` }),
    takesAll: bulkTakesAll,
    url: (url) => withQuery(url, 'filter_path', 'errors,items.*.status'),
  },
  /** Slack incoming webhooks, and what takes the same: who knows the path may post, so the path is the credential. */
  slack: {
    message: (rows) => ({ contentType: JSON_TYPE, body: slackMessage(readNotice(rows)) }),
    url: (url, path) => `${new URL(url).origin}${path}`,
  },
  /** PagerDuty Events API v2, `/v2/enqueue`. */
  pagerduty: {
    message: (rows, { credential }) => ({
      contentType: JSON_TYPE,
      body: pagerDutyEvent(readNotice(rows), credential),
    }),
  },
};

/**
 * What to send to a webhook for some rows, and where; the headers of its signature come on top.
 *
 * @param credential as the receiver knows it; empty where there is none.
 */
export function messageFor(
  { preset, batchSize, url }: Pick<Webhook, 'batchSize' | 'url'> & { readonly preset: HttpPreset },
  rows: readonly ReadableRow[],
  credential: string,
) {
  const format = FORMATS[preset];
  const { contentType, body } = format.message(rows, { batchSize, credential });
  const shown = credential === '' ? {} : (format.credential?.(credential) ?? {});
  return {
    url: format.url?.(url, credential) ?? url,
    headers: { 'content-type': contentType, ...shown },
    body,
  };
}

/** Whether an answer of 2xx means that all events were taken. */
export function takesAll(preset: HttpPreset, answer: string): boolean {
  return FORMATS[preset].takesAll?.(answer) ?? true;
}

function structured([event]: readonly AuditCloudEvent[]): Message {
  if (event === undefined) throw new TypeError('A message has at least one event.');
  const { headers, body } = HTTP.structured(event);
  return { contentType: String(headers['content-type']), body: String(body) };
}

/** The library writes no batches; one is a JSON array of what it writes (CloudEvents JSON format 1.0.2, section 4). */
function batched(events: readonly AuditCloudEvent[]): Message {
  return {
    contentType: 'application/cloudevents-batch+json; charset=utf-8',
    body: `[${events.map(String).join(',')}]`,
  };
}

function timeOf({ time }: AuditCloudEvent): string {
  return time ?? '';
}

const CONFLICT = 409;

/**
 * A bulk request is answered with 200 whatever became of its documents. One that exists already, 409, was taken before.
 * An answer that is something else, or was cut off, takes nothing.
 */
function bulkTakesAll(answer: string): boolean {
  const { errors, items } = parsedObject(answer);
  if (errors === false) return true;
  if (!Array.isArray(items)) return false;
  return items.every((item: unknown) => {
    const { status } = Object(Object(item).create) as { readonly status?: unknown };
    return typeof status === 'number' && ((status >= 200 && status < 300) || status === CONFLICT);
  });
}

function parsedObject(text: string): { readonly errors?: unknown; readonly items?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

function withQuery(text: string, name: string, value: string): string {
  const url = new URL(text);
  url.searchParams.set(name, value);
  return url.href;
}
