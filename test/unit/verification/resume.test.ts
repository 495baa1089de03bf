import type { BreakReason } from '../../../core/audit/verify-lane.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { LEASE_MS } from '../../../core/verification/under-lease.ts';
import { verifyDue } from '../../../core/verification/verify-due.ts';
import { verifyOnOrder } from '../../../core/verification/verify-on-order.ts';
import { memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

jest.setTimeout(60_000);

const FOREVER = new Promise<never>(() => {});
const LIMITS = { mayGoOn: () => true, slice: 4 };

let world: VerificationWorld;
let workspaceId: string;
let secretId: string;
let write: () => Promise<unknown>;
beforeEach(async () => {
  const made = await verificationWorld();
  const { vault, owner } = made;
  ({ world, workspaceId } = made);
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  await createNamespace(vault, owner, { name: 'other' });
  await world.nextDay();
  await world.job();
  write = () => putValue(vault, owner, secretId, 'again');
  await write();
  await world.seal();
});

type Mishap = 'before' | 'after' | 'crash before' | 'crash after';

/** Lets call number `at` of all ports go wrong; gives how many calls there were. */
function mishapAt(
  at: number,
  mishap: Mishap,
): { readonly calls: () => number; readonly crashed: Promise<'crashed'> } {
  const { tables } = world.vault;
  let calls = 0;
  let crash: () => void = () => {};
  const crashed = new Promise<'crashed'>((resolve) => {
    crash = () => resolve('crashed');
  });
  tables.faults = async () => {
    calls += 1;
    if (calls !== at) return 'none';
    if (mishap === 'crash before') {
      crash();
      return FOREVER;
    }
    return mishap === 'crash after' ? 'none' : mishap;
  };
  tables.answers = async () => {
    if (calls !== at || mishap !== 'crash after') return;
    crash();
    await FOREVER;
  };
  return { calls: () => calls, crashed };
}

/** What one instance keeps in memory is not there in the next. */
function newInstance() {
  const { alerts } = world.parts;
  return { ...memoryVault(world.vault), alerts };
}

/** Gives what puts rows and states back as they are now: each run leaves a row behind, which the next would verify. */
function snapshot(): () => void {
  const { tables, verifications } = world.vault;
  const [rows, states] = [new Map(tables.rows), new Map(verifications.states)];
  return () => {
    refill(tables.rows, rows);
    refill(verifications.states, states);
  };
}

function refill<K, V>(map: Map<K, V>, content: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}

function noMishaps(): void {
  world.vault.tables.faults = async () => 'none';
  world.vault.tables.answers = async () => undefined;
}

const honest = () => undefined;
const edited = () => world.tamperer.editEntity('secret', secretId, { isCUI: true });

it.each<[Mishap, string, () => void, BreakReason[]]>([
  ['after', 'finds nothing in an honest history', honest, []],
  ['crash after', 'finds nothing in an honest history', honest, []],
  ['before', 'finds what is wrong', edited, ['entity_altered']],
  ['crash before', 'finds what is wrong', edited, ['entity_altered']],
])(
  'where each call in turn goes wrong (%s), a verification is resumed and %s',
  async (mishap, _what, tamper, expected) => {
    tamper();
    const restore = snapshot();
    let at = 0;
    for (let wasHit = true; wasHit; ) {
      at += 1;
      const trouble = mishapAt(at, mishap);
      const run = verifyOnOrder(newInstance(), workspaceId, 'complete', LIMITS);
      await Promise.race([run, trouble.crashed]);
      wasHit = trouble.calls() >= at;
      noMishaps();
      world.vault.clock.advance(LEASE_MS);
      const result = await verifyOnOrder(newInstance(), workspaceId, 'complete', LIMITS);
      world.vault.clock.advance(-LEASE_MS);
      const found = result?.findings?.breaks.map(({ reason }) => reason);
      expect({ at, found }).toEqual({ at, found: expected });
      restore();
    }
    expect(at).toBeGreaterThan(50);
  },
);

it('the job goes on with what an earlier one began, and ends when the time is up', async () => {
  world.vault.clock.advance(7 * 24 * 60 * 60 * 1000);
  await world.seal();
  const finished: string[] = [];
  for (let runs = 1; finished.length < 3; runs += 1) {
    let saved = 0;
    world.vault.tables.faults = async ({ name }) => {
      if (name.startsWith('verifications.replace')) saved += 1;
      return 'none';
    };
    // Each slice saves the state twice: with the lease, and with what came of it.
    const mayGoOn = () => saved < 4;
    for await (const { workspaceId: id, kind } of verifyDue(world.parts, { mayGoOn, slice: 2 }))
      finished.push(`${id} ${kind}`);
    expect(runs).toBeLessThan(60);
  }
  expect(finished.sort()).toEqual(
    ['_platform complete', '_platform entities', `${workspaceId} complete`].sort(),
  );
});

it('two verifiers do not work on one workspace at once', async () => {
  const other: unknown[] = [];
  let isInside = false;
  world.vault.tables.answers = async ({ name }) => {
    if (name !== 'inspector.inspect' || isInside) return;
    isInside = true;
    other.push(await verifyOnOrder(world.parts, workspaceId, 'complete', LIMITS));
    isInside = false;
  };
  expect((await world.verify(workspaceId, 'complete', 3)).breaks).toEqual([]);
  expect(other.length).toBeGreaterThan(2);
  expect(other.every((result) => result === undefined)).toBe(true);
  const recorded = rowsOf(world.vault, workspaceId).filter(
    ({ action, detail }) => action === 'audit.verified' && detail['kind'] === 'complete',
  );
  expect(recorded).toHaveLength(2);
});

describe('a workspace that cannot be verified', () => {
  const broken = () => ({
    ...world.parts,
    ledger: {
      ...world.parts.ledger,
      rows: (lane: { workspaceId: string; lane: number }, ...rest: [number, number]) =>
        lane.workspaceId === workspaceId
          ? Promise.reject(new Error('Something nobody foresaw.'))
          : world.parts.ledger.rows(lane, ...rest),
    },
  });

  it('keeps no other from its turn, and is told after three tries in a row', async () => {
    world.vault.clock.advance(7 * 24 * 60 * 60 * 1000);
    for (const told of [0, 0, 1, 1, 1, 2]) {
      const results = await world.job(3, broken());
      expect(results).toContainEqual(
        expect.objectContaining({
          workspaceId,
          error: expect.objectContaining({ message: expect.anything() }),
        }),
      );
      const failed = world.alerts.filter(({ kind }) => kind === 'job_failed');
      expect(failed).toHaveLength(told);
    }
    expect(rowsOf(world.vault, '_platform').at(-1)).toMatchObject({ action: 'audit.verified' });
    await world.seal();
    expect(await world.job()).toMatchObject([{ workspaceId, findings: { broken: expect.any(Number) } }]);
    expect(await world.job()).toEqual([]);
  });
});
