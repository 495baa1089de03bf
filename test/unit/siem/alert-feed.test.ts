import { createHash } from 'node:crypto';
import { originOf } from '../../../core/access/principal.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { PassedOver } from '../../../core/siem/passed-over.ts';
import { backfillWebhook, replayWebhook } from '../../../core/siem/replay-webhook.ts';
import { testWebhook } from '../../../core/siem/test-webhook.ts';
import { updateWebhook } from '../../../core/siem/update-webhook.ts';
import type { Webhook } from '../../../core/siem/webhook.ts';
import { callerWith, rowsOf } from '../../support/memory-vault.ts';
import {
  ACCEPTED,
  ALERT_ID,
  addWebhook,
  BROKEN,
  eventIds,
  happen,
  isSignedWith,
  run,
  type SiemWorld,
  siemWorld,
  stored,
  tellOfAlert,
} from '../../support/siem-world.ts';

const LEASE = 30_000;
const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:alerts';

let world: SiemWorld;
let calls: string[];
beforeEach(async () => {
  world = await siemWorld();
  calls = [];
  world.vault.tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
});

const channel = async (input: object = {}): Promise<Webhook> =>
  (await addWebhook(world, { feed: 'alerts', ...input })).webhook;
const writes = () => calls.filter((name) => name.startsWith('deliveries.re') && name !== 'deliveries.read');
const rowsRead = () => calls.filter((name) => name === 'ledger.rows').length;
const state = async (webhook: Webhook) => (await world.vault.deliveries.read(webhook))?.state;

describe('a webhook of alerts', () => {
  it('is sent what becomes of alerts, one a request, and nothing else', async () => {
    const webhook = await channel();
    const ids: string[] = [];
    for (const action of ['alert.raised', 'alert.acknowledged', 'alert.closed'] as const) {
      await happen(world, 1);
      ids.push(await tellOfAlert(world, {}, action));
      await happen(world);
    }
    expect(await run(world, webhook)).toBe(3);
    expect(world.receiver.accepted).toEqual(ids.map((id) => [id]));
    expect(await run(world, webhook)).toBe(0);
  });

  it.each([
    [undefined, ['warning', 'critical', 'unknown']],
    ['info', ['info', 'warning', 'critical', 'unknown']],
    ['critical', ['critical', 'unknown']],
  ] as const)('with the least tier %s is sent the tiers %j', async (minTier, sent) => {
    const webhook = await channel(minTier === undefined ? {} : { minTier });
    const tiers = new Map<string, string>();
    for (const tier of ['info', 'warning', 'critical', 'unknown']) {
      tiers.set(await tellOfAlert(world, { tier }), tier);
    }
    await run(world, webhook);
    expect(world.receiver.events.map((id) => tiers.get(id))).toEqual(sent);
  });

  it('is sent a test of its own, whatever its least tier, and none of another one', async () => {
    const webhook = await channel({ minTier: 'critical' });
    const other = await channel();
    const id = await testWebhook(world.vault, world.owner, webhook.id);
    expect(await run(world, other)).toBe(0);
    expect(await run(world, webhook)).toBe(1);
    expect(world.receiver.events).toEqual([id]);
  });

  it.each(['denied', 'failure'] as const)(
    'is not sent what somebody tried in vain (%s): that resolves no incident, and is no way to spam',
    async (result) => {
      const webhook = await channel({ minTier: 'info' });
      const id = await tellOfAlert(world);
      const viewer = callerWith({ workspaceId: world.workspaceId, role: 'viewer' });
      const tried = [
        { action: 'alert.acknowledged', entity: { type: 'alert', id: ALERT_ID } },
        { action: 'alert.closed', entity: { type: 'alert', id: ALERT_ID } },
        { action: 'webhook.tested', entity: { type: 'webhook', id: webhook.id } },
      ] as const;
      const detail = { code: 'forbidden' };
      for (const event of tried)
        await world.vault.trail.commit(originOf(viewer), [{ ...event, result, detail }]);
      expect(await run(world, webhook)).toBe(1);
      expect(world.receiver.events).toEqual([id]);
    },
  );

  it('is signed as any other', async () => {
    const { webhook, secret } = await addWebhook(world, { feed: 'alerts' });
    await tellOfAlert(world);
    await run(world, webhook);
    expect(world.receiver.requests.map((request) => isSignedWith(secret, request))).toEqual([true]);
  });

  it('is sent again what happened since a date, as far as it concerns it', async () => {
    const webhook = await channel();
    const id = await tellOfAlert(world);
    await happen(world);
    await run(world, webhook);
    await backfillWebhook(world.vault, world.owner, webhook.id, { from: 0 });
    await run(world, webhook);
    expect(world.receiver.events).toEqual([id, id]);
  });

  it('with another least tier is sent what that one admits from then on', async () => {
    const webhook = await channel({ minTier: 'critical' });
    await tellOfAlert(world, { tier: 'info' });
    await run(world, webhook);
    await updateWebhook(world.vault, world.owner, webhook.id, { minTier: 'info' });
    const later = await tellOfAlert(world, { tier: 'info' });
    await run(world, webhook);
    expect(world.receiver.events.at(-1)).toBe(later);
  });

  it('whose receiver is gone is paused, and that is an alert', async () => {
    const webhook = await channel();
    await tellOfAlert(world);
    world.receiver.answer = async () => ({ status: 'answered', code: 410, body: '' });
    await run(world, webhook);
    expect((await stored(world, webhook)).state).toBe('paused');
    expect(world.alerts).toEqual([
      {
        tier: 'warning',
        kind: 'channel_failing',
        workspaceId: world.workspaceId,
        subject: `webhook ${webhook.id}`,
        detail: { reason: 'status_410' },
      },
    ]);
  });
});

