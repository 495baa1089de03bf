import { type Break, MAX_BREAKS } from '../audit/verify-lane.ts';
import type { Findings } from './verification-state.ts';

type Counts = Partial<Pick<Findings, 'rows' | 'entities' | 'leaves' | 'archivedRows'>>;

/** What was found before, and what one more slice found. The first {@link MAX_BREAKS} breaks are kept. */
export function addFindings(before: Findings, counts: Counts, breaks: readonly Break[] = []): Findings {
  return {
    rows: before.rows + (counts.rows ?? 0),
    entities: before.entities + (counts.entities ?? 0),
    leaves: before.leaves + (counts.leaves ?? 0),
    archivedRows: before.archivedRows + (counts.archivedRows ?? 0),
    broken: before.broken + breaks.length,
    breaks: [...before.breaks, ...breaks].slice(0, MAX_BREAKS),
  };
}
