import {
  type DeliveryReport,
  deliverDeployment,
  deliverWorkspaces,
} from '../../../core/siem/deliver-workspaces.ts';
import type { SendOutcome } from '../../../core/siem/sender.ts';
import { updateWebhook } from '../../../core/siem/update-webhook.ts';
import type { Webhook } from '../../../core/siem/webhook.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callerWith } from '../../support/memory-vault.ts';
import {
  ACCEPTED,
  addWebhook,
  eventIds,
  happen,
  type SiemWorld,
  siemWorld,
  tellOfAlert,
} from '../../support/siem-world.ts';

let world: SiemWorld;
beforeEach(async () => {
  world = await siemWorld();
});

const hook = async (host: string): Promise<Webhook> =>
  (await addWebhook(world, { url: `https://${host}.example.com/` })).webhook;
const deadline = (): number => world.vault.clock.now() + 45_000;
const hostsAsked = (): string[] =>
  world.receiver.requests.map(({ url }) => new URL(url).hostname.split('.')[0] ?? '');
const report = ({ events, failures }: DeliveryReport) => [events, failures.length];

/** A workspace of its own, with one webhook. */
async function tenant(host: string): Promise<{ readonly other: SiemWorld; readonly webhook: Webhook }> {
  const workspaceId = await addWorkspace(world.vault);
  const other = { ...world, workspaceId, owner: callerWith({ role: 'owner', workspaceId }) };
  return { other, webhook: (await addWebhook(other, { url: `https://${host}.example.com/` })).webhook };
}

describe('some workspaces', () => {
  it('sends to all its webhooks, each from its own beginning, and to nobody else', async () => {
    await hook('first');
    await hook('second');
    await tenant('stranger');
    expect(report(await deliverWorkspaces(world.parts, [world.workspaceId], deadline()))).toEqual([3, 0]);
    expect(hostsAsked().toSorted()).toEqual(['first', 'second']);
  });

  it('without webhooks has nothing to do', async () => {
    expect(report(await deliverWorkspaces(world.parts, [world.workspaceId], deadline()))).toEqual([0, 0]);
  });

  it('leaves those alone that are paused', async () => {
    const paused = await hook('paused');
    await hook('active');
    await updateWebhook(world.vault, world.owner, paused.id, { state: 'paused' });
    await deliverWorkspaces(world.parts, [world.workspaceId], deadline());
    expect(hostsAsked()).toEqual(['active']);
  });

  it('a receiver that is slow keeps what happens meanwhile from nobody', async () => {
    await hook('slow');
    await hook('quick');
    const last = async (): Promise<string> => {
      await happen(world);
      return `0-${(await world.vault.ledger.lastRow({ workspaceId: world.workspaceId, lane: 0 }))?.seq}`;
    };
    let arrived: () => void = () => undefined;
    let awaited: string | undefined;
    world.receiver.answer = async (request): Promise<SendOutcome> => {
      if (request.url.includes('slow') && awaited === undefined) {
        const meanwhile = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        awaited = await last();
        await meanwhile;
      } else if (request.url.includes('quick') && awaited && eventIds(request).includes(awaited)) arrived();
      return ACCEPTED;
    };
    expect(report(await deliverWorkspaces(world.parts, [world.workspaceId], deadline()))[1]).toBe(0);
    expect(hostsAsked()).toContain('quick');
    expect(world.receiver.events).toContain(awaited);
  });

  it('what keeps the deliverer from one webhook does not keep it from another', async () => {
    const broken = await hook('broken');
    await hook('good');
    world.vault.deliveries.read = new Proxy(world.vault.deliveries.read, {
      apply: (read, self, [webhook]: [Webhook]) => {
        if (webhook.id === broken.id) throw new Error('damaged');
        return Reflect.apply(read, self, [webhook]);
      },
    });
    const { events, failures } = await deliverWorkspaces(world.parts, [world.workspaceId], deadline());
    expect(events).toBe(1);
    expect(failures).toMatchObject([{ webhookId: broken.id, error: { message: 'damaged' } }]);
  });
});

