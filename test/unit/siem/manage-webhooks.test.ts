import { createHash } from 'node:crypto';
import { deliverWebhook } from '../../../core/siem/deliver-webhook.ts';
import { PassedOver } from '../../../core/siem/passed-over.ts';
import { type Webhook, webhookKind } from '../../../core/siem/webhook.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addKey, addWorkspace, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { eventIds, MemoryTopics, TestReceiver } from '../../support/siem-world.ts';
import { freshName, type World } from '../../support/world.ts';

type Answer = ApiResponse & { readonly body: Record<string, unknown> };

let world: World & { readonly vault: MemoryVault };
let receiver: TestReceiver;
beforeEach(async () => {
  world = await apiWorld();
  receiver = new TestReceiver();
});

const PATH = '/workspace/webhooks';
const INPUT = { name: 'SIEM', url: 'https://siem.example.com/events' };

async function call(
  method: string,
  path: string,
  json?: unknown,
  rest: { readonly headers?: { readonly [name: string]: string }; readonly token?: string } & {
    readonly query?: { readonly [name: string]: string };
  } = {},
): Promise<Answer> {
  const request = { method, path, token: world.ownerToken, ...rest };
  const answer = await callApi(world.vault, { ...request, ...(json === undefined ? {} : { json }) });
  return { ...answer, body: (answer.json ?? {}) as Record<string, unknown> };
}

const create = (input: object = {}, headers: { readonly [name: string]: string } = {}) =>
  call('POST', PATH, { ...INPUT, ...input }, { headers });
const made = async (input: object = {}): Promise<string> => String((await create(input)).body['id']);
const find = async (id: string): Promise<Webhook> => {
  const webhook = await world.vault.store.get(webhookKind, world.workspaceId, id);
  if (webhook === undefined) throw new Error(`There is no webhook ${id}.`);
  return webhook;
};

/** One run of the deliverer for a webhook. */
async function deliver(id: string): Promise<number> {
  const parts = {
    ...world.vault,
    sender: receiver,
    topics: new MemoryTopics(),
    passedOver: new PassedOver(),
    alerts: { raise: async () => undefined },
  };
  return deliverWebhook(parts, await find(id), world.vault.clock.now() + 45_000);
}

const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);
const errorsOf = ({ text = '' }: Answer) => (JSON.parse(text) as { errors: { path: string }[] }).errors;

describe('making a webhook', () => {
  it('answers with the secret, once', async () => {
    const { status, body } = await create({ credential: 't0ken' });
    const { secret, ...shown } = body;
    expect(status).toBe(201);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(shown).toEqual({
      id: expect.stringMatching(/^wh_[0-9a-f]{32}$/),
      ...INPUT,
      preset: 'generic',
      feed: 'audit',
      batchSize: 100,
      state: 'active',
      hasCredential: true,
      secretVersion: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      createdBy: expect.stringMatching(/^key_/),
    });
    const { body: one } = await call('GET', `${PATH}/${shown['id']}`);
    const { body: list } = await call('GET', PATH);
    expect([one, list]).toEqual([shown, { items: [shown], nextCursor: null }]);
  });

  it('leaves its event, and neither secret nor credential anywhere', async () => {
    const credential = 'the-credential-of-the-receiver';
    const { body } = await create({ credential, preset: 'splunk' });
    expect(lastRow()).toMatchObject({
      action: 'webhook.created',
      entity: { type: 'webhook', id: body['id'] },
      detail: { host: 'siem.example.com', preset: 'splunk' },
    });
    const kept = JSON.stringify([
      [...world.vault.tables.entities.values()],
      [...world.vault.tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString()),
    ]);
    expect(kept).not.toContain(credential);
    expect(kept).not.toContain(String(body['secret']).slice(6));
  });

  it('is done once for each Idempotency-Key, and the secret is not repeated', async () => {
    const headers = { 'Idempotency-Key': freshName() };
    const first = await create({ credential: 'x' }, headers);
    const second = await create({ credential: 'x' }, headers);
    const { secret, ...shown } = first.body;
    expect(secret).toBeDefined();
    expect([second.status, second.body]).toEqual([201, shown]);
    expect(problemCode(await create({ credential: 'y' }, headers))).toBe('idempotency_key_reused');
  });

  it('shows the secret all the same when only the answer of the store was lost', async () => {
    let appends = 0;
    world.vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      if (appends === 1) return 'after';
      return appends <= 10 ? 'before' : 'none';
    };
    const { status, body } = await create({}, { 'Idempotency-Key': freshName() });
    expect([status, body['secret']]).toEqual([201, expect.stringMatching(/^whsec_/)]);
    expect((await call('GET', PATH)).body['items']).toHaveLength(1);
  });

  it.each([
    ['without TLS', { url: 'http://siem.example.com/' }, 'url'],
    ['for the metadata of the machine', { url: 'https://169.254.169.254/' }, 'url'],
    ['with a password in its URL', { url: 'https://a:b@siem.example.com/' }, 'url'],
    ['for Splunk without a token', { preset: 'splunk' }, 'credential'],
    ['for Datadog without a key', { preset: 'datadog' }, 'credential'],
    ['for Elastic without a key', { preset: 'elastic' }, 'credential'],
    ['for something unknown', { preset: 'syslog' }, 'preset'],
    ['of no events', { batchSize: 0 }, 'batchSize'],
    ['of too many events', { batchSize: 501 }, 'batchSize'],
    ['with a credential that breaks a header', { credential: 'a\r\nX-Other: b' }, 'credential'],
    ['with a credential that is too long', { credential: 'a'.repeat(2_049) }, 'credential'],
    ['with an empty name', { name: '' }, 'name'],
    ['with a secret of its own', { secret: 'whsec_x' }, 'secret'],
  ])('is refused %s', async (_, input, path) => {
    const answer = await create(input);
    expect(answer.status).toBe(400);
    expect(errorsOf(answer).map((error) => error.path)).toEqual([path]);
  });

  it('is refused for the 21st of a workspace', async () => {
    for (let count = 0; count < 20; count += 1) await create();
    const id = ((await call('GET', PATH)).body['items'] as { id: string }[])[0]?.id;
    expect(problemCode(await create())).toBe('too_many_webhooks');
    expect((await call('DELETE', `${PATH}/${id}`)).status).toBe(204);
    expect((await create()).status).toBe(201);
  });

  it('is refused beyond the 20th even of those that are made at once', async () => {
    for (let count = 0; count < 17; count += 1) await create();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create()));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409]);
    expect((await call('GET', PATH)).body['items']).toHaveLength(20);
  });

  it('counts those that are older than the count', async () => {
    for (let count = 0; count < 20; count += 1) await create();
    const set = `webhookSet#${world.workspaceId}#${world.workspaceId}`;
    expect(world.vault.tables.entities.delete(set)).toBe(true);
    expect(problemCode(await create())).toBe('too_many_webhooks');
  });

  it('gives each its own secret, which nothing but the root secret is kept for', async () => {
    const secrets = [await create(), await create()].map(({ body }) => body['secret']);
    expect(new Set(secrets).size).toBe(2);
  });
});

