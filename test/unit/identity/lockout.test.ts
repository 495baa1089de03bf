import fc from 'fast-check';
import {
  addFailure,
  LOCK_MS,
  lockedUntil,
  MAX_FAILURES,
  removeFailure,
  WINDOW_MS,
} from '../../../core/identity/lockout.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

/** `count` failures, `gap` apart, the first at `first`. */
function failing(count: number, gap: number, first = START): number[] {
  return Array.from({ length: count }, (_, index) => first + index * gap);
}

function added(times: readonly number[]): readonly number[] {
  return times.reduce<readonly number[]>(addFailure, []);
}

describe('I2: 10 failed logins in 15 minutes lock the account for 30 minutes', () => {
  it('not before the tenth', () => {
    const nine = failing(9, MINUTE);
    const tenth = START + 9 * MINUTE;
    expect(lockedUntil(added(nine), tenth)).toBeUndefined();
    expect(lockedUntil(added([...nine, tenth]), tenth)).toBe(tenth + 30 * MINUTE);
  });

  it('exactly 30 minutes, from the tenth', () => {
    const ten = added(failing(10, 1_000));
    const tenth = START + 9_000;
    expect(lockedUntil(ten, tenth + 30 * MINUTE - 1)).toBe(tenth + 30 * MINUTE);
    expect(lockedUntil(ten, tenth + 30 * MINUTE)).toBeUndefined();
  });

  it('when they lie within 15 minutes, wherever those begin', () => {
    const gap = (15 * MINUTE) / 9;
    expect(lockedUntil(added(failing(10, gap)), START + 15 * MINUTE)).toBeDefined();
    expect(lockedUntil(added(failing(100, gap + 1)), START + 99 * (gap + 1))).toBeUndefined();
    const slowThenFast = [...failing(9, 5 * MINUTE), ...failing(9, 1_000, START + 60 * MINUTE)];
    expect(lockedUntil(added(slowThenFast), START + 61 * MINUTE)).toBeUndefined();
    expect(lockedUntil(added([...slowThenFast, START + 61 * MINUTE]), START + 61 * MINUTE)).toBeDefined();
  });

  it('when all fail at the same moment', () => {
    expect(lockedUntil(added(failing(10, 0)), START)).toBe(START + LOCK_MS);
  });
});

it('failures while it is locked do not make the lock longer', () => {
  const end = START + LOCK_MS;
  const times = [...failing(10, 0), ...failing(50, 30_000, START + 1)];
  expect(lockedUntil(added(times), START + 29 * MINUTE)).toBe(end);
  expect(lockedUntil(added(times), end)).toBeUndefined();
});

it('after a lock it takes ten more', () => {
  const end = START + LOCK_MS;
  const nine = [...failing(10, 0), ...failing(9, 0, end)];
  expect(lockedUntil(added(nine), end)).toBeUndefined();
  expect(lockedUntil(added([...nine, end]), end)).toBe(end + LOCK_MS);
});

describe('taking a failure back', () => {
  it('opens an account that only this one had locked', () => {
    const ten = failing(10, MINUTE);
    const last = START + 9 * MINUTE;
    expect(lockedUntil(removeFailure(added(ten), last), last)).toBeUndefined();
    expect(removeFailure(added(ten), last)).toEqual(added(ten.slice(0, -1)));
  });

  it('takes one of those at the same moment, and none when there is none', () => {
    expect(removeFailure(failing(3, 0), START)).toEqual(failing(2, 0));
    expect(removeFailure(failing(3, 0), START + 1)).toEqual(failing(3, 0));
  });
});

describe('properties', () => {
  const gap = fc.oneof(
    fc.integer({ min: 0, max: MINUTE }),
    fc.integer({ min: 0, max: 10 * MINUTE }),
    fc.integer({ min: 0, max: 60 * MINUTE }),
    fc.constantFrom(0, WINDOW_MS / 9, WINDOW_MS, WINDOW_MS + 1, LOCK_MS - 1, LOCK_MS, LOCK_MS + 1),
  );
  /** Times in order, with gaps that hit the limits of the rule. */
  const times = fc.array(gap, { minLength: 1, maxLength: 80 }).map((gaps) => {
    let at = START;
    return gaps.map((each) => {
      at += each;
      return at;
    });
  });

  /** The rule once more, told by locks: the first ten since the last lock that lie within the window make the next. */
  function lockedUntilByTheRule(failures: readonly number[], now: number): number | undefined {
    let end = Number.NEGATIVE_INFINITY;
    for (;;) {
      const since = failures.filter((at) => at >= end);
      const tenth = since.find((at, index) => index >= 9 && at - (since[index - 9] ?? at) <= WINDOW_MS);
      if (tenth === undefined) return now < end ? end : undefined;
      end = tenth + LOCK_MS;
    }
  }

  it('there are never more than 10 tries in any 15 minutes, and each lock lasts 30 minutes exactly', () => {
    fc.assert(
      fc.property(times, (attempts) => {
        let failures: readonly number[] = [];
        const tried: number[] = [];
        for (const at of attempts) {
          if (lockedUntil(failures, at) !== undefined) continue;
          tried.push(at);
          failures = addFailure(failures, at);
          const end = lockedUntil(failures, at);
          if (end === undefined) continue;
          expect(end).toBe(at + LOCK_MS);
          expect(lockedUntil(failures, end - 1)).toBe(end);
          expect(lockedUntil(failures, end)).toBeUndefined();
        }
        for (const [index, at] of tried.slice(MAX_FAILURES).entries()) {
          expect(at - (tried[index] ?? at)).toBeGreaterThan(WINDOW_MS);
        }
      }),
    );
  });

  it('what is left after trimming says the same as all failures, at every later time', () => {
    fc.assert(
      fc.property(times, fc.array(gap, { minLength: 1 }), (failures, laters) => {
        let kept: readonly number[] = [];
        for (const [index, at] of failures.entries()) {
          kept = addFailure(kept, at);
          expect(kept.length).toBeLessThanOrEqual(MAX_FAILURES);
          for (const later of [0, ...laters]) {
            const expected = lockedUntilByTheRule(failures.slice(0, index + 1), at + later);
            expect(lockedUntil(kept, at + later)).toBe(expected);
          }
        }
      }),
    );
  });

  it('the order in which failures are told does not matter', () => {
    const shuffled = times.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, gap, ([failures, mixed], later) => {
        const now = (failures.at(-1) ?? START) + later;
        expect(lockedUntil(mixed, now)).toBe(lockedUntilByTheRule(failures, now));
      }),
    );
  });

  it('ten within the window lock, in whatever order servers with different clocks add them', () => {
    const within = fc.array(fc.integer({ min: 0, max: WINDOW_MS }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(within, (offsets) => {
        const failures = offsets.map((offset) => START + offset);
        const last = Math.max(...failures);
        expect(lockedUntil(added(failures), last)).toBe(last + LOCK_MS);
      }),
    );
  });

  it('what is taken back leaves no trace, as long as there is no lock', () => {
    fc.assert(
      fc.property(times, gap, (all, later) => {
        const failures = added(all.slice(0, 8));
        const at = (all.at(7) ?? all.at(-1) ?? START) + later;
        expect(added(removeFailure(addFailure(failures, at), at))).toEqual(
          failures.filter((each) => at - each <= WINDOW_MS),
        );
      }),
    );
  });
});
