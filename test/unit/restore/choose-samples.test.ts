import { SampleChoice } from '../../../core/restore/choose-samples.ts';
import { SeededRandom } from '../../support/random.ts';
import { sampleSecret } from '../../support/samples.ts';

function offerAll(seed: number, count: number): readonly string[] {
  const choice = new SampleChoice(new SeededRandom(seed), count);
  for (let index = 0; index < 20; index += 1) {
    const { entity } = sampleSecret('ws_1', `sec_${index}`);
    // Offered in an order of the table's own.
    const day = String(((index * 7) % 20) + 1).padStart(2, '0');
    choice.offer({ ...entity, valueUpdatedAt: `2026-01-${day}T00:00:00.000Z` });
  }
  choice.offer(sampleSecret('ws_2', 'sec_other').entity);
  return choice.all().map(({ id }) => id);
}

test('the newest values are among the samples, and one of the others', () => {
  const ids = offerAll(1, 3);
  // (index * 7) % 20 is 19 and 18 for these.
  expect(ids.slice(0, 2)).toEqual(['sec_17', 'sec_14']);
  expect(new Set(ids).size).toBe(4);
  expect(ids).toContain('sec_other');
});

test('which of the others depends on chance', () => {
  const chosen = new Set(Array.from({ length: 40 }, (_, seed) => offerAll(seed, 3)[2]));
  expect(chosen.size).toBeGreaterThan(8);
});

test('none are chosen where none are wanted', () => {
  expect(offerAll(1, 0)).toEqual([]);
});
