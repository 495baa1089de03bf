import { eventId } from '../../../core/audit/event.ts';
import { createDerivedKeys } from '../../../core/crypto/derived-keys.ts';
import { replayWebhook } from '../../../core/siem/replay-webhook.ts';
import { rotateWebhookSecret } from '../../../core/siem/rotate-webhook-secret.ts';
import type { SendOutcome } from '../../../core/siem/sender.ts';
import { updateWebhook } from '../../../core/siem/update-webhook.ts';
import type { Webhook } from '../../../core/siem/webhook.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import {
  ACCEPTED,
  addWebhook,
  BROKEN,
  eventIds,
  happen,
  isSignedWith,
  run,
  type SiemWorld,
  siemWorld,
  stored,
} from '../../support/siem-world.ts';
import { Tamperer } from '../../support/tamper.ts';

const DAY = 24 * 60 * 60 * 1000;
const LEASE = 30_000;

let world: SiemWorld;
beforeEach(async () => {
  world = await siemWorld();
});

/** The ids of all events from the webhook's own on, in the order of time. */
function sinceCreated({ vault, workspaceId }: SiemWorld): string[] {
  const rows = [0, 1].flatMap((lane) => rowsOf(vault, workspaceId, lane));
  const created = rows.find(({ action }) => action === 'webhook.created');
  return rows
    .filter(({ lane, seq, ts }) => ts > (created?.ts ?? '') || (lane === 0 && seq >= (created?.seq ?? 0)))
    .sort((a, b) => (a.ts < b.ts ? -1 : 1))
    .map(eventId);
}

const records = async (webhook: Webhook) =>
  (await world.vault.deliveries.list(webhook, { limit: 100 })).items.toReversed();
const failing = async (webhook: Webhook) => (await world.vault.deliveries.read(webhook))?.state.failing;

describe('what is delivered', () => {
  it('begins with the making of the webhook, and goes on where it stopped', async () => {
    const { webhook } = await addWebhook(world);
    expect(await run(world, webhook)).toBe(1);
    expect(await run(world, webhook)).toBe(0);
    await happen(world);
    await happen(world);
    expect(await run(world, webhook)).toBe(2);
    expect(world.receiver.events).toEqual(sinceCreated(world));
    expect(world.receiver.requests).toHaveLength(2);
  });

  it('are the rows of all lanes in the order of time', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 3 });
    for (const lane of [0, 1, 1, 0, 1, 0, 0, 1] as const) await happen(world, lane);
    expect(await run(world, webhook)).toBe(9);
    expect(world.receiver.events).toEqual(sinceCreated(world));
    expect(world.receiver.accepted.map((ids) => ids.length)).toEqual([3, 3, 3]);
  });

  it('is one event a request, if that is wanted', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    await happen(world);
    await run(world, webhook);
    expect(world.receiver.accepted.map((ids) => ids.length)).toEqual([1, 1]);
    expect(world.receiver.requests[0]?.headers['content-type']).toMatch(/^application\/cloudevents\+json/);
  });

  it('is no more at once than half a mebibyte of rows, whatever the size of a batch', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 500 });
    const detail = Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [`k${index}`, '🔑'.repeat(250)]),
    );
    for (let count = 0; count < 60; count += 1) {
      await world.vault.trail.commit(
        {
          workspaceId: world.workspaceId,
          lane: 0,
          actor: { type: 'system', id: 'x' },
          ip: '-',
          userAgent: '',
        },
        [{ action: 'secret.read', entity: { type: 'secret', id: 'x' }, result: 'success', detail }],
      );
    }
    expect(await run(world, webhook)).toBe(61);
    expect(world.receiver.requests.length).toBeGreaterThan(1);
    for (const { body } of world.receiver.requests) expect(body.length).toBeLessThan(1024 * 1024);
    expect(world.receiver.events).toEqual(sinceCreated(world));
  });

  it('leaves out a row that somebody spoiled, and nothing else', async () => {
    const { webhook } = await addWebhook(world);
    for (let count = 0; count < 3; count += 1) await happen(world);
    const all = sinceCreated(world);
    const spoiled = Number(all[2]?.split('-')[1]);
    new Tamperer(world.vault.tables).editBytes(
      { workspaceId: world.workspaceId, lane: 0 },
      spoiled,
      () => 'spoiled',
      true,
    );
    await run(world, webhook);
    expect(world.receiver.events).toEqual(all.filter((id) => id !== all[2]));
    expect(await run(world, webhook)).toBe(0);
  });

  it('is signed, by both secrets for a day after a rotation', async () => {
    const { webhook, secret } = await addWebhook(world, { batchSize: 1 });
    await run(world, webhook);
    const { secret: next = '' } = await rotateWebhookSecret(world.vault, world.owner, webhook.id);
    await run(world, webhook);
    world.vault.clock.advance(DAY - 1_000);
    await happen(world);
    await run(world, webhook);
    world.vault.clock.advance(1_000);
    await happen(world);
    await run(world, webhook);
    const signed = world.receiver.requests.map((request) => [
      isSignedWith(secret, request),
      isSignedWith(next, request),
    ]);
    expect(signed).toEqual([
      [true, false],
      [true, true],
      [true, true],
      [false, true],
    ]);
  });

  it.each([
    ['generic', { authorization: 'Bearer t0ken' }],
    ['splunk', { authorization: 'Splunk t0ken' }],
    ['datadog', { 'dd-api-key': 't0ken' }],
    ['elastic', { authorization: 'ApiKey t0ken' }],
  ] as const)('shows the credential as %s wants it, and keeps it nowhere', async (preset, header) => {
    const { webhook } = await addWebhook(world, { preset, credential: 't0ken' });
    world.receiver.answer = async () => ({ status: 'answered', code: 200, body: '{"errors":false}' });
    expect(await run(world, webhook)).toBe(1);
    expect(world.receiver.requests[0]?.headers).toMatchObject(header);
    expect(JSON.stringify(await stored(world, webhook))).not.toContain('t0ken');
    expect(JSON.stringify(await records(webhook))).not.toContain('t0ken');
  });
});

