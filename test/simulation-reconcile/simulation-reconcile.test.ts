import { CRIMES, type History, playHistory } from './history.ts';
import { mutants } from './mutants.ts';

/** `HISTORIES=1000 SEED=5000 npx jest test/simulation-reconcile` plays more, and others. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 15);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
/** More than any mutant needs. */
const MOST_HISTORIES = 40;
const TIME_LIMIT_MS = 60_000 + 1_000 * HISTORIES;

const seeds = Array.from({ length: HISTORIES }, (_, index) => FIRST_SEED + index);

it.each(['none', 'gentle'] as const)(
  `raises no alert for honest histories; trouble: %s`,
  async (trouble) => {
    for (const seed of seeds) {
      const { alerts, honestCalls, outcomes } = await playHistory(seed, { trouble });
      expect({ seed, alerts }).toEqual({ seed, alerts: [] });
      const calls = [...outcomes.values()].reduce((sum, outcome) => sum + outcome.calls, 0);
      expect({ seed, calls }).toEqual({ seed, calls: honestCalls });
      expect(honestCalls).toBeGreaterThan(ACTS);
    }
  },
  TIME_LIMIT_MS,
);
/** Half of the requests of a history. */
const ACTS = 14;

it(
  'raises no alert for honest histories in rough times, but for a retry that could not be written down',
  async () => {
    for (const seed of seeds) {
      const { reported, repeated, strange } = await playHistory(seed, { trouble: 'rough' });
      const unfounded = [...reported].filter(([value, calls]) => calls > (repeated.get(value) ?? 0));
      expect({ seed, unfounded, strange: strange.told }).toEqual({ seed, unfounded: [], strange: 0 });
    }
  },
  TIME_LIMIT_MS,
);

it.each(CRIMES)(
  'finds every decryption past the vault: %s',
  async (crime) => {
    for (const seed of seeds.slice(0, Math.ceil(HISTORIES / 2))) {
      const history = await playHistory(seed, { trouble: 'gentle', crimes: [crime, crime] });
      expect({ seed, missed: missed(history) }).toEqual({ seed, missed: [] });
      expect({ seed, falseAlarms: falseAlarms(history) }).toEqual({ seed, falseAlarms: [] });
    }
  },
  TIME_LIMIT_MS,
);

it(
  'in rough times, hides no more than rows were left over for',
  async () => {
    for (const seed of seeds) {
      const history = await playHistory(seed, { trouble: 'rough', crimes: CRIMES });
      const hidden = missed(history).filter((value) => {
        const { committed, reported, spare } = history;
        const least = (committed.get(value) ?? 0) - Math.max(0, spare.get(value) ?? 0);
        return (reported.get(value) ?? 0) < least;
      });
      expect({ seed, hidden }).toEqual({ seed, hidden: [] });
    }
  },
  TIME_LIMIT_MS,
);

it('plays a history from its seed alone', async () => {
  const play = (seed: number) => playHistory(seed, { trouble: 'rough', crimes: CRIMES });
  const [first, second, other] = [await play(7), await play(7), await play(8)];
  expect(second).toEqual(first);
  expect(other).not.toEqual(first);
});

describe('a broken part shows:', () => {
  it.each([...mutants])(
    '$name ($shows)',
    async (mutant) => {
      for (let seed = 1; seed <= MOST_HISTORIES; seed += 1) {
        const { trouble, crimes = [] } = mutant;
        const history = await playHistory(seed, { trouble, crimes, mutant });
        const found = mutant.shows === 'missed' ? missed(history) : falseAlarms(history);
        if (found.length > 0) return;
      }
      throw new Error(`${MOST_HISTORIES} histories with this broken part passed.`);
    },
    TIME_LIMIT_MS,
  );
});

/** Values of which less was reported than was decrypted past the vault; and strangers that were not told of. */
function missed({ committed, reported, strange }: History): string[] {
  if (strange.told < strange.made) return ['strangers'];
  return [...committed]
    .filter(([value, crimes]) => (reported.get(value) ?? 0) < crimes)
    .map(([value]) => value);
}

/** Values of which more was reported. */
function falseAlarms({ committed, reported }: History): string[] {
  return [...reported]
    .filter(([value, calls]) => calls > (committed.get(value) ?? 0))
    .map(([value]) => value);
}
