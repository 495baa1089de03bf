import { type Webhook, webhookKind } from '../../../core/siem/webhook.ts';
import { openCredential } from '../../../core/siem/webhook-secrets.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import type { World } from '../../support/world.ts';

type Answer = ApiResponse & { readonly body: Record<string, unknown> };

const PATH = '/workspace/webhooks';
const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:alerts';
const SLACK = 'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';
const SLACK_PATH = '/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX';
const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue';
const ROUTING_KEY = 'R'.repeat(32);

let world: World & { readonly vault: MemoryVault };
beforeEach(async () => {
  world = await apiWorld();
  world.vault.receivers = { allowPrivate: false, sendsMail: true, topicArns: [TOPIC] };
});

async function call(method: string, path: string, json?: unknown): Promise<Answer> {
  const request = { method, path, token: world.ownerToken, ...(json === undefined ? {} : { json }) };
  const answer = await callApi(world.vault, request);
  return { ...answer, body: (answer.json ?? {}) as Record<string, unknown> };
}

const create = (input: object) => call('POST', PATH, { name: 'on call', ...input });
const made = async (input: object): Promise<string> => {
  const { status, body } = await create(input);
  expect(status).toBe(201);
  return String(body['id']);
};
const patch = (id: string, json: object) => call('PATCH', `${PATH}/${id}`, json);
const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);
const faultOf = ({ text = '' }: Answer) =>
  (JSON.parse(text) as { errors: { path: string; reason: string }[] }).errors[0];

async function find(id: string): Promise<Webhook> {
  const webhook = await world.vault.store.get(webhookKind, world.workspaceId, id);
  if (webhook === undefined) throw new Error(`There is no webhook ${id}.`);
  return webhook;
}

async function credentialOf(id: string): Promise<string> {
  const webhook = await find(id);
  return openCredential(world.vault.derivedKeys, webhook, webhook.credential ?? '');
}

describe('making a webhook of alerts', () => {
  it.each([
    ['generic', { feed: 'alerts', url: 'https://n8n.example.com/webhook/x' }, 'n8n.example.com', false],
    ['slack', { url: SLACK }, 'hooks.slack.com', true],
    ['pagerduty', { url: PAGERDUTY, credential: ROUTING_KEY }, 'events.pagerduty.com', true],
    ['email', { url: 'mailto:oncall@example.com' }, 'example.com', false],
    ['sns', { url: TOPIC }, TOPIC, false],
  ])('with the preset %s', async (preset, input, host, hasCredential) => {
    const { status, body } = await create({ preset, ...input });
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({ preset, feed: 'alerts', minTier: 'warning', batchSize: 1, hasCredential }),
    ]);
    expect(lastRow()).toMatchObject({
      action: 'webhook.created',
      detail: { host, preset, feed: 'alerts' },
    });
    const { body: shown } = await call('GET', `${PATH}/${body['id']}`);
    expect(shown).toEqual({ ...body, secret: undefined });
  });

  it('takes its least tier', async () => {
    const input = { feed: 'alerts', url: 'https://n8n.example.com/', minTier: 'info', batchSize: 1 };
    expect((await create(input)).body).toMatchObject({ minTier: 'info' });
  });

  it.each([
    [
      'a SIEM',
      { preset: 'splunk', feed: 'alerts', url: 'https://s.example.com/', credential: 'x' },
      'preset',
    ],
    ['Slack for audit events', { preset: 'slack', feed: 'audit', url: SLACK }, 'preset'],
    ['several at once', { feed: 'alerts', url: 'https://n8n.example.com/', batchSize: 2 }, 'batchSize'],
    ['a tier that is none', { feed: 'alerts', url: 'https://n8n.example.com/', minTier: 'error' }, 'minTier'],
    ['a tier for audit events', { url: 'https://n8n.example.com/', minTier: 'info' }, 'minTier'],
    ['a feed that is none', { feed: 'findings', url: 'https://n8n.example.com/' }, 'feed'],
    ['Slack without its path', { preset: 'slack', url: 'https://hooks.slack.com' }, 'url'],
    ['Slack with a path beside the URL', { preset: 'slack', url: SLACK, credential: '/a' }, 'credential'],
    ['Slack at an address', { preset: 'slack', url: 'https://10.0.0.1/hooks/x' }, 'url'],
    ['Slack with a fragment', { preset: 'slack', url: `${SLACK}#x` }, 'url'],
    ['PagerDuty without a key', { preset: 'pagerduty', url: PAGERDUTY }, 'credential'],
    [
      'mail with a credential',
      { preset: 'email', url: 'mailto:a@example.com', credential: 'x' },
      'credential',
    ],
    ['a topic with a credential', { preset: 'sns', url: TOPIC, credential: 'x' }, 'credential'],
    ['a topic of somebody else', { preset: 'sns', url: `${TOPIC}2` }, 'url'],
  ])('is refused for %s', async (_, input, path) => {
    const answer = await create(input);
    expect([answer.status, faultOf(answer)?.path]).toEqual([400, path]);
  });

  it.each([
    'https://events.pagerduty.com.example.net/v2/enqueue',
    'https://events.pagerduty.com/v2/change/enqueue',
    'https://events.pagerduty.com/v2/enqueue?x=1',
    'https://events.pagerduty.com:8443/v2/enqueue',
    'http://events.pagerduty.com/v2/enqueue',
  ])('shows a routing key to nobody but PagerDuty: %s', async (url) => {
    const answer = await create({ preset: 'pagerduty', url, credential: ROUTING_KEY });
    expect([answer.status, faultOf(answer)?.path]).toEqual([400, 'url']);
  });

  it('knows where PagerDuty is in the EU, and says so', async () => {
    const credential = ROUTING_KEY;
    const eu = 'https://events.eu.pagerduty.com/v2/enqueue';
    expect((await create({ preset: 'pagerduty', url: eu, credential })).status).toBe(201);
    const refused = await create({ preset: 'pagerduty', url: 'https://example.com/', credential });
    expect(faultOf(refused)?.reason).toBe(`must be ${PAGERDUTY}, or ${eu} for an account in the EU`);
  });

  it.each([
    'oncall@example.com',
    'mailto:',
    'mailto:oncall',
    'mailto:a@example.com,b@example.com',
    'mailto:a@example.com?bcc=b@example.com',
    'mailto:a@example.com\r\nBcc: b@example.com',
    'mailto:a%0d%0a@example.com',
    'mailto:"a b"@example.com',
    'mailto:Ada <a@example.com>',
    ` mailto:a@example.com`,
    'mailto:a@example.com\n',
    'mailto://a@example.com',
    `mailto:${'a'.repeat(243)}@example.com`,
  ])('sends mail to one address alone: %j is refused', async (url) => {
    const answer = await create({ preset: 'email', url });
    expect([answer.status, faultOf(answer)?.path]).toEqual([400, 'url']);
  });

  it('needs a vault that can reach it, and says who may change that', async () => {
    world.vault.receivers = { allowPrivate: false, sendsMail: false, topicArns: [] };
    for (const [preset, url] of [
      ['email', 'mailto:oncall@example.com'],
      ['sns', TOPIC],
    ]) {
      const answer = await create({ preset, url });
      expect(answer.status).toBe(400);
      expect(faultOf(answer)).toMatchObject({
        path: 'preset',
        reason: expect.stringContaining('its operator sets'),
      });
    }
  });
});

