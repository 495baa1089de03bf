import { ArchivedLog, withFault } from '../../support/archived-log.ts';

// Many small histories, on machines that do much else.
jest.setTimeout(60_000);

/** Two days, the second without rows, and lanes in parts of few rows: every kind of call happens. */
async function missedDays(): Promise<ArchivedLog> {
  const log = await new ArchivedLog().begin();
  await log.day(1, 1);
  await log.day(0);
  return log;
}

const PARTS = { maxPartBytes: 1_500 };

const DAYS = ['2026-01-01', '2026-01-02'];

describe('whichever call fails', () => {
  it.each(['before', 'after'] as const)(
    '%s it took effect, the next run ends with the same archive',
    async (fault) => {
      const honest = await missedDays();
      await honest.run(PARTS);
      const expected = honest.objects();
      expect(expected.length).toBe(4 + honest.manifest('2026-01-01').parts.length);
      let number = 1;
      for (; ; number += 1) {
        const log = await missedDays();
        const isReached = await withFault(log, number, fault, () => log.run(PARTS));
        if (!isReached) break;
        expect(await log.run(PARTS)).toMatchObject({ status: 'current' });
        expect(log.objects()).toEqual(expected);
        expect(log.alerts).toEqual([]);
      }
      expect(number).toBeGreaterThan(40);
    },
  );

  it('also when the run after it fails at the same place', async () => {
    const honest = await missedDays();
    await honest.run(PARTS);
    for (let number = 1; number < 40; number += 5) {
      const log = await missedDays();
      for (let run = 0; run < 3; run += 1) await withFault(log, number + run, 'after', () => log.run(PARTS));
      expect(await log.run(PARTS)).toMatchObject({ status: 'current' });
      expect(log.objects()).toEqual(honest.objects());
    }
  });

  it('two runs side by side end with one archive', async () => {
    const honest = await missedDays();
    await honest.run(PARTS);
    const log = await missedDays();
    const outcomes = await Promise.all([log.run(PARTS), log.run(PARTS)]);
    expect(outcomes).toEqual([
      { status: 'current', days: DAYS },
      { status: 'current', days: DAYS },
    ]);
    expect(log.objects()).toEqual(honest.objects());
  });
});