describe('a failure', () => {
  it.each<[string, SendOutcome, object]>([
    ['of the receiver', BROKEN, { status: 500 }],
    ['of one that wants to see somebody else', { status: 'answered', code: 401, body: '' }, { status: 401 }],
    ['of one that points elsewhere', { status: 'answered', code: 302, body: '' }, { status: 302 }],
    ['of the connection', { status: 'failed', reason: 'timed_out' }, { error: 'timed_out' }],
  ])('%s moves nothing, and is written down', async (_, outcome, recorded) => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => {
      world.vault.clock.advance(70);
      return outcome;
    };
    expect(await run(world, webhook)).toBe(0);
    const [created] = sinceCreated(world);
    expect(await records(webhook)).toEqual([
      {
        at: Date.parse('2026-01-01T00:00:00.000Z'),
        accepted: false,
        ...recorded,
        events: 1,
        firstEventId: created,
        lastEventId: created,
        durationMs: 70,
      },
    ]);
    world.receiver.answer = async () => ACCEPTED;
    world.vault.clock.advance(10_000);
    expect(await run(world, webhook)).toBe(1);
    expect(await failing(webhook)).toBeUndefined();
    expect(await records(webhook)).toMatchObject([{ accepted: false }, { accepted: true, status: 202 }]);
  });

  it('is followed by a wait, and by the same message with its id', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => BROKEN;
    await run(world, webhook);
    world.vault.clock.advance(9_999);
    await run(world, webhook);
    expect(world.receiver.requests).toHaveLength(1);
    world.vault.clock.advance(1);
    await run(world, webhook);
    const [first, second] = world.receiver.requests;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.headers['webhook-timestamp']).not.toBe(first?.headers['webhook-timestamp']);
    await happen(world);
    world.vault.clock.advance(DAY / 24);
    await run(world, webhook);
    expect(world.receiver.requests[2]?.headers['webhook-id']).not.toBe(first?.headers['webhook-id']);
  });

  it('that comes with a wish to wait is heeded', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => ({ status: 'answered', code: 429, body: '', retryAfter: 600 });
    await run(world, webhook);
    expect(await failing(webhook)).toMatchObject({
      reason: 'status_429',
      nextAttemptAt: world.vault.clock.now() + 600_000,
    });
  });

  it('of Elastic to take some documents is one, although it answers with 200', async () => {
    const { webhook } = await addWebhook(world, { preset: 'elastic', credential: 'x' });
    const body = '{"errors":true,"items":[{"create":{"status":429}}]}';
    world.receiver.answer = async () => ({ status: 'answered', code: 200, body });
    expect(await run(world, webhook)).toBe(0);
    expect(await records(webhook)).toMatchObject([{ accepted: false, status: 200, error: 'not_accepted' }]);
    expect(await failing(webhook)).toMatchObject({ reason: 'not_accepted' });
  });

  it('to derive the secret, since its root secret is gone, sends nothing', async () => {
    const { webhook } = await addWebhook(world);
    const other = createDerivedKeys(async () => ({
      current: '2',
      secrets: new Map([['2', 's'.repeat(43)]]),
    }));
    await run({ ...world, parts: { ...world.parts, derivedKeys: other } }, webhook);
    expect(world.receiver.requests).toEqual([]);
    expect(await records(webhook)).toMatchObject([{ accepted: false, error: 'secret_unavailable' }]);
  });

  it('to open a credential, since somebody changed where it goes, sends nothing', async () => {
    const { webhook } = await addWebhook(world, { credential: 't0ken' });
    const tamperer = new Tamperer(world.vault.tables);
    const { entity, row } = tamperer.entity('webhook', webhook.id);
    const url = 'https://thief.example.net/events';
    world.vault.tables.entities.set(`webhook#${world.workspaceId}#${webhook.id}`, {
      entity: { ...entity, url } as Webhook,
      row,
    });
    await run(world, webhook);
    expect(world.receiver.requests).toEqual([]);
    expect(await failing(webhook)).toMatchObject({ reason: 'secret_unavailable' });
  });

  it('of a day parks the webhook, with an alert; a replay sets it going where it stopped', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => BROKEN;
    const begun = world.vault.clock.now();
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      await run(world, webhook);
      world.vault.clock.advance(60_000);
    }
    expect((await stored(world, webhook)).state).toBe('active');
    expect(world.alerts).toEqual([]);
    await run(world, webhook);
    expect(world.vault.clock.now() - begun).toBe(DAY);
    expect((await stored(world, webhook)).state).toBe('parked');
    const attempts = String(world.receiver.requests.length);
    const [nextEventId] = sinceCreated(world);
    const detail = {
      failingSince: '2026-01-01T00:00:00.000Z',
      attempts,
      reason: 'status_500',
      nextEventId,
    };
    expect(world.alerts).toEqual([
      {
        tier: 'warning',
        kind: 'webhook_parked',
        workspaceId: world.workspaceId,
        subject: `webhook ${webhook.id}`,
        detail,
      },
    ]);
    expect(rowsOf(world.vault, world.workspaceId).at(-1)).toMatchObject({
      action: 'webhook.parked',
      actor: { type: 'system', id: 'deliverer' },
      entity: { type: 'webhook', id: webhook.id },
      detail,
    });

    world.receiver.answer = async () => ACCEPTED;
    world.vault.clock.advance(DAY);
    expect(await run(world, webhook)).toBe(0);
    await replayWebhook(world.vault, world.owner, webhook.id, {});
    await run(world, webhook);
    expect(world.receiver.events).toEqual(sinceCreated(world));
    expect(world.receiver.events).toHaveLength(3);
  });

  it('for good, 410, pauses the webhook at once', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => ({ status: 'answered', code: 410, body: '' });
    await run(world, webhook);
    expect((await stored(world, webhook)).state).toBe('paused');
    expect(rowsOf(world.vault, world.workspaceId).at(-1)).toMatchObject({
      action: 'webhook.updated',
      actor: { type: 'system', id: 'deliverer' },
      detail: { state: 'paused', reason: 'status_410' },
    });
    world.receiver.answer = async () => ACCEPTED;
    world.vault.clock.advance(DAY);
    expect(await run(world, webhook)).toBe(0);
    await updateWebhook(world.vault, world.owner, webhook.id, { state: 'active' });
    await run(world, webhook);
    expect(world.receiver.events).toEqual(sinceCreated(world));
  });
});

