import { MAX_SOURCES_PER_MINUTE } from '../../../core/identity/record-failed-authentication.ts';
import { sweepTallies } from '../../../core/identity/sweep-tallies.ts';
import { addKey, apiWorld } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { alertsOf, showRows } from '../../support/raised-alerts.ts';
import { freshAddress, type World } from '../../support/world.ts';

/** X4: a honeypot key looks real, any use raises a critical alert, and its answer is that of any invalid key. */

const MINUTE = 60_000;
const REAL = ['revoked', 'expired', 'honeypot'] as const;
const INVALID = ['unknown', ...REAL] as const;
type Invalid = (typeof INVALID)[number];

let world: World & { readonly vault: MemoryVault };
/** The calls of ports since the last look. */
let calls: string[];
let unknownKeys = 0;
beforeEach(async () => {
  world = await apiWorld();
  calls = [];
  // Both lanes that failures go to are known to this instance, as they are after the first few.
  await use('lz_nonsense', freshAddress());
  await use((await invalidKey('revoked')).token, freshAddress());
  world.vault.tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
});

/** A key of which nobody can tell by looking at it what is wrong with it. */
async function invalidKey(invalid: Invalid): Promise<{ readonly id: string; readonly token: string }> {
  const { vault, workspaceId } = world;
  const past = '2025-12-31T00:00:00.000Z';
  unknownKeys += 1;
  switch (invalid) {
    case 'unknown':
      return { id: '', token: `lz_${String(unknownKeys).padStart(43, 'A')}` };
    case 'revoked':
      return addKey(vault, workspaceId, { role: 'admin', revokedAt: past });
    case 'expired':
      return addKey(vault, workspaceId, { role: 'admin', expiresAt: past });
    case 'honeypot':
      return addKey(vault, workspaceId, { role: 'admin', honeypot: true });
  }
}

/** A request with a key: everything that its holder sees of the answer, and the calls that it took. */
async function use(token: string, ip: string, call = { method: 'GET', path: '/secrets' }) {
  const before = calls.length;
  const answer = await callApi(world.vault, { ...call, token, ip });
  return { answer: JSON.stringify(answer), calls: calls.slice(before) };
}

const FIRST = ['store.find', 'bookkeeping.count', 'bookkeeping.count', 'ledger.append'];
const REPEATED = ['store.find', 'bookkeeping.count'];
const COUNTED = ['store.find', 'bookkeeping.count', 'bookkeeping.count'];

describe('the holder of a honeypot key', () => {
  it.each([
    { method: 'GET', path: '/secrets' },
    { method: 'POST', path: '/secrets/sec_00000000000000000000000000000000/reveal' },
    { method: 'GET', path: '/namespaces/prod/secrets/database/value' },
    { method: 'DELETE', path: '/workspace' },
  ])('sees the answer that every invalid key gets, to the last byte: $method $path', async (call) => {
    const answers = new Set<string>();
    for (const invalid of INVALID) {
      const { token } = await invalidKey(invalid);
      const ip = freshAddress();
      for (let time = 0; time < 3; time += 1) answers.add((await use(token, ip, call)).answer);
    }
    expect([...answers]).toEqual([expect.stringContaining('"status":401')]);
  });

  it.each(INVALID)('waits for the same calls, in the same order, as with any other: %s', async (invalid) => {
    const { token } = await invalidKey(invalid);
    const ip = freshAddress();
    expect((await use(token, ip)).calls).toEqual(FIRST);
    expect((await use(token, ip)).calls).toEqual(REPEATED);
    expect((await use(token, ip)).calls).toEqual(REPEATED);
    expect((await use(token, freshAddress())).calls).toEqual(FIRST);
    world.vault.clock.advance(MINUTE);
    expect((await use(token, ip)).calls).toEqual(FIRST);
  });

  it.each(REAL)(
    'who has tried other keys from the same address in the same minute learns no more: %s',
    async (invalid) => {
      const ip = freshAddress();
      const others = await Promise.all(INVALID.map(invalidKey));
      for (const { token } of [...others, ...others]) await use(token, ip);
      const { token } = await invalidKey(invalid);
      expect((await use(token, ip)).calls).toEqual(FIRST);
      expect((await use(token, ip)).calls).toEqual(REPEATED);
    },
  );
});

