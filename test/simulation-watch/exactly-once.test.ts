import { type Coverage, FAULTS, neverMet } from '../simulation-log/faults.ts';
import { playHistory, playSmall } from './history.ts';
import { mutants, withoutLeases } from './mutants.ts';
import { WORKSPACE } from './world.ts';

/** `HISTORIES=1000 SEED=5000 npx jest test/simulation-watch` plays more, and others. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 100);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
/** More than any mutant needs. */
const MOST_HISTORIES = 100;
const TIME_LIMIT_MS = 60_000 + 1_000 * HISTORIES;

it(
  `each row counts once and each finding is one alert in ${HISTORIES} histories, whatever runs die or meet`,
  async () => {
    const coverage: Coverage = new Set();
    const lanes = new Set<number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
      const { violations, world } = await playHistory(seed, coverage);
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      for (const { workspaceId, lane } of world.tables.rows.values())
        if (workspaceId === WORKSPACE) lanes.add(lane);
    }
    expect(lanes.size).toBeGreaterThan(2);
    if (HISTORIES >= 10_000) expect(neverMet(coverage)).toEqual([]);
  },
  TIME_LIMIT_MS,
);

it(
  'two runs at once that know of no lease count nothing twice either',
  async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES / 4; seed += 1) {
      const { violations } = await playHistory(seed, new Set(), withoutLeases);
      expect({ seed, violations }).toEqual({ seed, violations: [] });
    }
  },
  TIME_LIMIT_MS,
);

it('a history is played from its seed alone', async () => {
  const [first, second, other] = [
    await playHistory(7, new Set()),
    await playHistory(7, new Set()),
    await playHistory(8, new Set()),
  ];
  expect(second.world.states).toEqual(first.world.states);
  expect(other.world.states).not.toEqual(first.world.states);
});

it(
  'every call of a run goes wrong in every way',
  async () => {
    const { calls } = await playSmall();
    expect(new Set(calls)).toEqual(
      new Set([
        'store.list',
        'states.read',
        'ledger.extraLanes',
        'ledger.lastRow',
        'ledger.rows',
        'store.get',
        'states.replace',
        'states.readActors',
        'ledger.append',
        'states.replaceActor',
      ]),
    );
    for (const [index, call] of calls.entries()) {
      for (const fault of FAULTS.filter((one) => one !== 'none')) {
        const { violations } = await playSmall(index + 1, fault);
        expect({ index, call, fault, violations }).toEqual({ index, call, fault, violations: [] });
      }
    }
  },
  TIME_LIMIT_MS,
);

describe('the checker finds fault with', () => {
  it.each([...mutants])(
    '$name',
    async ({ alter, caughtBy, isSubtle }) => {
      for (let number = 1; number <= MOST_HISTORIES; number += 1) {
        const { violations } = isSubtle
          ? await playSmall(number, 'crash after', alter)
          : await playHistory(number, new Set(), alter);
        if (violations.some((violation) => caughtBy.test(violation))) return;
      }
      throw new Error(`${MOST_HISTORIES} histories with this broken part passed.`);
    },
    TIME_LIMIT_MS,
  );
});
