import type { LeafSegment, SealStates } from '../seal/seal-state.ts';

/** Segments read at once. */
const PAGE = 500;

/** Tells which row each leaf of a workspace's tree is, leaf by leaf, from what the sealer noted. */
export class LeafOrder {
  readonly #seals: SealStates;
  readonly #workspaceId: string;
  readonly #lanes: readonly number[];
  /** For each lane the next row that becomes a leaf. */
  readonly #next: Map<string, number>;
  readonly #segments = new Map<number, readonly LeafSegment[]>();
  /** Lanes whose last segments were read. */
  readonly #ended = new Set<number>();

  /** @param next as {@link next} gave it where an earlier walk ended. */
  constructor(
    seals: SealStates,
    workspaceId: string,
    lanes: readonly number[],
    next: { readonly [lane: string]: number },
  ) {
    this.#seals = seals;
    this.#workspaceId = workspaceId;
    this.#lanes = lanes;
    this.#next = new Map(Object.entries(next));
  }

  get next(): { readonly [lane: string]: number } {
    return Object.fromEntries(this.#next);
  }

  /** The row that is leaf number `leaf`, which follows that of the call before; undefined if nothing was noted of it. */
  async take(leaf: number): Promise<{ readonly lane: number; readonly seq: number } | undefined> {
    for (const lane of this.#lanes) {
      const expected = this.#next.get(String(lane)) ?? 1;
      const segment = await this.#segmentFrom(lane, expected);
      if (segment === undefined) continue;
      // Rows that were gone before they could be sealed leave a gap between segments.
      const seq = Math.max(expected, segment.firstSeq);
      if (segment.firstLeaf + seq - segment.firstSeq !== leaf) continue;
      this.#next.set(String(lane), seq + 1);
      return { lane, seq };
    }
    return undefined;
  }

  /** The segment that holds a row or, where none does, the next one. */
  async #segmentFrom(lane: number, seq: number): Promise<LeafSegment | undefined> {
    let held = this.#segments.get(lane);
    while (held?.[0] !== undefined && held[0].lastSeq < seq) held = held.slice(1);
    if (held === undefined || (held.length === 0 && !this.#ended.has(lane))) {
      held = await this.#seals.segments(this.#workspaceId, lane, seq, PAGE);
      if (held.length < PAGE) this.#ended.add(lane);
    }
    this.#segments.set(lane, held);
    return held[0];
  }
}
