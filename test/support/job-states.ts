import type * as z from 'zod';
import { MemoryJobState } from './memory-job-state.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** One state in memory for each workspace. */
export function memoryJobStates<S extends { readonly version: number }>(
  tables: MemoryTables,
  schema: z.ZodType<S>,
): (workspaceId: string) => MemoryJobState<S> {
  const states = new Map<string, MemoryJobState<S>>();
  return (workspaceId) => {
    const state = states.get(workspaceId) ?? new MemoryJobState(tables, schema);
    states.set(workspaceId, state);
    return state;
  };
}