describe('the URL of an incoming webhook of Slack', () => {
  it('is shown and written down without the path, which is kept as a credential is', async () => {
    const { body } = await create({ preset: 'slack', url: SLACK });
    const id = String(body['id']);
    expect(body).toMatchObject({ url: 'https://hooks.slack.com/', hasCredential: true });
    expect(await credentialOf(id)).toBe(SLACK_PATH);
    const kept = JSON.stringify([
      [...world.vault.tables.entities.values()],
      [...world.vault.tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString()),
    ]);
    expect(kept).not.toContain(SLACK_PATH);
  });

  it('is replaced as a whole, and stays with its origin', async () => {
    const id = await made({ preset: 'slack', url: SLACK });
    const other = 'https://chat.example.com:8443/hooks/abc?x=1';
    expect((await patch(id, { url: other })).body).toMatchObject({ url: 'https://chat.example.com:8443/' });
    expect(await credentialOf(id)).toBe('/hooks/abc?x=1');
    expect(lastRow()).toMatchObject({ detail: { fields: 'url', host: 'chat.example.com:8443' } });
    expect((await patch(id, { name: 'renamed' })).status).toBe(200);
    expect(await credentialOf(id)).toBe('/hooks/abc?x=1');
    const elsewhere = await patch(id, { url: 'https://thief.example.net/' });
    expect([elsewhere.status, faultOf(elsewhere)?.path]).toEqual([400, 'credential']);
    expect(faultOf(await patch(id, { credential: null }))?.path).toBe('url');
    expect(faultOf(await patch(id, { credential: '/hooks/x' }))?.path).toBe('credential');
  });

  it('is none for another preset: its path is shown to nobody in a header', async () => {
    const id = await made({ preset: 'slack', url: SLACK });
    expect(faultOf(await patch(id, { preset: 'generic' }))?.path).toBe('credential');
    expect((await patch(id, { preset: 'generic', credential: null })).body).toMatchObject({
      hasCredential: false,
    });
  });
});