describe('an alert that its receiver refuses', () => {
  const REFUSED = { status: 'answered', code: 400, body: '' } as const;
  /** Refuses what is about one event, and takes all else. */
  const refuse = (...ids: string[]): void => {
    world.receiver.answer = async (request) =>
      eventIds(request).some((id) => ids.includes(id)) ? REFUSED : ACCEPTED;
  };
  const attempt = async (webhook: Webhook, times = 1): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      await run(world, webhook);
      world.vault.clock.advance(60_000);
    }
  };
  const deliveries = async (webhook: Webhook) =>
    (await world.vault.deliveries.list(webhook, { limit: 99 })).items.toReversed();

  it('for good is given up, so that what comes after it arrives, and that is an alert and on record', async () => {
    const webhook = await channel();
    const poison = await tellOfAlert(world);
    const next = await tellOfAlert(world);
    refuse(poison);
    await attempt(webhook, 2);
    expect(world.receiver.events).toEqual([]);
    await attempt(webhook);
    expect(world.receiver.events).toEqual([next]);
    expect(await deliveries(webhook)).toMatchObject([
      { firstEventId: poison, accepted: false },
      { firstEventId: poison, accepted: false },
      { firstEventId: poison, accepted: false, status: 400, givenUp: true },
      { firstEventId: next, accepted: true },
    ]);
    expect((await deliveries(webhook)).filter(({ givenUp }) => givenUp)).toHaveLength(1);
    expect(world.alerts).toEqual([
      expect.objectContaining({
        tier: 'warning',
        kind: 'channel_failing',
        workspaceId: world.workspaceId,
        subject: `refusals of webhook ${webhook.id}`,
        detail: { reason: 'status_400', eventId: poison, about: `alert ${ALERT_ID}` },
      }),
    ]);
    expect((await state(webhook))?.failing).toBeUndefined();
  });

  it.each([413, 422])('with %d is refused likewise', async (code) => {
    const webhook = await channel();
    await tellOfAlert(world);
    world.receiver.answer = async () => ({ status: 'answered', code, body: '' });
    await attempt(webhook, 3);
    expect((await deliveries(webhook)).at(-1)).toMatchObject({ status: code, givenUp: true });
  });

  it.each([401, 403, 404, 429, 500])('with %d may be taken later, and is not given up', async (code) => {
    const webhook = await channel();
    await tellOfAlert(world);
    world.receiver.answer = async () => ({ status: 'answered', code, body: '' });
    await attempt(webhook, 30);
    expect((await deliveries(webhook)).some(({ givenUp }) => givenUp)).toBe(false);
    expect(world.alerts).toEqual([]);
  });

  it('is not given up as an audit event, of which none is left out', async () => {
    const { webhook } = await addWebhook(world);
    world.receiver.answer = async () => REFUSED;
    await attempt(webhook, 30);
    expect((await deliveries(webhook)).some(({ givenUp }) => givenUp)).toBe(false);
  });

  it('as all others parks the channel after a day, and a replay from the first one sends them all', async () => {
    const webhook = await channel();
    const ids: string[] = [];
    world.receiver.answer = async () => REFUSED;
    for (let hour = 0; hour <= 24; hour += 1) {
      ids.push(await tellOfAlert(world));
      await attempt(webhook, 60);
    }
    expect((await stored(world, webhook)).state).toBe('parked');
    expect(world.alerts.at(-1)).toMatchObject({
      kind: 'channel_failing',
      subject: `webhook ${webhook.id}`,
      detail: { reason: 'status_400', givenUp: ids[0] },
    });
    world.receiver.answer = async () => ACCEPTED;
    await replayWebhook(world.vault, world.owner, webhook.id, { fromEventId: ids[0] });
    await attempt(webhook);
    expect(world.receiver.events).toEqual(ids);
  });

  it('and that says that another channel does not work, is given up without one more alert', async () => {
    const webhook = await channel();
    await tellOfAlert(world, { kind: 'channel_failing', subject: 'webhook wh_other' });
    world.receiver.answer = async () => REFUSED;
    await attempt(webhook, 3);
    expect((await deliveries(webhook)).at(-1)).toMatchObject({ givenUp: true });
    expect(world.alerts).toEqual([]);
  });

  it.each(['before', 'after'] as const)('is given up wherever a fault strikes %s a call', async (fault) => {
    for (let at = 1; at <= 40; at += 1) {
      world = await siemWorld();
      const webhook = await channel();
      const [poison, next] = [await tellOfAlert(world), await tellOfAlert(world)];
      refuse(poison);
      let made = 0;
      world.vault.tables.faults = async () => {
        made += 1;
        return made === at ? fault : 'none';
      };
      for (let count = 0; count < 5; count += 1) {
        await run(world, webhook).catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
        world.vault.clock.advance(60_000);
      }
      expect({ at, events: new Set(world.receiver.events) }).toEqual({ at, events: new Set([next]) });
      expect({ at, told: world.alerts.length > 0 }).toEqual({ at, told: true });
    }
  });
});

