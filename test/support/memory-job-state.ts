import type * as z from 'zod';
import type { JobState } from '../../core/kernel/job-state.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** The `JobState` port in memory; its calls have the faults of `tables`. The state is kept as the table keeps it: as text. */
export class MemoryJobState<S extends { readonly version: number }> implements JobState<S> {
  #text: string | undefined;
  readonly #tables: Pick<MemoryTables, 'call'>;
  readonly #schema: z.ZodType<S>;

  constructor(tables: Pick<MemoryTables, 'call'>, schema: z.ZodType<S>) {
    this.#tables = tables;
    this.#schema = schema;
  }

  read(): Promise<S | undefined> {
    return this.#tables.call('jobState.read', () => this.#state());
  }

  replace(next: S): Promise<'replaced' | 'changed'> {
    return this.#tables.call('jobState.replace', () => {
      if ((this.#state()?.version ?? 0) !== next.version - 1) return 'changed';
      this.#text = JSON.stringify(this.#schema.parse(next));
      return 'replaced';
    });
  }

  #state(): S | undefined {
    return this.#text === undefined ? undefined : this.#schema.parse(JSON.parse(this.#text));
  }
}
