import type { DevVault } from '../local/dev-vault.ts';
import { createGateway } from '../local/gateway.ts';
import { openServer } from '../local/server.ts';
import { compare, type Line, ratio } from './support/measure.ts';

const REQUESTS = 300;
const ROUNDS = 5;

/** Revealing a secret over HTTP, one request after the other, against a handler that does nothing behind the same gateway. */
export async function benchReveal({ config }: DevVault): Promise<Line[]> {
  const headers = { authorization: `Bearer ${config.apiKey}`, 'content-type': 'application/json' };
  const stored = await fetch(`${config.url}/secrets`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      namespace: 'bench',
      name: `reveal-${Date.now()}`,
      value: 'a value of ordinary length: 64 characters or thereabouts, say.',
    }),
  });
  const { id } = (await stored.json()) as { id: string };
  const empty = await openServer(0, [
    createGateway({
      invoke: async () => ({ statusCode: 200, body: '{}' }),
      rateLimit: () => true,
      now: Date.now,
    }),
  ]);
  try {
    const { ours, reference } = await compare(
      ROUNDS,
      () => requests(`${config.url}/secrets/${id}/reveal`, headers),
      () => requests(`http://127.0.0.1:${empty.port}/`, headers),
    );
    return [
      {
        what: 'reveal a secret over HTTP, against an empty handler (time)',
        ours: `${(ours / REQUESTS).toFixed(2)} ms`,
        reference: `${(reference / REQUESTS).toFixed(2)} ms`,
        ratio: ratio(ours / reference),
      },
    ];
  } finally {
    await empty.stop();
  }
}

async function requests(url: string, headers: Record<string, string>): Promise<void> {
  for (let count = 0; count < REQUESTS; count += 1) {
    const response = await fetch(url, { method: 'POST', headers, body: '{}' });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`The request was answered with ${response.status}.`);
  }
}
