import { type Coverage, type Fault, neverMet } from '../simulation-log/faults.ts';
import { playHistory, playRestoredBetween, playSmall } from './history.ts';
import { mutants } from './mutants.ts';

/** `HISTORIES=1000 SEED=5000 npx jest test/simulation-keys` plays more, and others. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 50);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
/** More than any mutant needs. */
const MOST_HISTORIES = 200;
const TIME_LIMIT_MS = 60_000 + 1_000 * HISTORIES;
const TURNS = [
  'encryption_key.migration_blocked',
  'encryption_key.migration_completed',
  'encryption_key.previous_retired',
  'deployment_key.migration_completed',
  'secret.restored',
  'secret.purged',
];
/** The others end as one of these does. */
const WORST: readonly Fault[] = ['after', 'late', 'crash before', 'crash after'];

it(
  `values move from key to key in ${HISTORIES} histories, and nobody notices`,
  async () => {
    const coverage: Coverage = new Set();
    const actions = new Set<string>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
      const { violations, world } = await playHistory(seed, coverage);
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      for (const { rows } of world.evidence.commits) for (const { action } of rows) actions.add(action);
    }
    // The histories are worth something only if all of this happens in them.
    if (HISTORIES >= 50) expect(TURNS.filter((action) => !actions.has(action))).toEqual([]);
    if (HISTORIES >= 10_000) expect(neverMet(coverage)).toEqual([]);
  },
  TIME_LIMIT_MS,
);

it('a history is played from its seed alone', async () => {
  const [first, second, other] = [
    await playHistory(7, new Set()),
    await playHistory(7, new Set()),
    await playHistory(8, new Set()),
  ];
  expect(second.world.tables.rows).toEqual(first.world.tables.rows);
  expect(other.world.tables.rows).not.toEqual(first.world.tables.rows);
});

it(
  'every call of a migration goes wrong in every way',
  async () => {
    const { calls } = await playSmall();
    expect(new Set(calls)).toEqual(
      new Set([
        'store.get',
        'store.list',
        'store.listChildren',
        'ledger.lastRow',
        'ledger.append',
        'inspector.describe',
        'inspector.mayGenerate',
        'keys.generateDataKey',
        'keys.decrypt',
        'keys.reEncrypt',
      ]),
    );
    for (const [index, call] of calls.entries()) {
      for (const fault of WORST) {
        const { violations } = await playSmall(index + 1, fault);
        expect({ index, call, fault, violations }).toEqual({ index, call, fault, violations: [] });
      }
    }
  },
  TIME_LIMIT_MS,
);

it('a secret that is restored between two passes is not overlooked while lists lag', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { violations } = await playRestoredBetween(seed);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
  }
});

describe('the checker finds fault with', () => {
  it.each([...mutants])(
    '$name',
    async ({ broken, caughtBy, firstSeed = 1, story }) => {
      for (let seed = firstSeed; seed < firstSeed + MOST_HISTORIES; seed += 1) {
        const { violations } = await (story?.(seed, broken) ?? playHistory(seed, new Set(), broken));
        if (violations.some((violation) => caughtBy.test(violation))) return;
      }
      throw new Error(`${MOST_HISTORIES} histories with this broken part passed.`);
    },
    TIME_LIMIT_MS,
  );
});