describe('that a channel does not work', () => {
  it('is sent to the others, whatever their least tier, and not to that one', async () => {
    const [webhook, other] = [await channel(), await channel({ minTier: 'critical' })];
    const detail = { kind: 'channel_failing', tier: 'warning' };
    const ids = [
      await tellOfAlert(world, { ...detail, subject: `webhook ${webhook.id}` }),
      await tellOfAlert(world, { ...detail, subject: `refusals of webhook ${webhook.id}` }),
      await tellOfAlert(world, { ...detail, subject: `webhook ${webhook.id}` }, 'alert.closed'),
    ];
    expect(await run(world, webhook)).toBe(0);
    expect(await run(world, other)).toBe(3);
    expect(world.receiver.events).toEqual(ids);
  });
});

describe('other ways than a request', () => {
  beforeEach(() => {
    world.vault.receivers = { ...world.vault.receivers, topicArns: [TOPIC] };
  });

  it('mail reaches one address, with the text for people', async () => {
    const webhook = await channel({ preset: 'email', url: 'mailto:oncall@example.com' });
    await tellOfAlert(world);
    expect(await run(world, webhook)).toBe(1);
    expect(world.vault.mail.sent).toEqual([
      {
        to: 'oncall@example.com',
        subject: '[critical] honeypot_used: api_key key_1',
        text: expect.stringContaining(`POST /alerts/${ALERT_ID}/acknowledge`),
      },
    ]);
    expect(world.receiver.requests).toEqual([]);
  });

  it('a topic gets the event for programs, the text for people, and what to filter by', async () => {
    const webhook = await channel({ preset: 'sns', url: TOPIC });
    const id = await tellOfAlert(world);
    expect(await run(world, webhook)).toBe(1);
    const [message] = world.topics.published;
    expect(message).toMatchObject({
      topicArn: TOPIC,
      id: `${world.workspaceId}/${id}`,
      group: world.workspaceId,
      subject: '[critical] honeypot_used: api_key key_1',
      text: expect.stringContaining(`POST /alerts/${ALERT_ID}/acknowledge`),
      attributes: { tier: 'critical', kind: 'honeypot_used', news: 'raised' },
    });
    expect(JSON.parse(message?.event ?? '')).toMatchObject({
      type: 'lockzero.alert.raised',
      subject: `alert/${ALERT_ID}`,
    });
  });

  it.each([
    ['email', 'mailto:oncall@example.com', 'mail_refused'],
    ['sns', TOPIC, 'topic_refused'],
  ] as const)(
    '%s that is refused is tried again after a wait, and nothing is lost',
    async (preset, url, error) => {
      const webhook = await channel({ preset, url });
      const id = await tellOfAlert(world);
      world.vault.mail.isDown = true;
      world.topics.isDown = true;
      expect(await run(world, webhook)).toBe(0);
      expect((await state(webhook))?.failing).toMatchObject({ reason: error, attempts: 1 });
      world.vault.mail.isDown = false;
      world.topics.isDown = false;
      expect(await run(world, webhook)).toBe(0);
      world.vault.clock.advance(10_000);
      expect(await run(world, webhook)).toBe(1);
      const { items } = await world.vault.deliveries.list(webhook, { limit: 9 });
      const common = { events: 1, firstEventId: id, lastEventId: id, at: expect.any(Number), durationMs: 0 };
      expect(items).toEqual([
        { ...common, accepted: true },
        { ...common, accepted: false, error },
      ]);
    },
  );

  it('a fault of the vault itself is none of the receiver', async () => {
    const webhook = await channel({ preset: 'email', url: 'mailto:oncall@example.com' });
    await tellOfAlert(world);
    world.vault.mail.send = async () => {
      throw new VaultError('internal', 'a defect');
    };
    await expect(run(world, webhook)).rejects.toMatchObject({ code: 'internal' });
    expect((await state(webhook))?.failing).toBeUndefined();
  });
});