describe('in a minute in which more fail than get a row of their own', () => {
  it.each(REAL)('the holder waits for the same calls as ever: %s', async (invalid) => {
    const { token: another } = await invalidKey('revoked');
    for (let source = 0; source <= MAX_SOURCES_PER_MINUTE; source += 1) await use(another, freshAddress());
    const { token } = await invalidKey(invalid);
    const ip = freshAddress();
    expect((await use(token, ip)).calls).toEqual(FIRST);
    expect((await use(token, ip)).calls).toEqual(REPEATED);
  });

  it.each(REAL)('who tries one key from everywhere sees it only counted in the end: %s', async (invalid) => {
    const { token } = await invalidKey(invalid);
    for (let source = 0; source < MAX_SOURCES_PER_MINUTE; source += 1) {
      expect((await use(token, freshAddress())).calls).toEqual(FIRST);
    }
    expect((await use(token, freshAddress())).calls).toEqual(COUNTED);
  });
});

describe('the workspace of a honeypot key', () => {
  const alerts = async () => {
    await showRows(world.vault);
    return (await alertsOf(world.vault, world.workspaceId)).map(
      ({ tier, alertKind, subject, count }) => `${tier} ${alertKind} ${subject}: ${count}`,
    );
  };

  it('has a critical alert that names the key and where it was used', async () => {
    const { id, token } = await invalidKey('honeypot');
    await use(token, '198.51.100.7');
    expect(await alerts()).toEqual([`critical honeypot_used api_key ${id} from 198.51.100.7: 1`]);
  });

  it('is told of two keys that are tried from one address within a minute', async () => {
    const keys = [await invalidKey('honeypot'), await invalidKey('honeypot')];
    for (const { token } of keys) await use(token, '198.51.100.7');
    expect((await alerts()).toSorted()).toEqual(
      keys.map(({ id }) => `critical honeypot_used api_key ${id} from 198.51.100.7: 1`).toSorted(),
    );
  });

  it('is told of repeats with the row that counts them, in the same alert', async () => {
    const { id, token } = await invalidKey('honeypot');
    for (let time = 0; time < 5; time += 1) await use(token, '198.51.100.7');
    world.vault.clock.advance(2 * MINUTE);
    await sweepTallies(world.vault);
    expect(rowsOf(world.vault, world.workspaceId, 1).at(-1)?.detail).toEqual({
      reason: 'honeypot',
      keyId: id,
      sourceIp: '198.51.100.7',
      repeats: '4',
      minute: '2026-01-01T00:00:00.000Z',
    });
    expect(await alerts()).toEqual([`critical honeypot_used api_key ${id} from 198.51.100.7: 2`]);
    const [alert] = await alertsOf(world.vault, world.workspaceId);
    expect(alert?.detail).toEqual({ keyId: id, ip: '198.51.100.7', repeats: '4' });
  });

  it('is told of it, and of its repeats, in a crowd of others that fail', async () => {
    const { token: revoked } = await invalidKey('revoked');
    for (let source = 0; source <= MAX_SOURCES_PER_MINUTE; source += 1) await use(revoked, freshAddress());
    const { id, token } = await invalidKey('honeypot');
    for (let time = 0; time < 2; time += 1) await use(token, '198.51.100.7');
    world.vault.clock.advance(2 * MINUTE);
    await sweepTallies(world.vault);
    expect(await alerts()).toEqual([`critical honeypot_used api_key ${id} from 198.51.100.7: 2`]);
  });

  it('has so many alerts a minute at most, from however many addresses it is tried', async () => {
    const { token } = await invalidKey('honeypot');
    for (let source = 0; source < 3 * MAX_SOURCES_PER_MINUTE; source += 1) await use(token, freshAddress());
    expect(await alerts()).toHaveLength(MAX_SOURCES_PER_MINUTE);
    world.vault.clock.advance(2 * MINUTE);
    await sweepTallies(world.vault);
    expect(rowsOf(world.vault, world.workspaceId, 1).at(-1)?.detail).toMatchObject({
      reason: 'many_sources',
      // With the key that was tried before, in the same minute.
      otherSources: String(2 * MAX_SOURCES_PER_MINUTE + 1),
    });
  });
});
