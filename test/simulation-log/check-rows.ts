import type { StoredRow } from '../../core/audit/ledger.ts';
import type { Intent, Remains } from './evidence.ts';

/**
 * What was acknowledged is there, once, where the writer was told; what was refused is not; what nobody was told of is
 * there at most once. And the table still holds each row as it took it, but for those that retention removed.
 */
export function checkRows({ evidence, table }: Remains): string[] {
  const violations: string[] = [];
  const byToken = Map.groupBy(evidence.rows, (row) => tokenOf(row));
  for (const intent of evidence.intents) {
    const rows = byToken.get(intent.token) ?? [];
    if (!isAsTold(intent, rows)) {
      const found = rows.map(nameOf).join(', ') || 'nowhere';
      violations.push(`row: ${intent.token} was ${intent.outcome}, and is ${found}`);
    }
  }
  const held = new Map(table.map((row) => [nameOf(row), row]));
  for (const row of evidence.rows) {
    const found = held.get(nameOf(row));
    const isGone = found === undefined && evidence.removed.has(nameOf(row));
    if (!isGone && !(found && Buffer.from(row.bytes).equals(found.bytes)))
      violations.push(`row: ${nameOf(row)} is lost or altered`);
    held.delete(nameOf(row));
  }
  for (const name of held.keys()) violations.push(`row: nobody wrote ${name}`);
  return violations;
}

function isAsTold({ outcome, workspaceId, position }: Intent, rows: readonly StoredRow[]): boolean {
  if (outcome === 'refused') return rows.length === 0;
  if (outcome === 'unknown') return rows.length <= 1;
  const [row] = rows;
  return rows.length === 1 && nameOf(row) === `${workspaceId}#${position?.lane}#${position?.seq}`;
}

function tokenOf({ bytes }: StoredRow): string {
  const row: { readonly detail: { readonly token?: string } } = JSON.parse(
    Buffer.from(bytes).toString('utf8'),
  );
  return row.detail.token ?? '';
}

function nameOf(row: Pick<StoredRow, 'workspaceId' | 'lane' | 'seq'> | undefined): string {
  return `${row?.workspaceId}#${row?.lane}#${row?.seq}`;
}
