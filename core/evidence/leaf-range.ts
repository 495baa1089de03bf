import type { TimeRange } from '../audit/date-range.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { readLeaf } from './choose-rows.ts';
import type { SealedLogs } from './evidence-parts.ts';
import { findLeaf } from './find-leaf.ts';
import { readEntries } from './read-entries.ts';

/** Leaves from `begin` up to but without `end`. */
export interface LeafRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * The leaves among which all sealed rows of a span of time lie. A few of them may lie outside the span: the lanes of a
 * workspace are sealed one after another, a minute's rows at a time. Reads the sealed log alone: whatever became of
 * the table, and however long ago retention removed the rows.
 *
 * Of each lane, the ends are found by halving, since a lane's time never runs back: about 20 probes for a million rows.
 *
 * @returns an empty range at the end of the tree when there are none.
 */
export async function leafRange(
  log: SealedLogs,
  published: PublishedLog,
  { from, to }: TimeRange,
): Promise<LeafRange> {
  const { size } = published.checkpoint;
  if (from === undefined && to === undefined) return { begin: 0, end: size };
  let begin = size;
  let end = 0;
  const state = await log.seals.read(published.workspaceId);
  for (const [name, { seq: last }] of Object.entries(state?.lanes ?? {})) {
    const lane = new SealedLane(log, published, Number(name));
    const first = from === undefined ? 1 : await lane.firstAt(from, last);
    const behind = to === undefined ? last + 1 : await lane.firstAt(to, last);
    if (first >= behind) continue;
    begin = Math.min(begin, (await lane.leafAt(first)) ?? size);
    // A row that is sealed but not public yet lies behind the tree.
    end = Math.max(end, ((await lane.leafAt(behind - 1)) ?? size - 1) + 1);
  }
  return begin < end ? { begin, end } : { begin: size, end: size };
}

class SealedLane {
  readonly #log: SealedLogs;
  readonly #published: PublishedLog;
  readonly #lane: number;

  constructor(log: SealedLogs, published: PublishedLog, lane: number) {
    this.#log = log;
    this.#published = published;
    this.#lane = lane;
  }

  leafAt(seq: number): Promise<number | undefined> {
    return findLeaf(this.#log, this.#published, { lane: this.#lane, seq });
  }

  /** The first row at or after a time; `last + 1` if there is none. */
  async firstAt(time: number, last: number): Promise<number> {
    let low = 1;
    let high = last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const at = await this.#timeAt(middle);
      if (at !== undefined && at < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #timeAt(seq: number): Promise<number | undefined> {
    const leaf = await this.leafAt(seq);
    if (leaf === undefined) return undefined;
    const [entry] = await readEntries(this.#published, leaf, leaf + 1);
    const row = entry === undefined ? undefined : readLeaf(entry, leaf).row;
    return row === undefined ? undefined : Date.parse(row.ts);
  }
}
