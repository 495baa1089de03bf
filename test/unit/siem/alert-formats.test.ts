import { HTTP } from 'cloudevents';
import { decodeRow, encodeRow, rowHash } from '../../../core/audit/row.ts';
import { readNotice } from '../../../core/siem/alert-notice.ts';
import { headline, letter } from '../../../core/siem/alert-text.ts';
import { messageFor } from '../../../core/siem/http-formats.ts';
import { pagerDutyEvent } from '../../../core/siem/pagerduty-event.ts';
import { slackMessage } from '../../../core/siem/slack-message.ts';
import { sampleRow } from '../../support/rows.ts';

const ALERT = `al_${'0a'.repeat(16)}`;
const HOOK = `wh_${'1b'.repeat(16)}`;

function readable(changes: Partial<ReturnType<typeof sampleRow>> = {}) {
  const content = {
    ...sampleRow(),
    action: 'alert.raised',
    actor: { type: 'system', id: 'guard' },
    entity: { type: 'alert', id: ALERT },
    changes: [],
    result: 'failure',
    detail: {
      kind: 'honeypot_used',
      tier: 'critical',
      subject: 'api_key key_9 from 198.51.100.7',
      seen: 'A honeypot key was shown 3 times.',
      usual: 'Nobody ever shows one.',
      rows: '1-17 1-18',
      count: '3',
      state: 'open',
      country: 'NL',
    },
    ...changes,
  };
  const bytes = encodeRow(content);
  const { ws: workspaceId, lane, seq, nonce } = content;
  return {
    stored: { workspaceId, lane, seq, bytes, hash: rowHash(bytes), nonce },
    content: decodeRow(bytes),
  };
}

const RAISED = readable();
const settled = (state: 'acknowledged' | 'closed') =>
  readable({
    action: `alert.${state}`,
    actor: { type: 'user', id: 'ada' },
    detail: { kind: 'honeypot_used', tier: 'critical', subject: 'api_key key_9', count: '3', state },
  });
const TESTED = readable({ action: 'webhook.tested', entity: { type: 'webhook', id: HOOK }, detail: {} });
const notice = (row = RAISED) => readNotice([row]);
const detailed = (detail: { readonly [key: string]: string }) =>
  readable({ detail: { ...RAISED.content.detail, ...detail } });

describe('a notice', () => {
  it('is of exactly one row, and of one of the feed', () => {
    expect(() => readNotice([])).toThrow(TypeError);
    expect(() => readNotice([RAISED, RAISED])).toThrow(TypeError);
    expect(() => readNotice([readable({ action: 'secret.read' })])).toThrow(TypeError);
  });

  it('without the members that tell what it is about, is critical and named by its id', () => {
    expect(notice(readable({ detail: {} }))).toMatchObject({ tier: 'critical', kind: ALERT, subject: ALERT });
  });

  it('has no lines and no hidden characters, whoever caused the alert', () => {
    const text = letter(
      notice(detailed({ subject: 'x\r\nBcc: eve@example.com\u2028y', seen: 'a\u202eb\nc' })),
    );
    expect(text).toContain('x\u{fffd}Bcc: eve@example.com\u{fffd}y');
    expect(text).toContain('Seen: a\u{fffd}b\u{fffd}c\n');
  });
});

describe('text for people', () => {
  it.each([
    [RAISED, '[critical] honeypot_used: api_key key_9 from 198.51.100.7'],
    [settled('acknowledged'), '[critical, acknowledged] honeypot_used: api_key key_9'],
    [settled('closed'), '[critical, closed] honeypot_used: api_key key_9'],
    [TESTED, `[info] test: webhook ${HOOK}`],
  ])('begins with what it is', (row, line) => {
    expect(headline(notice(row))).toBe(line);
    expect(letter(notice(row)).split('\n')[0]).toBe(line);
  });

  it('says all that somebody needs who was just woken up', () => {
    expect(letter(notice())).toBe(`[critical] honeypot_used: api_key key_9 from 198.51.100.7

Seen: A honeypot key was shown 3 times.
Usual: Nobody ever shows one.
Count: 3
Country: NL
Rows: 1-17 1-18
State: open
Raised at: 2026-03-01T09:00:00.000Z
Raised by: system guard
Workspace: ws_1
Event: 0-5
Alert: ${ALERT}

To say that you are on it: POST /alerts/${ALERT}/acknowledge
When it is dealt with: POST /alerts/${ALERT}/close
All that is known of it: GET /alerts/${ALERT}; its events: GET /audit
`);
  });

  it('says what is left to do of one that was acknowledged, and nothing of one that is closed', () => {
    expect(letter(notice(settled('acknowledged')))).toMatch(
      new RegExp(`Acknowledged by: user ada\n[^]*\n\nWhen it is dealt with: POST /alerts/${ALERT}/close\n$`),
    );
    expect(letter(notice(settled('closed')))).not.toContain('POST');
  });

  it('of a test says that it is one, and asks for nothing', () => {
    const text = letter(notice(TESTED));
    expect(text).toContain('Nothing is wrong');
    expect(text).not.toMatch(/POST|Alert:/);
  });
});