describe('two deliverers', () => {
  it('never send at once: one has the lease', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    await happen(world);
    world.receiver.answer = async () => {
      expect(await run(world, webhook)).toBe(0);
      return ACCEPTED;
    };
    expect(await run(world, webhook)).toBe(2);
    expect(world.receiver.events).toEqual(sinceCreated(world));
  });

  it('that begin at the same moment are one', async () => {
    const { webhook } = await addWebhook(world);
    const counts = await Promise.all([run(world, webhook), run(world, webhook), run(world, webhook)]);
    expect(counts.toSorted()).toEqual([0, 0, 1]);
    expect(world.receiver.requests).toHaveLength(1);
  });

  it('come one after the other when a lease has run out, and the first one stops', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    for (let count = 0; count < 3; count += 1) await happen(world);
    let other = 0;
    world.receiver.answer = async ({ body }) => {
      world.receiver.answer = async () => ACCEPTED;
      world.vault.clock.advance(LEASE);
      other = await run(world, webhook);
      expect(body).toBe(world.receiver.requests[1]?.body);
      return ACCEPTED;
    };
    expect(await run(world, webhook)).toBe(1);
    expect(other).toBe(4);
    // The first event twice, since the first one's acceptance came too late; all others once.
    expect(world.receiver.events.toSorted()).toEqual(
      [...sinceCreated(world), sinceCreated(world)[0]].toSorted(),
    );
  });
});

