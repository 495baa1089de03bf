import { randomBytes } from 'node:crypto';
import type { DevConfig } from './dev-config.ts';

/** The demo workspace, the key that owns it, and the person. */
export type Owner = Pick<DevConfig, 'workspaceId' | 'apiKey' | 'owner'>;

/** What only the operator of a deployment can do. */
export interface Operator {
  readSetupToken(): Promise<string>;
  /** Puts a fresh one in place. */
  rotateSetupToken(): Promise<void>;
}

/**
 * The owner of the demo workspace: the one remembered, while its key works; else one made through `POST /setup`, as an
 * operator would. Where the workspace has outlived its keys, a fresh setup token recovers it.
 */
export async function obtainOwner(
  url: string,
  operator: Operator,
  remembered: Owner | undefined,
): Promise<Owner> {
  if (remembered?.owner !== undefined && (await answersTo(url, remembered))) {
    return { workspaceId: remembered.workspaceId, apiKey: remembered.apiKey, owner: remembered.owner };
  }
  const owner = await setUp(url, await operator.readSetupToken());
  if (owner !== undefined) return owner;
  await operator.rotateSetupToken();
  const recovered = await setUp(url, await operator.readSetupToken());
  if (recovered !== undefined) return recovered;
  throw new Error('POST /setup refused a fresh setup token.');
}

/** Whether the vault there knows this key. Throws where what answers is no vault, or nothing does. */
export async function answersTo(url: string, { apiKey }: Pick<Owner, 'apiKey'>): Promise<boolean> {
  const answer = await fetch(`${url}/namespaces?limit=1`, { headers: { Authorization: `Bearer ${apiKey}` } });
  await answer.body?.cancel();
  if (answer.ok || answer.status === 401) return answer.ok;
  throw new Error(`The vault answered GET /namespaces with ${answer.status}.`);
}

/** Nothing where the token was used before. */
async function setUp(url: string, setupToken: string): Promise<Owner | undefined> {
  const owner = { email: OWNER_EMAIL, password: newPassword() };
  const answer = await fetch(`${url}/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ setupToken, workspaceName: 'Demo', ...owner }),
  });
  const text = await answer.text();
  if (answer.status === 401) return undefined;
  if (answer.status !== 201) throw new Error(`POST /setup answered ${answer.status}: ${text}`);
  const made = JSON.parse(text) as { workspaceId: string; apiKey: { key: string } };
  return { workspaceId: made.workspaceId, apiKey: made.apiKey.key, owner };
}

const OWNER_EMAIL = 'ada@lockzero.local';

/** Random, so that no two laptops share one; the last characters make it one that the policy takes. */
function newPassword(): string {
  return `${randomBytes(12).toString('base64url')}-Aa1!`;
}
