import { newId } from '../kernel/ids.ts';
import type { VerificationParts } from './verification-parts.ts';
import {
  NO_FINDINGS,
  type VerificationKind,
  type VerificationRun,
  type Verified,
} from './verification-state.ts';
import { verifyArchiveSlice } from './verify-archive.ts';
import { startRows, verifyRowSlice } from './verify-rows.ts';
import { verifyTreeSlice } from './verify-tree.ts';

/** A run that has looked at nothing yet. */
export async function startRun(
  { ledger, clock, random }: Pick<VerificationParts, 'ledger' | 'clock' | 'random'>,
  workspaceId: string,
  verified: Verified,
  kind: VerificationKind,
  id = newId('ver', random),
): Promise<VerificationRun> {
  const rows = await startRows(ledger, workspaceId, verified);
  return { id, kind, startedAt: clock.now(), step: 'rows', rows, findings: NO_FINDINGS };
}

/** Does one slice of a run: the rows first, then the tree over them, then the archive of them. */
export async function verifySlice(
  parts: VerificationParts,
  workspaceId: string,
  run: VerificationRun,
  verified: Verified,
  slice: number,
): Promise<{ readonly run: VerificationRun; readonly done: boolean }> {
  switch (run.step) {
    case 'rows': {
      const after = await verifyRowSlice(parts, workspaceId, run, verified, slice);
      return { run: after.rows.lanes.length > 0 ? after : { ...after, step: 'tree' }, done: false };
    }
    case 'tree': {
      const { run: after, done } = await verifyTreeSlice(parts, workspaceId, run, verified, slice);
      return { run: done ? { ...after, step: 'archive' } : after, done: false };
    }
    case 'archive':
      return verifyArchiveSlice(parts, workspaceId, run, verified, slice);
  }
}
