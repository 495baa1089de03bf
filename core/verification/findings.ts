import { type Break, MAX_BREAKS } from '../audit/verify-lane.ts';
import type { Findings } from './verification-state.ts';

type Counts = Partial<Pick<Findings, 'rows' | 'entities' | 'leaves' | 'archivedRows'>>;

/** What was found before, and what one more slice found. {@link MAX_BREAKS} breaks are kept, the first row that is wrong in front. */
export function addFindings(before: Findings, counts: Counts, breaks: readonly Break[] = []): Findings {
  return {
    rows: before.rows + (counts.rows ?? 0),
    entities: before.entities + (counts.entities ?? 0),
    leaves: before.leaves + (counts.leaves ?? 0),
    archivedRows: before.archivedRows + (counts.archivedRows ?? 0),
    broken: before.broken + breaks.length,
    breaks: firstInFront([...before.breaks, ...breaks]).slice(0, MAX_BREAKS),
  };
}

/** Whoever is told of one break is told of the row where it all begins, whichever step found it. */
function firstInFront(breaks: readonly Break[]): readonly Break[] {
  const first = breaks.toSorted(firstRowFirst)[0];
  return first === undefined ? [] : [first, ...breaks.filter((found) => found !== first)];
}

/** Rows before what follows from them; by lane, since lane 0 opens the others, and then by number. */
function firstRowFirst(a: Break, b: Break): number {
  return Number(a.entity !== undefined) - Number(b.entity !== undefined) || a.lane - b.lane || a.seq - b.seq;
}
