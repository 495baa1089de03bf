import type { EntityName, InspectedEntity } from '../audit/entity-inspector.ts';
import type { Break } from '../audit/verify-lane.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { entityDigest, REMOVED_DIGEST } from '../kernel/entity.ts';
import { explainEntity } from './explain-entity.ts';
import type { VerificationParts } from './verification-parts.ts';
import type { MissingEntity } from './verification-state.ts';

/** How an entity must stand after the last row of a slice that changed it. */
export interface LastChange extends EntityName {
  readonly revision: number;
  readonly digest: string;
  readonly seq: number;
}

export interface Judged {
  readonly breaks: readonly Break[];
  /** Put by the slice, and not there: removed since, or behind the vault's back. */
  readonly missing: readonly MissingEntity[];
}

/** Entities are looked up in groups of this many, so many groups at a time: items may have 400 KB. */
const GROUP = 100;
const GROUPS_AT_ONCE = 4;

/**
 * Compares entities with the last row that changed them, of those of one lane up to `through`. An entity names the row
 * that it stands by; all its changes are in one lane, and it was looked at after these rows were read, so:
 *
 * - it names a row of the slice: that must be the last one that changed it, and say what lies there;
 * - it names a later row: that row must say so; whether it is the last one, who reads on will find out;
 * - it names an earlier row or another lane: it was altered, or put back to an earlier state;
 * - it is not there: the row removed it, or a later row did, or the table forgot it as it may.
 */
export async function judgeEntities(
  parts: Pick<VerificationParts, 'ledger' | 'inspector' | 'kinds'>,
  workspaceId: string,
  lane: number,
  through: number,
  changes: readonly LastChange[],
): Promise<Judged> {
  const groups: (readonly LastChange[])[] = [];
  for (let start = 0; start < changes.length; start += GROUP)
    groups.push(changes.slice(start, start + GROUP));
  const breaks: Break[] = [];
  const missing: MissingEntity[] = [];
  await concurrently(groups, GROUPS_AT_ONCE, async (group) => {
    const inspected = await parts.inspector.inspect(workspaceId, group);
    for (const [index, change] of group.entries()) {
      const verdict = await judge(parts, workspaceId, { lane, through }, change, inspected[index]);
      const { kind, id, seq } = change;
      if (verdict === 'missing') missing.push({ kind, id, seq });
      else if (verdict !== 'fits') breaks.push({ lane, seq, reason: verdict, entity: { kind, id } });
    }
  });
  const bySeq = (a: { readonly seq: number }, b: { readonly seq: number }) => a.seq - b.seq;
  return { breaks: breaks.sort(bySeq), missing: missing.sort(bySeq) };
}

type Verdict = 'fits' | 'missing' | 'entity_altered' | 'entity_unexplained';

async function judge(
  { ledger, kinds }: Pick<VerificationParts, 'ledger' | 'kinds'>,
  workspaceId: string,
  { lane, through }: { readonly lane: number; readonly through: number },
  change: LastChange,
  found: InspectedEntity | undefined,
): Promise<Verdict> {
  const isRemoved = change.digest === REMOVED_DIGEST;
  if (found === undefined) {
    const mayExpire = kinds.get(change.kind)?.expiry !== undefined;
    return isRemoved || mayExpire ? 'fits' : 'missing';
  }
  if (isAsRecorded(lane, change, found)) return 'fits';
  const isLater = found.row.lane === lane && found.row.seq > through;
  if (isLater && (await explainEntity(ledger, workspaceId, found)) === 'explained') return 'fits';
  return isRemoved ? 'entity_unexplained' : 'entity_altered';
}

function isAsRecorded(lane: number, change: LastChange, { entity, row, exact }: InspectedEntity): boolean {
  return (
    exact &&
    entity !== undefined &&
    entity.revision === change.revision &&
    row.lane === lane &&
    row.seq === change.seq &&
    entityDigest(entity) === change.digest
  );
}

export function nameOf({ kind, id }: EntityName): string {
  return `${kind}/${id}`;
}
