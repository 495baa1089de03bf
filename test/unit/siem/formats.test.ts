import { HTTP } from 'cloudevents';
import { encodeRow, rowHash } from '../../../core/audit/row.ts';
import { messageFor, takesAll } from '../../../core/siem/http-formats.ts';
import { signatureHeaders } from '../../../core/siem/sign-webhook.ts';
import { sampleRow } from '../../support/rows.ts';

function readable(changes: Partial<ReturnType<typeof sampleRow>> = {}) {
  const content = { ...sampleRow(), ...changes };
  const bytes = encodeRow(content);
  const { ws: workspaceId, lane, seq, nonce } = content;
  return { stored: { workspaceId, lane, seq, bytes, hash: rowHash(bytes), nonce }, content };
}

const ROW = readable();
const NEXT = readable({
  seq: 6,
  ts: '2026-03-01T09:00:00.007Z',
  action: 'api_key.created',
  result: 'success',
});

const eventOf = ({ content, stored }: typeof ROW) => ({
  id: `ws_1/0-${content.seq}`,
  time: content.ts,
  type: `lockzero.${content.action}`,
  source: '/workspaces/ws_1',
  specversion: '1.0',
  datacontenttype: 'application/json',
  subject: 'secret/sec_1',
  data: {
    id: `0-${content.seq}`,
    createdAt: content.ts,
    actor: { type: 'api_key', id: 'key_1' },
    action: content.action,
    entity: { type: 'secret', id: 'sec_1' },
    result: content.result,
    ipAddress: '203.0.113.7',
    userAgent: 'curl/8.9.1',
    detail: { Zone: 'z', reason: 'role' },
    changes: [{ kind: 'secret', id: 'sec_1', revision: 3, digest: 'd'.repeat(64) }],
    hash: stored.hash,
  },
});

type SiemPreset = 'generic' | 'splunk' | 'datadog' | 'elastic';

const URL = 'https://siem.example.com/in?index=1';
function message(preset: SiemPreset, batchSize = 10, rows = [ROW, NEXT]) {
  const { headers, url, body } = messageFor({ preset, batchSize, url: URL }, rows, '');
  return { contentType: headers['content-type'], url, body };
}

