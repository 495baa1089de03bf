import fc from 'fast-check';
import { learnSecret, noSecrets } from '../../../core/anomaly/known-secrets.ts';
import { median, nthLargest, robustDeviation } from '../../../core/anomaly/robust.ts';
import { SeededRandom } from '../../support/random.ts';

it('the median is the middle, or the mean of the two middles', () => {
  expect([median([]), median([3]), median([9, 1, 5]), median([1, 2, 3, 10])]).toEqual([0, 3, 5, 2.5]);
});

it('half of the values may be anything', () => {
  const values = fc.array(fc.integer({ min: 10, max: 20 }), { minLength: 11, maxLength: 11 });
  fc.assert(
    fc.property(values, fc.array(fc.nat(1e9), { maxLength: 10 }), (usual, strange) => {
      const middle = median([...usual, ...strange]);
      expect(middle).toBeGreaterThanOrEqual(10);
      expect(middle).toBeLessThanOrEqual(20);
    }),
  );
  const random = new SeededRandom(7);
  const sums = Array.from({ length: 2_000 }, () =>
    Array.from({ length: 12 }, () => random.below(1_000)).reduce((a, b) => a + b),
  );
  // A sum of twelve uniform numbers is nearly normal, with the standard deviation of one times the root of twelve.
  expect(robustDeviation(sums, median(sums)) / 1_000).toBeCloseTo(1, 1);
});

it('the n-th largest is that of a sorted list', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 6 }), (values, rank) => {
      expect(nthLargest(values, rank)).toBe([...values].sort((a, b) => b - a)[rank - 1] ?? 0);
    }),
  );
});

it('a secret that was learned is known, and of others at most one in seven is taken for known', () => {
  const random = new SeededRandom(3);
  const secret = () => `sec_${Buffer.from(random.bytes(16)).toString('hex')}`;
  const known = noSecrets();
  const learned = Array.from({ length: 380 }, secret);
  for (const id of learned) learnSecret(known, id);
  for (const id of learned.slice(-200)) expect(learnSecret(structuredClone(known), id)).toBe(false);
  const fresh = Array.from({ length: 2_000 }, () => learnSecret(structuredClone(known), secret()));
  expect(fresh.filter((isNew) => !isNew).length).toBeLessThan(2_000 / 7);
  expect(JSON.stringify(known).length).toBeLessThan(600);
});