describe('changing a webhook', () => {
  const patch = (id: string, json: object, headers = {}) => call('PATCH', `${PATH}/${id}`, json, { headers });

  it('changes what is named, and tells of it without what it is', async () => {
    const id = await made();
    const { status, body } = await patch(id, {
      name: 'new',
      url: 'https://new.example.com/in',
      preset: 'splunk',
      batchSize: 7,
      credential: 't0ken',
    });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ name: 'new', preset: 'splunk', batchSize: 7, hasCredential: true }),
    ]);
    expect(lastRow()).toMatchObject({
      action: 'webhook.updated',
      detail: { fields: 'name,url,preset,batchSize,credential', host: 'new.example.com' },
    });
    expect((await patch(id, { name: 'newer' })).body).toMatchObject({ name: 'newer', preset: 'splunk' });
  });

  it('does not take a credential along to another receiver', async () => {
    const id = await made({ credential: 't0ken' });
    for (const url of ['https://thief.example.net/', 'https://siem.example.com:8443/events']) {
      const refused = await patch(id, { url });
      expect([refused.status, errorsOf(refused)[0]?.path]).toEqual([400, 'credential']);
    }
    expect((await patch(id, { url: 'https://siem.example.com/other' })).body).toMatchObject({
      hasCredential: true,
    });
    await deliver(id);
    expect(receiver.requests[0]).toMatchObject({
      url: 'https://siem.example.com/other',
      headers: { authorization: 'Bearer t0ken' },
    });
    expect((await patch(id, { url: 'https://b.example.net/', credential: 'other' })).status).toBe(200);
    expect((await patch(id, { url: 'https://c.example.net/', credential: null })).body).toMatchObject({
      hasCredential: false,
    });
    await deliver(id);
    expect(receiver.requests[1]?.headers).not.toHaveProperty('authorization');
  });

  it('keeps a product from being left without its credential', async () => {
    const id = await made({ credential: 't0ken', preset: 'datadog' });
    expect(errorsOf(await patch(id, { credential: null }))[0]?.path).toBe('credential');
    expect((await patch(id, { credential: null, preset: 'generic' })).status).toBe(200);
    expect(errorsOf(await patch(id, { preset: 'elastic' }))[0]?.path).toBe('credential');
  });

  it('honours If-Match', async () => {
    const id = await made();
    expect((await call('GET', `${PATH}/${id}`)).headers).toMatchObject({ ETag: '"v1"' });
    expect((await patch(id, { name: 'b' }, { 'If-Match': '"v1"' })).headers).toMatchObject({ ETag: '"v2"' });
    expect(problemCode(await patch(id, { name: 'c' }, { 'If-Match': '"v1"' }))).toBe('precondition_failed');
    const stale = await call('DELETE', `${PATH}/${id}`, undefined, { headers: { 'If-Match': '"v1"' } });
    expect(problemCode(stale)).toBe('precondition_failed');
  });

  it('needs something to change, and does not park', async () => {
    const id = await made();
    expect((await patch(id, {})).status).toBe(400);
    expect((await patch(id, { state: 'parked' })).status).toBe(400);
  });

  it('makes the next request go out at once, and shows the failures until then', async () => {
    const id = await made();
    receiver.answer = async () => ({ status: 'answered', code: 503, body: '', retryAfter: 3_600 });
    await deliver(id);
    expect((await call('GET', `${PATH}/${id}`)).body).toMatchObject({
      failing: {
        since: '2026-01-01T00:00:00.000Z',
        attempts: 1,
        nextAttemptAt: '2026-01-01T01:00:00.000Z',
        reason: 'status_503',
      },
    });
    await deliver(id);
    expect(receiver.requests).toHaveLength(1);
    await patch(id, { url: 'https://new.example.com/' });
    expect((await call('GET', `${PATH}/${id}`)).body).not.toHaveProperty('failing');
    await deliver(id);
    expect(receiver.requests).toHaveLength(2);
  });
});

