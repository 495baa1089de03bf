import { alertRecordKind } from '../alerts/alert-record.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { Entity, Kind } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { readFloor } from '../retention/floor.ts';
import type { AlertKind, Alerts } from './alert.ts';
import { isExplained } from './explain-change.ts';
import type { EntityWritten, RowTouched, TableChange } from './table-change.ts';
import { tellingPlace } from './telling-place.ts';

export interface GuardParts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly kinds: ReadonlyMap<string, Kind<Entity>>;
  readonly alerts: Alerts;
}

interface Finding {
  readonly kind: AlertKind;
  readonly workspaceId: string;
  readonly subject: string;
  /** The subject of the alert, where it does not name one of the findings. */
  readonly about?: string;
}

/**
 * What alerts about records of alerts are about. Recording an alert changes such a record. So where no row explains any
 * change, as after one with a forged time, an alert about each record would be a reason for the next one for ever.
 */
const ALERT_RECORDS = 'alerts';

/**
 * The tamper guard: looks at what the streams of both tables tell and raises a critical alert, within seconds, for
 * every audit row that was changed in place, every one removed that retention had not given up, and every change of an
 * entity that no row explains. Whoever writes to the tables behind the vault's back cannot wait for the verifier.
 *
 * Findings of one kind in one workspace are one alert, so that a rewritten table is not a million of them.
 *
 * @throws VaultError `unavailable` when the tables cannot be read: the same changes have to be shown again.
 */
export async function guardTables(parts: GuardParts, changes: readonly TableChange[]): Promise<number> {
  const findings: Finding[] = [];
  for (const change of changes) {
    const finding = await judge(parts, change);
    if (finding === undefined) continue;
    findings.push({ ...finding, workspaceId: await tellingPlace(parts.ledger, finding.workspaceId) });
  }
  const groups = Map.groupBy(
    findings,
    ({ workspaceId, kind, about = '' }) => `${workspaceId} ${kind} ${about}`,
  );
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue;
    const { kind, workspaceId } = first;
    // Other rows are another subject: an alert that was raised already may be told once.
    const named = others.length === 0 ? first.subject : `${first.subject} and ${others.length} more`;
    const subject = first.about ?? named;
    await parts.alerts.raise({
      tier: 'critical',
      kind,
      workspaceId,
      subject,
      detail: { findings: String(1 + others.length), last: others.at(-1)?.subject ?? first.subject },
    });
  }
  return findings.length;
}

async function judge(parts: GuardParts, change: TableChange): Promise<Finding | undefined> {
  if (change.table === 'vault') return judgeEntity(parts, change);
  return change.op === 'added' ? undefined : judgeRow(parts, change);
}

async function judgeRow({ store }: GuardParts, row: RowTouched): Promise<Finding | undefined> {
  const finding = { workspaceId: row.workspaceId, subject: `row ${row.lane}-${row.seq}` };
  if (row.op === 'modified') return { ...finding, kind: 'row_modified' };
  const floor = await readFloor(store, row.workspaceId);
  const throughSeq = floor?.lanes[String(row.lane)]?.throughSeq ?? 0;
  const wasGivenUp = row.seq > 0 && row.seq <= throughSeq;
  return wasGivenUp ? undefined : { ...finding, kind: 'row_removed' };
}

async function judgeEntity(parts: GuardParts, change: EntityWritten): Promise<Finding | undefined> {
  if (await isExplained(parts, change)) return undefined;
  // Whose it was: a forger may write another workspace into it, which would be told instead.
  const { kind = '', id = '', workspaceId = '' } = change.before ?? change.after ?? {};
  return {
    kind: 'entity_unexplained',
    workspaceId,
    subject: `${kind}/${id}`.slice(0, 300).toWellFormed(),
    ...(kind === alertRecordKind.name ? { about: ALERT_RECORDS } : {}),
  };
}