describe('a change while it is at work', () => {
  it('that pauses the webhook ends it after the request that is under way', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    await happen(world);
    world.receiver.answer = async () => {
      await updateWebhook(world.vault, world.owner, webhook.id, { state: 'paused' });
      return ACCEPTED;
    };
    expect(await run(world, webhook)).toBe(1);
    expect(world.receiver.requests).toHaveLength(1);
  });

  it('that points it elsewhere holds from the next request on', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    await happen(world);
    world.receiver.answer = async () => {
      world.receiver.answer = async () => ACCEPTED;
      await updateWebhook(world.vault, world.owner, webhook.id, { url: 'https://new.example.com/' });
      return ACCEPTED;
    };
    await run(world, webhook);
    const [, ...later] = world.receiver.requests.map(({ url }) => url);
    expect(new Set(later)).toEqual(new Set(['https://new.example.com/']));
    expect(new Set(world.receiver.events)).toEqual(new Set(sinceCreated(world)));
  });

  it('that parks or deletes it meanwhile is not undone by its own', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => {
      await updateWebhook(world.vault, world.owner, webhook.id, { name: 'renamed' });
      return { status: 'answered', code: 410, body: '' };
    };
    await run(world, webhook);
    expect(await stored(world, webhook)).toMatchObject({ name: 'renamed', state: 'active' });
  });

  it('begins no request after its deadline', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    for (let count = 0; count < 9; count += 1) await happen(world);
    world.receiver.answer = async () => {
      world.vault.clock.advance(10_000);
      return ACCEPTED;
    };
    expect(await run(world, webhook)).toBe(5);
    world.vault.clock.advance(1);
    expect(await run(world, webhook)).toBe(5);
    expect(world.receiver.events).toEqual(sinceCreated(world));
  });
});