describe('what does not concern a webhook', () => {
  it('costs no write, and is not read a second time', async () => {
    const webhook = await channel();
    for (let wake = 0; wake < 20; wake += 1) {
      await happen(world);
      expect(await run(world, webhook)).toBe(0);
    }
    expect(writes()).toEqual([]);
    expect(await state(webhook)).toBeUndefined();
    const asked = jest.spyOn(world.vault.ledger, 'rows');
    await run(world, webhook);
    const last = rowsOf(world.vault, world.workspaceId).at(-1)?.seq ?? 0;
    expect(asked.mock.calls.map(([{ lane }, from]) => [lane, from])).toContainEqual([0, last + 1]);
  });

  it('is stored once in five hundred rows, in so many steps', async () => {
    const webhook = await channel();
    for (let count = 0; count < 1_200; count += 1) await happen(world, count % 3 === 0 ? 1 : 0);
    await run(world, webhook);
    expect(writes()).toEqual(['deliveries.replace', 'deliveries.replace']);
    expect((await state(webhook))?.lease).toBeUndefined();
    const id = await tellOfAlert(world);
    // Another instance, which knows only what is stored.
    await run({ ...world, parts: { ...world.parts, passedOver: new PassedOver() } }, webhook);
    expect(world.receiver.events).toEqual([id]);
  });

  it('is stored with what is sent', async () => {
    const webhook = await channel();
    for (let count = 0; count < 5; count += 1) await happen(world);
    await tellOfAlert(world);
    await run(world, webhook);
    expect((await state(webhook))?.next).toMatchObject({
      0: (rowsOf(world.vault, world.workspaceId).at(-1)?.seq ?? 0) + 1,
    });
    expect(writes()).toEqual(['deliveries.replace', 'deliveries.replace', 'deliveries.record']);
  });

  it('in front of an alert that fails is not looked at again', async () => {
    const webhook = await channel();
    for (let count = 0; count < 250; count += 1) await happen(world);
    const id = await tellOfAlert(world);
    world.receiver.answer = async () => BROKEN;
    await run(world, webhook);
    expect((await state(webhook))?.next).toMatchObject({ 0: Number(id.split('-')[1]) });
    calls.length = 0;
    world.receiver.answer = async () => ACCEPTED;
    world.vault.clock.advance(10_000);
    await run({ ...world, parts: { ...world.parts, passedOver: new PassedOver() } }, webhook);
    expect(world.receiver.events).toEqual([id]);
    expect(rowsRead()).toBeLessThan(10);
  });

  it('keeps nobody else out: a lease ends with what is sent', async () => {
    const webhook = await channel();
    const first = await tellOfAlert(world);
    for (let count = 0; count < 5; count += 1) await happen(world);
    await run(world, webhook);
    const other = { ...world, parts: { ...world.parts, passedOver: new PassedOver() } };
    const second = await tellOfAlert(world);
    expect(await run(other, webhook)).toBe(1);
    expect(world.receiver.events).toEqual([first, second]);
  });

  it('is no alert that comes while a request is under way: nobody has to be woken once more for that', async () => {
    const webhook = await channel();
    await tellOfAlert(world);
    let later = '';
    world.receiver.answer = async () => {
      world.receiver.answer = async () => ACCEPTED;
      later = await tellOfAlert(world);
      // Woken for it, and turned away by the lease.
      expect(await run({ ...world }, webhook)).toBe(0);
      return ACCEPTED;
    };
    expect(await run(world, webhook)).toBe(2);
    expect(world.receiver.events.at(-1)).toBe(later);
  });
});

