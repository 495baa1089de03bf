import { archiveDeployment } from '../../core/archive/archive-deployment.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { retainDeployment } from '../../core/retention/retain-deployment.ts';
import { sealDeployment } from '../../core/seal/seal-deployment.ts';
import type { Findings, VerificationKind } from '../../core/verification/verification-state.ts';
import { verifyDue } from '../../core/verification/verify-due.ts';
import { verifyOnOrder } from '../../core/verification/verify-on-order.ts';
import type { Process } from './process.ts';
import type { LogWorld, Role } from './world.ts';
import { WORKSPACE } from './writers.ts';

const always = (): boolean => true;

/** What a job said of each workspace; what failed or crashed said nothing. */
export interface Said {
  readonly workspaceId: string;
  /** Of a seal, an archive run or a retention run. */
  readonly status?: string;
  /** Of a verification. */
  readonly findings?: Findings;
}

export function seal(world: LogWorld, role: 'sealer 1' | 'sealer 2', force: boolean): Promise<Said[]> {
  return runJob(world, role, ({ parts }) => sealDeployment(parts, { force }));
}

export function archive(world: LogWorld): Promise<Said[]> {
  return runJob(world, 'archiver', ({ parts }) => archiveDeployment(parts, always));
}

export function retain(world: LogWorld): Promise<Said[]> {
  return runJob(world, 'retention', ({ retentionParts }) => retainDeployment(retentionParts, always));
}

/** What is due, as the schedule has it. */
export function verify(world: LogWorld, slice: number): Promise<Said[]> {
  return runJob(world, 'verifier', ({ parts }) => verifyDue(parts, { mayGoOn: always, slice }));
}

/** One workspace after the other, due or not. */
export function verifyAll(world: LogWorld, kind: VerificationKind, slice: number): Promise<Said[]> {
  return runJob(world, 'verifier', async function* ({ parts }) {
    for (const workspaceId of [PLATFORM_WORKSPACE, WORKSPACE]) {
      const result = await verifyOnOrder(parts, workspaceId, kind, { mayGoOn: always, slice });
      if (result !== undefined) yield result;
    }
  });
}

/** What a job gives out of one workspace. */
export interface Result {
  readonly workspaceId: string;
  readonly outcome?: { readonly status: string };
  readonly findings?: Findings;
  readonly error?: unknown;
}

export async function runJob(
  world: LogWorld,
  role: Role,
  work: (process: Process) => AsyncIterable<Result>,
): Promise<Said[]> {
  const process = world.process(role);
  const said: Said[] = [];
  const outcome = await process.run(async () => {
    for await (const { workspaceId, outcome: told, findings, error } of work(process)) {
      if (error !== undefined) note(world, role, error);
      const status = told?.status;
      said.push({ workspaceId, ...(status && { status }), ...(findings && { findings }) });
    }
  });
  if (outcome.status === 'failed') note(world, role, outcome.error);
  return said;
}

/** A job may fail because a store did, or because another was quicker. */
function note({ evidence, faults }: LogWorld, role: Role, error: unknown): void {
  const isExpected =
    error instanceof VaultError && (error.code === 'unavailable' || error.code === 'concurrent_change');
  if (!isExpected || faults === undefined)
    evidence.complaints.push(`${role}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
}
