import type { LeafSegment, SealState, SealStates } from '../../core/seal/seal-state.ts';
import type { MemoryTables } from './memory-ledger.ts';
import { deepCopy } from './memory-store.ts';

/**
 * The `SealStates` port in memory. Calls go through `MemoryTables.call`, so that one hook injects faults into all ports:
 * they are named `seals.read`, `seals.replace` and so on.
 */
export class MemorySeals implements SealStates {
  /** By workspace. Open to tests, which spoil states here as an attacker would. */
  readonly states = new Map<string, SealState>();
  /** By `<workspace>#<lane>`, and then by the last row; open to tests likewise. */
  readonly leaves = new Map<string, Map<number, LeafSegment>>();
  readonly #tables: Pick<MemoryTables, 'call'>;

  constructor(tables: Pick<MemoryTables, 'call'>) {
    this.#tables = tables;
  }

  read(workspaceId: string): Promise<SealState | undefined> {
    return this.#tables.call('seals.read', () => deepCopy(this.states.get(workspaceId)));
  }

  replace(next: SealState, segments: readonly LeafSegment[]): Promise<'replaced' | 'changed'> {
    if (segments.length > 99) throw new TypeError('A transaction holds the state and at most 99 segments.');
    return this.#tables.call('seals.replace', () => {
      if ((this.states.get(next.workspaceId)?.version ?? 0) !== next.version - 1) return 'changed';
      this.states.set(next.workspaceId, deepCopy(next));
      for (const segment of segments) {
        const key = `${next.workspaceId}#${segment.lane}`;
        const lane = this.leaves.get(key) ?? new Map<number, LeafSegment>();
        lane.set(segment.lastSeq, { ...segment });
        this.leaves.set(key, lane);
      }
      return 'replaced';
    });
  }

  segmentOf(workspaceId: string, lane: number, seq: number): Promise<LeafSegment | undefined> {
    return this.#tables.call('seals.segmentOf', () => {
      const [segment] = this.#from(workspaceId, lane, seq);
      return segment !== undefined && segment.firstSeq <= seq ? segment : undefined;
    });
  }

  segments(
    workspaceId: string,
    lane: number,
    fromSeq: number,
    limit: number,
  ): Promise<readonly LeafSegment[]> {
    return this.#tables.call('seals.segments', () => this.#from(workspaceId, lane, fromSeq).slice(0, limit));
  }

  #from(workspaceId: string, lane: number, seq: number): LeafSegment[] {
    return [...(this.leaves.get(`${workspaceId}#${lane}`)?.values() ?? [])]
      .filter(({ lastSeq }) => lastSeq >= seq)
      .sort((a, b) => a.lastSeq - b.lastSeq)
      .map((segment) => ({ ...segment }));
  }
}