describe('deleting a webhook', () => {
  it('ends it, with its event, whatever becomes of the bookkeeping', async () => {
    const id = await made();
    const webhook = await find(id);
    await deliver(id);
    expect(await world.vault.deliveries.read(webhook)).toBeDefined();
    expect((await call('DELETE', `${PATH}/${id}`)).status).toBe(204);
    expect(lastRow()).toMatchObject({ action: 'webhook.deleted', entity: { id } });
    expect(await world.vault.deliveries.read(webhook)).toBeUndefined();
    expect((await call('GET', `${PATH}/${id}`)).status).toBe(404);
    expect((await call('GET', PATH)).body['items']).toEqual([]);

    const other = await made();
    world.vault.tables.faults = async ({ name }) => (name === 'deliveries.forget' ? 'before' : 'none');
    expect((await call('DELETE', `${PATH}/${other}`)).status).toBe(204);
  });
});

describe('rotating the secret', () => {
  const rotate = (id: string) => call('POST', `${PATH}/${id}/rotate-secret`);

  it('gives a new one, and keeps the last ones for a day, three at most', async () => {
    const { body } = await create();
    const id = String(body['id']);
    const secrets = [body['secret']];
    for (let version = 2; version <= 4; version += 1) {
      const rotated = await rotate(id);
      expect(rotated.body).toMatchObject({ secretVersion: version });
      secrets.push(rotated.body['secret']);
      expect(lastRow()).toMatchObject({
        action: 'webhook.secret_rotated',
        detail: { version: String(version) },
      });
    }
    expect(new Set(secrets).size).toBe(4);
    expect((await find(id)).signingSecrets).toEqual([
      { version: 4, keyId: '1' },
      { version: 3, keyId: '1', endsAt: '2026-01-02T00:00:00.000Z' },
      { version: 2, keyId: '1', endsAt: '2026-01-02T00:00:00.000Z' },
    ]);
    world.vault.clock.advance(24 * 60 * 60 * 1000);
    await rotate(id);
    expect((await find(id)).signingSecrets.map(({ version }) => version)).toEqual([5, 4]);
  });
});

