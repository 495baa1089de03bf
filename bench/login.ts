import { createPasswordHasher } from '../core/identity/passwords.ts';
import type { Vault } from '../lambdas/shared/compose-vault.ts';
import { startDynamoDbLocal } from '../local/dynamodb-local.ts';
import { callApi } from '../test/support/call-api.ts';
import { addPerson } from '../test/support/people.ts';
import { openCountedVault } from './support/counted-vault.ts';
import { compare, type Line, ratio } from './support/measure.ts';

const ROUNDS = 21;
const WORKSPACE = 'Timing';

/**
 * A login with a wrong password against one of an account that does not exist, with the real cost of hashing: whoever
 * measures answers must not learn which accounts there are. Each attempt has an address and an account of its own, so
 * that no limit and no lock plays a part.
 */
export async function benchLogin(): Promise<Line[]> {
  const database = await startDynamoDbLocal();
  try {
    const counted = await openCountedVault(database.endpoint);
    const vault: Vault = { ...counted.vault, hasher: createPasswordHasher() };
    try {
      const json = { setupToken: counted.setupToken, workspaceName: WORKSPACE };
      const { json: made } = await callApi(vault, { method: 'POST', path: '/setup', json });
      const { workspaceId } = made as { workspaceId: string };
      const known: string[] = [];
      // `compare` runs each side once before it measures.
      while (known.length < ROUNDS + 1) {
        const email = `known-${known.length}@example.com`;
        await addPerson(vault, workspaceId, { email, role: 'viewer' });
        known.push(email);
      }
      let attempts = 0;
      const tryOut = async (email: string): Promise<void> => {
        attempts += 1;
        const ip = `198.51.${Math.floor(attempts / 250)}.${attempts % 250}`;
        const body = { email, password: 'Wrong-Horse-7-Battery' };
        const { status } = await callApi(vault, { method: 'POST', path: '/auth/login', json: body, ip });
        if (status !== 401) throw new Error(`A wrong login was answered with ${status}.`);
      };
      const { ours, reference } = await compare(
        ROUNDS,
        () => tryOut(`unknown-${attempts}@example.com`),
        () => tryOut(known.pop() ?? ''),
      );
      return [
        {
          what: 'a login of an unknown account, against a wrong password (time, medians)',
          ours: `${ours.toFixed(1)} ms`,
          reference: `${reference.toFixed(1)} ms`,
          ratio: ratio(ours / reference),
        },
      ];
    } finally {
      await counted.close();
    }
  } finally {
    await database.stop();
  }
}