describe('a lease that was kept for the next batch', () => {
  it('ends with the run when the deadline passes before that', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    for (let count = 0; count < 3; count += 1) await happen(world);
    const { record } = world.vault.deliveries;
    world.vault.deliveries.record = async (...delivery) => {
      world.vault.clock.advance(50_000);
      await record.apply(world.vault.deliveries, delivery);
    };
    world.receiver.answer = async () => ACCEPTED;
    expect(await run(world, webhook)).toBe(1);
    expect((await world.vault.deliveries.read(webhook))?.state.lease).toBeUndefined();
    expect(await run(world, webhook)).toBe(1);
    expect(world.receiver.events).toEqual(sinceCreated(world).slice(0, 2));
  });

  it('ends when the vault itself fails before that', async () => {
    const { webhook } = await addWebhook(world, { batchSize: 1 });
    await happen(world);
    world.receiver.answer = async () => {
      world.receiver.answer = async () => {
        throw new Error('a defect');
      };
      return ACCEPTED;
    };
    await expect(run(world, webhook)).rejects.toThrow('a defect');
    expect((await world.vault.deliveries.read(webhook))?.state.lease).toBeUndefined();
  });
});

describe('faults of the store', () => {
  /** How many calls of ports one delivery of three batches makes. */
  async function callsOf(fault: 'none' | 'before' | 'after', at: number): Promise<number> {
    world = await siemWorld();
    const { webhook } = await addWebhook(world, { batchSize: 2 });
    for (let count = 0; count < 4; count += 1) await happen(world, count === 2 ? 1 : 0);
    let calls = 0;
    world.vault.tables.faults = async () => {
      calls += 1;
      return calls === at ? fault : 'none';
    };
    await run(world, webhook).catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
    world.vault.tables.faults = async () => 'none';
    const made = calls;
    world.vault.clock.advance(LEASE);
    await run(world, webhook);
    const all = sinceCreated(world);
    // Each event came, none before an earlier one; what came again is a batch as a whole, at once.
    const firstTimes = [...new Set(world.receiver.events)];
    expect({ fault, at, firstTimes }).toEqual({ fault, at, firstTimes: all });
    const twice = world.receiver.accepted.length - new Set(world.receiver.accepted.map(String)).size;
    expect(twice).toBeLessThanOrEqual(1);
    expect(await run(world, webhook)).toBe(0);
    return made;
  }

  it('wherever they strike, before or after taking effect, nothing is skipped or out of order', async () => {
    const calls = await callsOf('none', 0);
    expect(calls).toBeGreaterThan(15);
    for (let at = 1; at <= calls; at += 1) {
      await callsOf('before', at);
      await callsOf('after', at);
    }
  });

  it('a crash after a batch was accepted sends it again, once the lease has run out', async () => {
    const { webhook } = await addWebhook(world);
    const never = new Promise<never>(() => undefined);
    let replaces = 0;
    world.vault.tables.faults = ({ name }) => {
      if (name === 'deliveries.replace') replaces += 1;
      return replaces === 2 ? never : Promise.resolve('none');
    };
    void run(world, webhook);
    await new Promise(setImmediate);
    world.vault.tables.faults = async () => 'none';
    expect(world.receiver.accepted).toHaveLength(1);
    world.vault.clock.advance(LEASE - 1);
    expect(await run(world, webhook)).toBe(0);
    world.vault.clock.advance(1);
    expect(await run(world, webhook)).toBe(1);
    const [first, second] = world.receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(second).toBe(first);
  });

  it('a crash before the webhook is parked alerts again; one after it does not alert at all any more', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => BROKEN;
    await run(world, webhook);
    world.vault.clock.advance(DAY);
    world.vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(run(world, webhook)).rejects.toMatchObject({ code: 'unavailable' });
    world.vault.tables.faults = async () => 'none';
    expect([world.alerts.length, (await stored(world, webhook)).state]).toEqual([1, 'active']);
    world.vault.clock.advance(LEASE);
    await run(world, webhook);
    expect([world.alerts.length, (await stored(world, webhook)).state]).toEqual([2, 'parked']);
    await run(world, webhook);
    expect(world.alerts).toHaveLength(2);
  });

  it('a state that is lost makes it begin where the webhook does', async () => {
    const { webhook } = await addWebhook(world);
    await happen(world);
    await run(world, webhook);
    await world.vault.deliveries.forget(webhook);
    await happen(world);
    await run(world, webhook);
    expect(eventIds(world.receiver.requests[1] ?? { url: '', headers: {}, body: '[]' })).toEqual(
      sinceCreated(world),
    );
  });
});