describe('changing a webhook of alerts', () => {
  it('changes its least tier and preset, and leaves its feed', async () => {
    const id = await made({ preset: 'email', url: 'mailto:oncall@example.com' });
    expect((await patch(id, { minTier: 'critical' })).body).toMatchObject({ minTier: 'critical' });
    const answer = await patch(id, { preset: 'sns', url: TOPIC });
    expect(answer.body).toMatchObject({ feed: 'alerts', minTier: 'critical', preset: 'sns', url: TOPIC });
    expect(faultOf(await patch(id, { feed: 'audit' }))?.path).toBe('feed');
    expect(faultOf(await patch(id, { batchSize: 2 }))?.path).toBe('batchSize');
    expect(faultOf(await patch(id, { preset: 'datadog', url: PAGERDUTY, credential: 'x' }))?.path).toBe(
      'preset',
    );
  });

  it('of audit events takes no least tier, and no preset of alerts', async () => {
    const id = await made({ url: 'https://siem.example.com/' });
    expect(faultOf(await patch(id, { minTier: 'info' }))?.path).toBe('minTier');
    expect(faultOf(await patch(id, { preset: 'slack', url: SLACK }))?.path).toBe('preset');
    expect(await find(id)).not.toHaveProperty('feed');
  });

  it('leaves it alone where it leads, though the vault no longer gets there', async () => {
    const id = await made({ preset: 'sns', url: TOPIC });
    world.vault.receivers = { allowPrivate: false, sendsMail: false, topicArns: [] };
    expect((await patch(id, { state: 'paused' })).body).toMatchObject({ state: 'paused', url: TOPIC });
    expect(faultOf(await patch(id, { url: TOPIC }))?.path).toBe('preset');
  });
});

describe('testing a webhook', () => {
  it('writes its event, says which, and changes nothing', async () => {
    const id = await made({ preset: 'email', url: 'mailto:oncall@example.com' });
    const before = await find(id);
    const { status, body } = await call('POST', `${PATH}/${id}/test`);
    const row = lastRow();
    expect([status, body]).toEqual([202, { eventId: `${row?.lane}-${row?.seq}` }]);
    expect(row).toMatchObject({
      action: 'webhook.tested',
      entity: { type: 'webhook', id },
      result: 'success',
      changes: [],
    });
    expect(await find(id)).toEqual(before);
  });

  it('is done five times a minute in a workspace, since anybody may be at the other end', async () => {
    const ids = [
      await made({ preset: 'email', url: 'mailto:oncall@example.com' }),
      await made({ preset: 'email', url: 'mailto:somebody@example.net' }),
    ];
    const answers: Answer[] = [];
    for (let count = 0; count < 6; count += 1)
      answers.push(await call('POST', `${PATH}/${ids[count % 2]}/test`));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429]);
    expect(answers[5] && problemCode(answers[5])).toBe('rate_limited');
    expect(Number(answers[5]?.headers?.['Retry-After'])).toBeGreaterThan(0);
    const tests = rowsOf(world.vault, world.workspaceId).filter(
      ({ action, result }) => action === 'webhook.tested' && result === 'success',
    );
    expect(tests).toHaveLength(5);
    world.vault.clock.advance(60_000);
    expect((await call('POST', `${PATH}/${ids[0]}/test`)).status).toBe(202);
  });

  it('shows what was given up, and where to begin again', async () => {
    const id = await made({ preset: 'email', url: 'mailto:oncall@example.com' });
    const webhook = await find(id);
    const at = world.vault.clock.now();
    await world.vault.deliveries.replace(webhook, 0, {
      start: webhook.start.number,
      next: {},
      failing: {
        since: at,
        attempts: 4,
        nextAttemptAt: at,
        reason: 'status_400',
        refusals: 1,
        givenUp: '0-9',
      },
    });
    const delivery = { at, accepted: false, status: 400, events: 1, durationMs: 1, givenUp: true } as const;
    await world.vault.deliveries.record(webhook, { ...delivery, firstEventId: '0-9', lastEventId: '0-9' });
    const { body } = await call('GET', `${PATH}/${id}`);
    const time = new Date(at).toISOString();
    expect(body['failing']).toEqual({
      since: time,
      attempts: 4,
      nextAttemptAt: time,
      reason: 'status_400',
      givenUp: '0-9',
    });
    const { body: page } = await call('GET', `${PATH}/${id}/deliveries`);
    expect(page['items']).toMatchObject([{ firstEventId: '0-9', givenUp: true }]);
  });

  it('needs one that is there', async () => {
    expect(problemCode(await call('POST', `${PATH}/wh_${'0'.repeat(32)}/test`))).toBe('not_found');
    expect(problemCode(await call('POST', `${PATH}/x/test`))).toBe('not_found');
  });
});