describe('sending again', () => {
  const replay = (id: string, json: object = {}) => call('POST', `${PATH}/${id}/replay`, json);
  const backfill = (id: string, from: string) => call('POST', `${PATH}/${id}/backfill`, { from });
  const sent = (): string[][] => receiver.requests.map(eventIds);

  it('from an event on, in all lanes from its time on', async () => {
    const id = await made();
    world.vault.clock.advance(1_000);
    await callApi(world.vault, { method: 'GET', path: '/secrets', token: `lz_${'A'.repeat(43)}` });
    await world.secret();
    const from = `0-${lastRow()?.seq}`;
    world.vault.clock.advance(1_000);
    await world.secret();
    await deliver(id);
    const { status, body } = await replay(id, { fromEventId: from });
    expect([status, body]).toEqual([200, expect.objectContaining({ id, state: 'active' })]);
    expect(lastRow()).toMatchObject({ action: 'webhook.replayed', detail: { fromEventId: from } });
    await deliver(id);
    const [first = [], again = []] = sent();
    expect(again[0]).toBe(from);
    expect(again).toEqual([...first.slice(first.indexOf(from)), `0-${lastRow()?.seq}`]);
  });

  it('may leave out an event that the receiver can never take', async () => {
    const id = await made();
    await world.secret();
    const next = `0-${lastRow()?.seq}`;
    await replay(id, { fromEventId: next });
    await deliver(id);
    expect(sent()[0]?.[0]).toBe(next);
  });

  it.each(['0-999', '9-1', '0-0', '00-1', '0-01', '-', 'x', ''])(
    'needs an event that is there: %j is none',
    async (fromEventId) => {
      const answer = await replay(await made(), { fromEventId });
      expect([answer.status, errorsOf(answer)[0]?.path]).toEqual([400, 'fromEventId']);
    },
  );

  it('two replays before the deliverer looks are the second one, and none is lost for a plain one', async () => {
    const id = await made();
    await deliver(id);
    await replay(id, { fromEventId: '0-1' });
    await replay(id);
    await deliver(id);
    expect(sent()[1]?.[0]).toBe('0-1');
  });

  it('from a date on moves back, and never forward', async () => {
    const id = await made();
    await deliver(id);
    world.vault.clock.advance(48 * 60 * 60 * 1000);
    await world.secret();
    const later = `0-${lastRow()?.seq}`;
    await deliver(id);
    await backfill(id, '2026-01-02');
    expect(lastRow()).toMatchObject({
      action: 'webhook.backfill_started',
      detail: { from: '2026-01-02T00:00:00.000Z' },
    });
    await deliver(id);
    expect(sent()[2]?.[0]).toBe(later);
    await backfill(id, '2025-01-01');
    await deliver(id);
    expect(sent()[3]?.[0]).toBe('0-1');
    await world.secret();
    const unsent = `0-${lastRow()?.seq}`;
    await backfill(id, '2099-01-01');
    await deliver(id);
    expect(sent()[4]?.[0]).toBe(unsent);
  });

  it('from a date on leaves a paused webhook paused', async () => {
    const id = await made();
    await call('PATCH', `${PATH}/${id}`, { state: 'paused' });
    expect((await backfill(id, '2025-01-01')).body).toMatchObject({ state: 'paused' });
    expect(await deliver(id)).toBe(0);
    expect((await replay(id)).body).toMatchObject({ state: 'active' });
    await deliver(id);
    expect(sent()[0]?.[0]).toBe('0-1');
  });
});

describe('the history', () => {
  it('has the newest requests first, in pages', async () => {
    const id = await made({ batchSize: 1 });
    for (let count = 0; count < 4; count += 1) {
      world.vault.clock.advance(1_000);
      await world.secret();
    }
    receiver.answer = async () => {
      world.vault.clock.advance(250);
      return { status: 'answered', code: 204, body: 'never kept' };
    };
    await deliver(id);
    const items: Record<string, unknown>[] = [];
    let query: { readonly [name: string]: string } = { limit: '2' };
    let cursor: unknown;
    do {
      const { body } = await call('GET', `${PATH}/${id}/deliveries`, undefined, { query });
      items.push(...(body['items'] as Record<string, unknown>[]));
      cursor = body['nextCursor'];
      query = { limit: '2', cursor: String(cursor) };
    } while (cursor !== null);
    const times = items.map(({ at }) => String(at));
    expect(times).toEqual(times.toSorted().toReversed());
    expect(items).toHaveLength(receiver.requests.length);
    const [first] = receiver.requests.map(eventIds)[0] ?? [];
    expect(items.at(-1)).toEqual({
      at: expect.stringMatching(/^2026-01-01T00:00:0/),
      accepted: true,
      status: 204,
      events: 1,
      firstEventId: first,
      lastEventId: first,
      durationMs: 250,
    });
    expect(lastRow()).toMatchObject({ action: 'webhook.deliveries_listed', entity: { type: 'webhook', id } });
  });
});

describe('another workspace', () => {
  const ROUTES = [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'x' }],
    ['DELETE', '', undefined],
    ['POST', '/rotate-secret', undefined],
    ['POST', '/test', undefined],
    ['POST', '/replay', {}],
    ['POST', '/backfill', { from: '2026-01-01' }],
    ['GET', '/deliveries', undefined],
  ] as const;

  it.each(ROUTES)('%s …%s is answered as if there were no such webhook', async (method, suffix, json) => {
    const id = await made();
    const workspaceId = await addWorkspace(world.vault);
    const { token } = await addKey(world.vault, workspaceId, { role: 'owner' });
    const absent = `wh_${createHash('sha256').update('absent').digest('hex').slice(0, 32)}`;
    const answers = await Promise.all(
      [id, absent, 'wh_1', 'x'].map((one) => call(method, `${PATH}/${one}${suffix}`, json, { token })),
    );
    expect(answers.map(problemCode)).toEqual(Array(4).fill('not_found'));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await call('GET', PATH, undefined, { token })).body['items']).toEqual([]);
  });
});