describe('a message to Slack', () => {
  it('is text with three characters written as entities, which nothing is made of', () => {
    const { text, ...options } = JSON.parse(
      slackMessage(notice(detailed({ subject: 'Hello & <world> <!channel> *x* &amp;' }))),
    );
    expect(options).toEqual({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
    expect(text.split('\n').slice(0, 3)).toEqual([
      '[critical] honeypot_used: Hello &amp; &lt;world&gt; &lt;!channel&gt; *x* &amp;amp;',
      'Seen: A honeypot key was shown 3 times.',
      'Usual: Nobody ever shows one.',
    ]);
  });

  it('goes to the path that only the receiver knows', () => {
    const webhook = { preset: 'slack', batchSize: 1, url: 'https://hooks.slack.com/' } as const;
    expect(messageFor(webhook, [RAISED], '/services/T0/B0/x?a=b')).toEqual({
      url: 'https://hooks.slack.com/services/T0/B0/x?a=b',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: slackMessage(notice()),
    });
  });
});

describe('an event for PagerDuty', () => {
  const KEY = 'R'.repeat(32);
  const event = (row = RAISED) => JSON.parse(pagerDutyEvent(notice(row), KEY));

  it('triggers an incident that the alert names', () => {
    expect(event()).toEqual({
      routing_key: KEY,
      event_action: 'trigger',
      dedup_key: ALERT,
      payload: {
        summary: '[critical] honeypot_used: api_key key_9 from 198.51.100.7',
        source: 'lockzero',
        severity: 'critical',
        timestamp: '2026-03-01T09:00:00.000Z',
        component: 'system guard',
        group: 'ws_1',
        class: 'honeypot_used',
        custom_details: {
          subject: 'api_key key_9 from 198.51.100.7',
          seen: 'A honeypot key was shown 3 times.',
          usual: 'Nobody ever shows one.',
          rows: '1-17 1-18',
          count: '3',
          state: 'open',
          country: 'NL',
          alert: ALERT,
          event: '0-5',
        },
      },
    });
  });

  it.each([
    ['acknowledged', 'acknowledge'],
    ['closed', 'resolve'],
  ] as const)('of an alert that was %s says %s of the same incident, and no more', (state, action) => {
    expect(event(settled(state))).toEqual({ routing_key: KEY, event_action: action, dedup_key: ALERT });
  });

  it('of a test is an incident of its own, of the least severity', () => {
    expect(event(TESTED)).toMatchObject({
      event_action: 'trigger',
      dedup_key: HOOK,
      payload: { summary: `[info] test: webhook ${HOOK}`, severity: 'info', class: 'test' },
    });
  });

  it('has at most 1,024 characters of summary, and no half of one', () => {
    const { payload } = event(detailed({ kind: 'k'.repeat(512), subject: `${'x'}${'🔑'.repeat(255)}` }));
    expect(payload.summary).toHaveLength(1_024);
    expect(payload.summary.isWellFormed()).toBe(true);
    expect(payload.summary.endsWith('🔑\u{fffd}') || payload.summary.endsWith('🔑')).toBe(true);
  });

  it('shows the key in its body and in no header', () => {
    const webhook = {
      preset: 'pagerduty',
      batchSize: 1,
      url: 'https://events.pagerduty.com/v2/enqueue',
    } as const;
    const { headers, body, url } = messageFor(webhook, [RAISED], KEY);
    expect([headers, url]).toEqual([{ 'content-type': 'application/json; charset=utf-8' }, webhook.url]);
    expect(JSON.parse(body)).toEqual(event());
  });
});

it('a generic receiver gets an alert as a CloudEvent, by the form of which others read it', () => {
  const webhook = { preset: 'generic', batchSize: 1, url: 'https://n8n.example.com/webhook/x' } as const;
  const { headers, body } = messageFor(webhook, [RAISED], '');
  expect(JSON.parse(JSON.stringify(HTTP.toEvent({ headers, body })))).toMatchObject({
    type: 'lockzero.alert.raised',
    subject: `alert/${ALERT}`,
    data: { detail: RAISED.content.detail },
  });
});
