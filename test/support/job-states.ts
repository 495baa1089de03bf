import type * as z from 'zod';
import type { JobState } from '../../core/kernel/job-state.ts';
import { MemoryJobState } from './memory-job-state.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** One state in memory for each workspace. */
export function memoryJobStates<S extends { readonly version: number }>(
  tables: MemoryTables,
  schema: z.ZodType<S>,
): (workspaceId: string) => JobState<S> {
  const states = new Map<string, JobState<S>>();
  return (workspaceId) => {
    const state = states.get(workspaceId) ?? new MemoryJobState(tables, schema);
    states.set(workspaceId, state);
    return state;
  };
}

/** A state that somebody spoiled. */
export const SPOILED_STATE: JobState<never> = {
  read: () => Promise.reject(new Error('This state is spoiled.')),
  replace: async () => 'changed',
};
