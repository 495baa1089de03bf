import { readRow } from '../audit/build-rows.ts';
import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { type AuditEvent, PRINCIPAL_LANE } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { Break } from '../audit/verify-lane.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { addFindings } from './findings.ts';
import { ScannedJudge } from './judge-scanned.ts';
import { hasRows, recordOutcome, VERIFIER } from './record-outcome.ts';
import { isScanDue } from './schedule.ts';
import { underLease, type Worked } from './under-lease.ts';
import type { VerificationParts } from './verification-parts.ts';
import { NEW_SCAN, NO_FINDINGS, newVerification, type ScanVerification } from './verification-state.ts';

/** Entities judged side by side. */
const WIDTH = 16;
/** What a page of the table counts for in a slice at least, in entities. */
const MIN_PAGE = 500;
/** Rows of the platform read at once. */
const PAGE = 1_000;

type Run = NonNullable<ScanVerification['run']>;

/**
 * Goes on with the daily scan of the deployment by one slice, or starts it: every entity in the table has to be one that
 * a row tells of, so that one slipped in behind the vault's back is found; and every workspace seen is registered once
 * in the platform's trail and gets a state, so that one that vanishes as a whole is missed.
 */
export async function scanSlice(parts: VerificationParts, slice: number): Promise<Worked<ScanVerification>> {
  const { verifications, clock } = parts;
  return underLease<ScanVerification>(
    clock,
    {
      read: async () => (await verifications.readScan()) ?? NEW_SCAN,
      replace: (next) => verifications.replaceScan(next),
    },
    async (state) => {
      if (state.run !== undefined) return state;
      return isScanDue(state, clock.now()) ? { ...state, run: startScan(clock.now()) } : undefined;
    },
    async ({ run, ...state }) => {
      if (run === undefined) return state;
      if (run.step === 'registrations') return { ...state, run: await readRegistrations(parts, run, slice) };
      const after = await judgePages(parts, run, slice);
      if (after.after !== undefined) return { ...state, run: after };
      const { startedAt, findings } = after;
      await recordOutcome(parts, PLATFORM_WORKSPACE, { kind: 'entities', findings });
      return { ...state, last: { startedAt, finishedAt: clock.now(), findings } };
    },
  );
}

function startScan(now: number): Run {
  return { startedAt: now, step: 'registrations', registrationsThrough: 0, findings: NO_FINDINGS };
}

/** Whoever removed a workspace may have removed its state as well: the registrations tell of it all the same. */
async function readRegistrations(parts: VerificationParts, run: Run, slice: number): Promise<Run> {
  const lane = { workspaceId: PLATFORM_WORKSPACE, lane: PRINCIPAL_LANE };
  let through = run.registrationsThrough;
  for (let read = 0; read < slice; ) {
    const rows = await parts.ledger.rows(lane, through + 1, Math.min(PAGE, slice - read));
    const last = Math.max(0, ...rows.map(({ seq }) => seq));
    for (const row of rows) {
      const content = readRow(row);
      if (content?.action === 'workspace.registered') await keepState(parts, content.entity.id);
    }
    if (last <= through) return { ...run, step: 'entities' };
    through = last;
    read += rows.length;
  }
  return { ...run, registrationsThrough: through };
}

async function keepState({ verifications }: VerificationParts, workspaceId: string): Promise<void> {
  if ((await verifications.read(workspaceId)) !== undefined) return;
  await verifications.replace({ ...newVerification(workspaceId), version: 1 });
}

/** @returns the run after some pages; without `after` at the end of the table. */
async function judgePages(parts: VerificationParts, run: Run, slice: number): Promise<Run> {
  const judge = new ScannedJudge(parts);
  const seen = new Set<string>();
  const breaks = new Map<string, Break[]>();
  let { after } = run;
  let [entities, read] = [0, 0];
  do {
    const page = await parts.inspector.scanPage(after);
    after = page.next;
    entities += page.entities.length;
    // A page may hold nothing but bookkeeping, and takes its time all the same.
    read += Math.max(page.entities.length, MIN_PAGE);
    await concurrently(page.entities, WIDTH, async (found) => {
      if (await judge.isExplained(found)) seen.add(found.workspaceId);
      else {
        const told = breaks.get(found.workspaceId) ?? [];
        breaks.set(found.workspaceId, [...told, unexplained(found)]);
      }
    });
  } while (after !== undefined && read < slice);
  for (const workspaceId of seen) await register(parts, workspaceId);
  for (const [workspaceId, found] of breaks) await tell(parts, workspaceId, found);
  const { after: _before, ...rest } = run;
  const findings = addFindings(run.findings, { entities }, [...breaks.values()].flat());
  return { ...rest, findings, ...(after === undefined ? {} : { after }) };
}

function unexplained({ kind, id, row }: InspectedEntity): Break {
  return { lane: row.lane, seq: row.seq, reason: 'entity_unexplained', entity: { kind, id } };
}

/** A workspace is registered when an entity of it is seen that its rows tell of: a forger may name any. */
async function register(parts: VerificationParts, workspaceId: string): Promise<void> {
  if ((await parts.verifications.read(workspaceId)) !== undefined) return;
  if (workspaceId !== PLATFORM_WORKSPACE)
    await parts.trail.commit(systemOrigin(PLATFORM_WORKSPACE, VERIFIER), [registration(workspaceId)]);
  await keepState(parts, workspaceId);
}

function registration(workspaceId: string): AuditEvent {
  return {
    action: 'workspace.registered',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
  };
}

/** Each workspace is told of its own; what is of none that exists, the platform is told when the scan ends. */
async function tell(parts: VerificationParts, workspaceId: string, breaks: readonly Break[]): Promise<void> {
  if (workspaceId === PLATFORM_WORKSPACE || !(await hasRows(parts, workspaceId))) return;
  const findings = addFindings(NO_FINDINGS, {}, breaks);
  await recordOutcome(parts, workspaceId, { kind: 'entities', findings });
}