describe('the body for', () => {
  it('a generic receiver, one by one: a structured CloudEvent', () => {
    const { body, ...rest } = message('generic', 1, [ROW]);
    expect(rest).toEqual({ contentType: 'application/cloudevents+json; charset=utf-8', url: URL });
    expect(JSON.parse(body)).toEqual(eventOf(ROW));
  });

  it('a generic receiver in batches: an array of CloudEvents, even of one', () => {
    const { body, ...rest } = message('generic');
    expect(rest).toEqual({ contentType: 'application/cloudevents-batch+json; charset=utf-8', url: URL });
    expect(JSON.parse(body)).toEqual([eventOf(ROW), eventOf(NEXT)]);
    expect(JSON.parse(message('generic', 2, [ROW]).body)).toEqual([eventOf(ROW)]);
  });

  it('a receiver with the library of CloudEvents is read by it', () => {
    const { body, contentType } = message('generic');
    const headers = { 'content-type': contentType };
    expect(JSON.parse(JSON.stringify(HTTP.toEvent({ headers, body })))).toEqual([
      eventOf(ROW),
      eventOf(NEXT),
    ]);
  });

  it('Splunk: an envelope for each, one after the other, times in seconds', () => {
    const { body, ...rest } = message('splunk');
    expect(rest).toEqual({ contentType: 'application/json; charset=utf-8', url: URL });
    expect(body.split('\n').map((line) => JSON.parse(line))).toEqual([
      { event: eventOf(ROW), time: 1_772_355_600, sourcetype: 'lockzero:audit' },
      { event: eventOf(NEXT), time: 1_772_355_600.007, sourcetype: 'lockzero:audit' },
    ]);
  });

  it('Datadog: an array of logs', () => {
    const { body, ...rest } = message('datadog');
    expect(rest).toEqual({ contentType: 'application/json; charset=utf-8', url: URL });
    const common = { ddsource: 'lockzero', service: 'lockzero' };
    expect(JSON.parse(body)).toEqual([
      {
        ...common,
        timestamp: '2026-03-01T09:00:00.000Z',
        message: 'lockzero.secret.revealed secret/sec_1',
        event: eventOf(ROW),
      },
      {
        ...common,
        timestamp: '2026-03-01T09:00:00.007Z',
        message: 'lockzero.api_key.created secret/sec_1',
        event: eventOf(NEXT),
      },
    ]);
  });

  it('Elastic: what to do and the document, each on a line that ends', () => {
    const { body, ...rest } = message('elastic');
    expect(rest).toEqual({
      contentType: 'application/x-ndjson',
      url: 'https://siem.example.com/in?index=1&filter_path=errors%2Citems.*.status',
    });
    expect(body.endsWith('}\n')).toBe(true);
    expect(
      body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { create: { _id: 'ws_1/0-5' } },
      {
        '@timestamp': '2026-03-01T09:00:00.000Z',
        event: { id: 'ws_1/0-5', action: 'lockzero.secret.revealed' },
        cloudevent: eventOf(ROW),
      },
      { create: { _id: 'ws_1/0-6' } },
      {
        '@timestamp': '2026-03-01T09:00:00.007Z',
        event: { id: 'ws_1/0-6', action: 'lockzero.api_key.created' },
        cloudevent: eventOf(NEXT),
      },
    ]);
  });

  it.each(['generic', 'splunk', 'datadog', 'elastic'] as const)(
    '%s takes an id of any text, without breaking a line or an attribute',
    (preset) => {
      const id = 'a\nb\r\u0000\u007f\u2028"\\🔑';
      const { body } = message(preset, 1, [readable({ entity: { type: 'secret', id } })]);
      const event = body.includes('\n') ? (body.split('\n')[1] ?? '') : body;
      const parsed = JSON.stringify(JSON.parse(event));
      expect(parsed).toContain(JSON.stringify(id));
      expect(parsed).toContain(JSON.stringify('secret/a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}\u2028"\\🔑'));
    },
  );
});

describe('an answer of success from Elastic', () => {
  const items = (...statuses: unknown[]) =>
    JSON.stringify({ errors: true, items: statuses.map((status) => ({ create: { status } })) });

  it.each([
    ['without errors', '{"errors":false}', true],
    ['with documents that exist already', items(201, 409, 200), true],
    ['with documents that were too many', items(201, 429), false],
    ['with documents that do not fit', items(400), false],
    ['with documents that say nothing', items(undefined), false],
    ['cut off', items(201, 201).slice(0, -3), false],
    ['of nothing', '', false],
    ['of a proxy', '<html>OK</html>', false],
    ['that is no object', 'null', false],
    ['that names no documents', '{"errors":true}', false],
    ['with something else in place of documents', '{"errors":true,"items":[null,1]}', false],
  ])('%s', (_, answer, expected) => {
    expect(takesAll('elastic', answer)).toBe(expected);
    for (const preset of ['generic', 'splunk', 'datadog'] as const) {
      expect(takesAll(preset, answer)).toBe(true);
    }
  });
});

describe('the signature', () => {
  /** The vector of the Standard Webhooks reference libraries. */
  const VECTOR = {
    key: Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    time: 1_614_265_330_000,
    body: '{"test": 2432232314}',
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };

  it('is that of Standard Webhooks', () => {
    const { key, id, time, body, signature } = VECTOR;
    expect(signatureHeaders([key], id, time + 999, body)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  });

  it('is one for each key, with a space between', () => {
    const { key, id, time, body, signature } = VECTOR;
    const headers = signatureHeaders([Buffer.alloc(32), key], id, time, body);
    expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,/);
    expect(headers['webhook-signature']?.split(' ')[1]).toBe(signature);
  });

  it('is not made for an id that could be read in two ways', () => {
    expect(() => signatureHeaders([VECTOR.key], 'a.b', 0, '')).toThrow(TypeError);
  });
});