describe('several workspaces that are woken together', () => {
  it('a slow receiver of one keeps what happens meanwhile from no receiver of the other', async () => {
    await hook('slow');
    const { other } = await tenant('quick');
    const [begun, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let awaited: string | undefined;
    world.receiver.answer = async (request): Promise<SendOutcome> => {
      if (request.url.includes('slow')) {
        await begun.promise;
        await happen(other);
        const last = await world.vault.ledger.lastRow({ workspaceId: other.workspaceId, lane: 0 });
        awaited = `0-${last?.seq}`;
        await arrived.promise;
      } else if (awaited === undefined) begun.resolve();
      else if (eventIds(request).includes(awaited)) arrived.resolve();
      return ACCEPTED;
    };
    const woken = [world.workspaceId, other.workspaceId];
    expect(report(await deliverWorkspaces(world.parts, woken, deadline()))).toEqual([3, 0]);
  });

  it('one that cannot be looked at is reported, and keeps nothing from the other', async () => {
    await hook('first');
    const { other } = await tenant('second');
    const { list } = world.vault.store;
    const store = {
      ...world.vault.store,
      list: (async (kind, query) => {
        if (query.prefix?.startsWith(world.workspaceId)) throw new Error('damaged');
        return list(kind, query);
      }) as typeof list,
    };
    const woken = [world.workspaceId, other.workspaceId];
    const { events, failures } = await deliverWorkspaces({ ...world.parts, store }, woken, deadline());
    expect(events).toBe(1);
    expect(failures).toMatchObject([{ workspaceId: world.workspaceId, error: { message: 'damaged' } }]);
  });
});

describe('the whole deployment', () => {
  it('sends alerts first, wherever it begins', async () => {
    for (let count = 0; count < 40; count += 1) await tenant(`t${count}`);
    await addWebhook(world, { url: 'https://pager.example.com/', feed: 'alerts' });
    await tellOfAlert(world);
    world.receiver.answer = async () => {
      world.vault.clock.advance(60_000);
      return ACCEPTED;
    };
    await deliverDeployment(world.parts, deadline());
    expect(hostsAsked()).toContain('pager');
    expect(hostsAsked().length).toBeLessThanOrEqual(20);
  });

  it('sends to the webhooks of all workspaces, more than are read or worked on at once', async () => {
    await hook('first');
    for (let count = 0; count < 110; count += 1) await tenant(`t${count}`);
    expect(report(await deliverDeployment(world.parts, deadline()))).toEqual([111, 0]);
    expect(new Set(hostsAsked()).size).toBe(111);
  });

  it('without webhooks has nothing to do', async () => {
    expect(report(await deliverDeployment(world.parts, deadline()))).toEqual([0, 0]);
  });

  it('stops taking new work at its deadline, and reaches the others in other runs', async () => {
    for (let count = 0; count < 60; count += 1) await tenant(`t${count}`);
    world.receiver.answer = async () => {
      world.vault.clock.advance(3_000);
      return ACCEPTED;
    };
    for (let runs = 0; runs < 20 && new Set(hostsAsked()).size < 60; runs += 1) {
      await deliverDeployment(world.parts, deadline());
    }
    expect(world.receiver.requests.length).toBe(60);
    expect(new Set(hostsAsked()).size).toBe(60);
  });

  it('a receiver that does not answer holds up its own webhook alone', async () => {
    await tenant('dead');
    for (let count = 0; count < 30; count += 1) await tenant(`t${count}`);
    let giveUp: (outcome: SendOutcome) => void = () => undefined;
    world.receiver.answer = ({ url }) =>
      url.includes('dead')
        ? new Promise((resolve) => {
            giveUp = resolve;
          })
        : Promise.resolve(ACCEPTED);
    const running = deliverDeployment(world.parts, deadline());
    while (world.receiver.accepted.length < 30) await new Promise(setImmediate);
    giveUp({ status: 'failed', reason: 'timed_out' });
    expect(report(await running)).toEqual([30, 0]);
  });
});
