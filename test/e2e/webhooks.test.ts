import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OutgoingRequest } from '../../core/siem/sender.ts';
import { withDevVault } from '../support/api.ts';
import { eventIds, isSignedWith } from '../support/siem-world.ts';

/** A receiver on this machine, as somebody would write it. */
class Receiver {
  readonly requests: OutgoingRequest[] = [];
  readonly server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    response.writeHead(204).end();
    this.requests.push({ url: request.url ?? '', headers, body });
    this.#arrivals.emit('request');
  });
  readonly #arrivals = new EventEmitter();

  url(path: string): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}${path}`;
  }

  get events(): { readonly type: string; readonly data: object }[] {
    return this.requests.flatMap(({ body }) => JSON.parse(body));
  }

  /** Resolves once so many events have come. */
  async until(count: number): Promise<void> {
    while (this.events.length < count) await once(this.#arrivals, 'request');
  }
}

withDevVault('webhooks', (vault) => {
  const receiver = new Receiver();
  const onCall = new Receiver();
  const { requests } = receiver;
  beforeAll(async () => {
    for (const { server } of [receiver, onCall]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  });
  afterAll(async () => {
    for (const { server } of [receiver, onCall]) {
      server.close();
      await once(server, 'close');
    }
  });

  it('a receiver gets what happens, signed and in order, and the history tells of it', async () => {
    const url = receiver.url('/events');
    const json = { name: 'SIEM', url, credential: 't0ken' };
    const made = await vault.owner.post('/workspace/webhooks', { json });
    expect(made.status).toBe(201);
    await vault.owner.get('/secrets');
    // Woken by what happens; the job of each minute is there in case.
    await vault.runJob('deliverer');
    await receiver.until(2);
    for (const request of requests) {
      expect(isSignedWith(made.json.secret, request)).toBe(true);
      expect(request).toMatchObject({ url: '/events', headers: { authorization: 'Bearer t0ken' } });
    }
    const types = receiver.events.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(['lockzero.webhook.created', 'lockzero.secret.listed']);
    const { json: trail } = await vault.owner.get('/audit');
    expect(trail.items).toEqual(expect.arrayContaining(receiver.events.map(({ data }) => data)));
    let history: { readonly items: readonly object[] } = { items: [] };
    // Written down a moment after the receiver has answered.
    while (history.items.length === 0) {
      history = (await vault.owner.get(`/workspace/webhooks/${made.json.id}/deliveries`)).json;
    }
    expect(history.items.at(-1)).toMatchObject({
      accepted: true,
      status: 204,
      firstEventId: requests.map(eventIds)[0]?.[0],
    });
    // Neither webhooks nor the bookkeeping of deliveries look like somebody's work behind the vault's back.
    const { json: verified } = await vault.owner.post('/audit/verify', { json: {} });
    expect(verified).toMatchObject({ ok: true });
  });

  it('a webhook of alerts is woken for what concerns it, and for nothing else', async () => {
    const json = { name: 'on call', feed: 'alerts', url: onCall.url('/webhook/x') };
    const made = await vault.owner.post('/workspace/webhooks', { json });
    expect(made.status).toBe(201);
    await vault.owner.get('/secrets');
    const tested = await vault.owner.post(`/workspace/webhooks/${made.json.id}/test`);
    expect(tested.status).toBe(202);
    // No job of the schedule is run here: the row itself wakes the deliverer.
    await onCall.until(1);
    const [request] = onCall.requests;
    expect(request && isSignedWith(made.json.secret, request)).toBe(true);
    expect(onCall.requests.flatMap(eventIds)).toEqual([tested.json.eventId]);
    expect(onCall.events).toMatchObject([{ type: 'lockzero.webhook.tested' }]);
  });
});
