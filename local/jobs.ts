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
] as const;

/** The functions that AWS runs by the clock. */
export type JobName = (typeof JOB_NAMES)[number];

/** Runs a job's function once, with the schedule's event `{}` unless another is given, and gives its result. */
export type RunJob = (name: JobName, event?: unknown) => Promise<unknown>;

export function logFailure(name: JobName, error: unknown): void {
  console.error(`The job ${name} failed:`, error);
}
