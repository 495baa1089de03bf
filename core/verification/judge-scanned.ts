import { readRow } from '../audit/build-rows.ts';
import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { rowHash } from '../audit/row.ts';
import { CheckpointError, openPublishedLog, type PublishedLog } from '../seal/published-log.ts';
import { explainEntity, explainedFloor, floorOf, tellsOf } from './explain-entity.ts';
import { presentLanes } from './present-lanes.ts';
import { readSealedRow } from './read-sealed-row.ts';
import type { VerificationParts } from './verification-parts.ts';

type Parts = Pick<VerificationParts, 'ledger' | 'inspector' | 'log'>;

/** Judges entities that a scan of the table came upon. Keeps what it learns of their workspaces for as long as it lives. */
export class ScannedJudge {
  readonly #parts: Parts;
  readonly #lanes = new Map<string, Promise<readonly number[]>>();
  readonly #logs = new Map<string, Promise<PublishedLog | undefined>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Whether the row that an entity names tells of it as it lies there, in a lane that is verified. Where retention has
   * removed that row from the table, the published log has to tell of it.
   */
  async isExplained(found: InspectedEntity): Promise<boolean> {
    const { workspaceId, row } = found;
    if (workspaceId === '' || !(await this.#lanesOf(workspaceId)).includes(row.lane)) return false;
    const explanation = await explainEntity(this.#parts.ledger, workspaceId, found);
    if (explanation !== 'row_gone') return explanation === 'explained';
    const floor = await explainedFloor(this.#parts, workspaceId);
    return row.seq <= floorOf(floor, row.lane) && (await this.#isToldByLog(found));
  }

  async #isToldByLog(found: InspectedEntity): Promise<boolean> {
    const { workspaceId, row } = found;
    const log = await this.#logOf(workspaceId);
    const ref = { workspaceId, lane: row.lane };
    const bytes = log && (await readSealedRow(this.#parts.log.seals, log, ref, row.seq));
    if (bytes === undefined) return false;
    const content = readRow({ ...ref, seq: row.seq, bytes, hash: rowHash(bytes), nonce: '' });
    const isPlaced = content?.ws === workspaceId && content.lane === row.lane && content.seq === row.seq;
    return isPlaced && tellsOf(content, found);
  }

  #lanesOf(workspaceId: string): Promise<readonly number[]> {
    return kept(this.#lanes, workspaceId, () => presentLanes(this.#parts.ledger, workspaceId));
  }

  #logOf(workspaceId: string): Promise<PublishedLog | undefined> {
    return kept(this.#logs, workspaceId, async () => {
      try {
        return await openPublishedLog(this.#parts.log, workspaceId);
      } catch (error) {
        // The workspace's own verification tells of a checkpoint that is not ours; here it proves nothing.
        if (error instanceof CheckpointError) return undefined;
        throw error;
      }
    });
  }
}

function kept<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}
