export const JOB_NAMES = [
  'tally',
  'sealer',
  'deliverer',
  'verifier',
  'archiver',
  'retention',
  'purge',
  'anomaly',
  'backup',
  'backup-check',
  'probe',
  'snapshot',
  'access-review',
  'reconciler',
  'ct-monitor',
  'rewrapper',
  'syncer',
  'evidence-export',
] as const;

/** The functions that AWS runs by the clock. */
export type JobName = (typeof JOB_NAMES)[number];

/** The functions that nothing but an operator runs. */
export const ON_ORDER = ['assign-plan'] as const;

export type RunnableName = JobName | (typeof ON_ORDER)[number];

/** Runs a function once, with the schedule's event `{}` unless another is given, and gives its result. */
export type RunFunction = (name: RunnableName, event?: unknown) => Promise<unknown>;
export type RunJob = (name: JobName, event?: unknown) => Promise<unknown>;

export function logFailure(name: JobName, error: unknown): void {
  console.error(`The job ${name} failed:`, error);
}