describe('faults of the store', () => {
  async function callsOf(fault: 'none' | 'before' | 'after', at: number): Promise<number> {
    world = await siemWorld();
    const webhook = await channel();
    const sent: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await happen(world, count === 1 ? 1 : 0);
      sent.push(await tellOfAlert(world));
      await happen(world);
    }
    let made = 0;
    world.vault.tables.faults = async () => {
      made += 1;
      return made === at ? fault : 'none';
    };
    await run(world, webhook).catch((error) => expect(error).toMatchObject({ code: 'unavailable' }));
    const total = made;
    world.vault.tables.faults = async () => 'none';
    world.vault.clock.advance(LEASE);
    await run(world, webhook);
    expect({ fault, at, events: [...new Set(world.receiver.events)] }).toEqual({ fault, at, events: sent });
    expect(world.receiver.events.length).toBeLessThanOrEqual(sent.length + 1);
    return total;
  }

  it('wherever they strike, before or after taking effect, no alert is skipped or out of order', async () => {
    const total = await callsOf('none', 0);
    expect(total).toBeGreaterThan(15);
    for (let at = 1; at <= total; at += 1) {
      await callsOf('before', at);
      await callsOf('after', at);
    }
  });
});

describe('the memory of what was passed over', () => {
  it('is of a thousand webhooks, and forgets the one that was noted first', () => {
    const passedOver = new PassedOver();
    const found = { version: 3, state: { start: 1, next: { 0: 1 } } };
    const webhookOf = (index: number) =>
      ({ id: createHash('sha256').update(String(index)).digest('hex') }) as Webhook;
    for (let index = 0; index <= 1_000; index += 1) passedOver.note(webhookOf(index), found, { 0: 9 });
    expect(passedOver.next(webhookOf(0), found)).toEqual({ 0: 1 });
    expect(passedOver.next(webhookOf(1), found)).toEqual({ 0: 9 });
  });

  it('counts for nothing once the state was stored or begins elsewhere', () => {
    const passedOver = new PassedOver();
    const webhook = { id: 'wh_1' } as Webhook;
    passedOver.note(webhook, { version: 3, state: { start: 1, next: { 0: 1 } } }, { 0: 9 });
    expect(passedOver.next(webhook, { version: 4, state: { start: 1, next: { 0: 7 } } })).toEqual({ 0: 7 });
    expect(passedOver.next(webhook, { version: 3, state: { start: 2, next: { 0: 2 } } })).toEqual({ 0: 2 });
  });
});
