import { type KeyService, OpeningFailed } from '../../../core/crypto/key-service.ts';
import type { KeyInspector } from '../../../core/encryption-keys/key-inspector.ts';
import { unavailable, VaultError } from '../../../core/kernel/errors.ts';
import { allowanceOf } from '../../../core/reconciliation/allowance.ts';
import { type KeyWorld, keyWorld } from '../../support/key-world.ts';
import { rowsOf } from '../../support/memory-vault.ts';

type Fault = 'before' | 'after' | 'gone';

/** The world's ports of the key service; `at` is told of each call by number and name, and says what befalls it. */
function ports({ vault }: KeyWorld, at: (number: number, call: string) => Fault | undefined) {
  let calls = 0;
  const perform = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    calls += 1;
    const fault = at(calls, name);
    if (fault === 'before') throw unavailable('The key service is down.');
    if (fault === 'gone') {
      const error = new VaultError('key_unavailable', 'The key is gone.');
      throw name === 'decrypt' ? new OpeningFailed(error, 1) : error;
    }
    const done = await work();
    if (fault === 'after') throw unavailable('The answer was lost.');
    return done;
  };
  const { keys } = vault;
  const service: KeyService = {
    generateDataKey: (...args) => perform(`generateDataKey ${args[0]}`, () => keys.generateDataKey(...args)),
    decrypt: (...args) => perform('decrypt', () => keys.decrypt(...args)),
    reEncrypt: (...args) => perform('reEncrypt', () => keys.reEncrypt(...args)),
  };
  const keyInspector: KeyInspector = {
    describe: (keyArn) => perform('describe', () => keys.describe(keyArn)),
    mayGenerate: (...args) => perform('mayGenerate', () => keys.mayGenerate(...args)),
  };
  return { parts: { ...vault, keys: service, keyInspector }, calls: () => calls };
}

/** All calls of a proof that goes well. */
const CALLS = 10;
const numbers = Array.from({ length: CALLS }, (_, index) => index + 1);

test('a proof makes as many calls as are made to fail here', async () => {
  const world = await keyWorld();
  const { parts, calls } = ports(world, () => undefined);
  await world.bring(await world.newKey(), parts);
  expect(calls()).toBe(CALLS);
});

describe.each(numbers)('when call %i of a proof', (failing) => {
  it.each(['before', 'after'] as const)(
    'finds the service down (%s it took effect), nothing changes, and the next try goes well',
    async (fault) => {
      const world = await keyWorld();
      const keyArn = await world.newKey();
      const before = await world.workspace();
      const { parts } = ports(world, (number) => (number === failing ? fault : undefined));
      await expect(world.bring(keyArn, parts)).rejects.toMatchObject({ code: 'unavailable', retryAfter: 2 });
      expect(await world.workspace()).toEqual(before);
      // What was lost on the way is in nobody's hands.
      if (fault === 'before') expect(world.isAllZeroed()).toBe(true);
      expect(await world.bring(keyArn)).toMatchObject({ usable: true });
    },
  );

  it('finds the key gone, it is not taken', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const before = await world.workspace();
    const hit: string[] = [];
    const { parts } = ports(world, (number, name) => {
      if (number !== failing) return undefined;
      hit.push(name);
      return 'gone';
    });
    const outcome = await world.bring(keyArn, parts).catch((error: unknown) => error);
    expect(world.isAllZeroed()).toBe(true);
    // The present key may go: the vault's own, which it is here, is asked a second time.
    if (hit[0] === `generateDataKey ${world.vault.keys.keyArn}`)
      expect(outcome).toMatchObject({ usable: true });
    else {
      expect(['key_refused', 'key_unavailable']).toContain((outcome as VaultError).code);
      expect(await world.workspace()).toEqual(before);
    }
  });
});

it('gives up on a service that is slow, before the caller would', async () => {
  const world = await keyWorld();
  const keyArn = await world.newKey();
  const { parts, calls } = ports(world, () => void world.vault.clock.advance(3_000));
  await expect(world.bring(keyArn, parts)).rejects.toMatchObject({ code: 'unavailable' });
  expect(calls()).toBe(4);
  expect(world.isAllZeroed()).toBe(true);
});

it('leaves nothing behind when the row of the proof cannot be written: no call is made', async () => {
  const world = await keyWorld();
  const keyArn = await world.newKey();
  const trail = { commit: async () => Promise.reject(unavailable('The trail is down.')) };
  const parts = { ...world.vault, trail };
  await expect(world.bring(keyArn, parts)).rejects.toMatchObject({ code: 'unavailable' });
  expect(world.vault.keys.calls).toEqual([]);
});

it.each([1, 2, 4])(
  'is explained to the reconciliation, with %i attempts at each decryption',
  async (attempts) => {
    const world = await keyWorld();
    const { vault, workspaceId } = world;
    const opened: string[] = [];
    vault.keys.log = ({ secretId }) => void opened.push(secretId);
    vault.keys.attempts = attempts;
    await world.bring(await world.newKey());
    const proof = world.rows('encryption_key.proof_started')[0]?.detail['proof'];
    expect(new Set(opened)).toEqual(new Set([proof]));
    const allowed = rowsOf(vault, workspaceId)
      .map(allowanceOf)
      .filter((allowance) => allowance?.value === `${workspaceId}/${proof}/1`)
      .reduce((sum, allowance) => sum + (allowance?.calls ?? 0), 0);
    expect(allowed).toBeGreaterThanOrEqual(opened.length);
    expect(world.rows('key.decrypt_retried')).toHaveLength(attempts === 1 ? 0 : 1);
  },
);

it('counts the attempts of decryptions that are refused, too', async () => {
  const world = await keyWorld();
  const { vault, workspaceId } = world;
  vault.keys.attempts = 2;
  const keyArn = vault.keys.add(await world.newKey(), (use) => use !== 'Decrypt');
  await expect(world.bring(keyArn)).rejects.toMatchObject({ code: 'key_refused' });
  const [retried] = world.rows('key.decrypt_retried');
  expect(retried).toMatchObject({ entity: { type: 'encryption_key' }, detail: { attempts: '3' } });
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({ result: 'failure' });
});
