import * as z from 'zod';
import type { JobState } from '../../../core/kernel/job-state.ts';
import type { Ports } from './ports.ts';

export const jobStateSchema = z.strictObject({
  version: z.int().min(1),
  days: z.record(z.string(), z.string()),
});
export type TestState = z.infer<typeof jobStateSchema>;

/** What every `JobState` must do. */
export function describeJobState(getPorts: () => Ports): void {
  const state = (name: string): JobState<TestState> => getPorts().jobState(name);

  it('is absent at first, and then as it was written', async () => {
    expect(await state('a').read()).toBeUndefined();
    const first = { version: 1, days: { '2026-01-01': '{"é":1}' } };
    expect(await state('a').replace(first)).toBe('replaced');
    expect(await state('a').read()).toEqual(first);
  });

  it('belongs to one job', async () => {
    expect(await state('b').replace({ version: 1, days: {} })).toBe('replaced');
    expect(await state('c').read()).toBeUndefined();
  });

  it('is replaced by the one who read it last', async () => {
    const of = (version: number, day: string) => ({ version, days: { [day]: '' } });
    expect(await state('d').replace(of(2, 'early'))).toBe('changed');
    expect(await state('d').replace(of(1, 'first'))).toBe('replaced');
    expect(await state('d').replace(of(1, 'again'))).toBe('changed');
    const outcomes = await Promise.all(['x', 'y', 'z'].map((day) => state('d').replace(of(2, day))));
    expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'replaced']);
    expect((await state('d').read())?.version).toBe(2);
  });
}
