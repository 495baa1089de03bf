import { readRow } from './build-rows.ts';
import type { LaneRef, Ledger, StoredRow } from './ledger.ts';
import type { AuditRow } from './row.ts';

/** Rows of one lane from `first` to `last`, both included; empty if `first > last`. */
export interface LaneRange extends LaneRef {
  readonly first: number;
  readonly last: number;
}

export interface ReadableRow {
  readonly stored: StoredRow;
  readonly content: AuditRow;
}

/** Rows that one read asks for, unless the caller knows that it needs fewer. */
const PAGE = 200;

/**
 * The rows of some lanes in the order of time, rising or falling. Rows that cannot be read are left out here: lists
 * go on without them, and the verifier is who reports them.
 */
export async function* mergedRows(
  ledger: Ledger,
  ranges: readonly LaneRange[],
  order: 'rising' | 'falling',
  pageSize = PAGE,
): AsyncGenerator<ReadableRow> {
  const sources = ranges.map((range) => laneRows(ledger, range, order, pageSize));
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value ?? undefined));
  const before = order === 'rising' ? isEarlier : (a: ReadableRow, b: ReadableRow) => isEarlier(b, a);
  for (;;) {
    let best: number | undefined;
    for (const [index, head] of heads.entries()) {
      const chosen = best === undefined ? undefined : heads[best];
      if (head !== undefined && (chosen === undefined || before(head, chosen))) best = index;
    }
    const row = best === undefined ? undefined : heads[best];
    if (best === undefined || row === undefined) return;
    yield row;
    heads[best] = (await sources[best]?.next())?.value ?? undefined;
  }
}

function isEarlier(a: ReadableRow, b: ReadableRow): boolean {
  if (a.content.ts !== b.content.ts) return a.content.ts < b.content.ts;
  return a.stored.lane !== b.stored.lane ? a.stored.lane < b.stored.lane : a.stored.seq < b.stored.seq;
}

async function* laneRows(
  ledger: Ledger,
  range: LaneRange,
  order: 'rising' | 'falling',
  pageSize: number,
): AsyncGenerator<ReadableRow, undefined> {
  let next = order === 'rising' ? range.first : range.last;
  while (next >= range.first && next <= range.last) {
    const page = await ledger.rows(range, next, pageSize, order);
    let last: number | undefined;
    for (const stored of page) {
      // A key that is none of a row's: somebody planted it, and the verifier tells.
      if (stored.seq === 0) continue;
      if (stored.seq < range.first || stored.seq > range.last) return;
      last = stored.seq;
      const content = readRow(stored);
      if (content !== undefined) yield { stored, content };
    }
    if (last === undefined) return;
    next = order === 'rising' ? last + 1 : last - 1;
  }
  return;
}
