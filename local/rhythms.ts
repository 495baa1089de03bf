import type { JobName } from './jobs.ts';

/** How often a job runs, by UTC. */
export interface Rhythm {
  readonly everyMinutes: number;
  /** Minutes after midnight. */
  readonly at?: number;
}

const MINUTE_MS = 60_000;
const HOUR = 60;
const DAY = 24 * HOUR;

/** As on AWS. */
export const RHYTHMS: Readonly<Record<JobName, Rhythm>> = {
  tally: { everyMinutes: 1 },
  sealer: { everyMinutes: 1 },
  deliverer: { everyMinutes: 1 },
  verifier: { everyMinutes: 5 },
  purge: { everyMinutes: DAY, at: 2 * HOUR + 15 },
  archiver: { everyMinutes: DAY, at: 4 * HOUR },
  retention: { everyMinutes: DAY, at: 6 * HOUR },
  anomaly: { everyMinutes: 5 },
  backup: { everyMinutes: DAY, at: HOUR },
  'backup-check': { everyMinutes: DAY, at: 5 * HOUR },
  probe: { everyMinutes: 15 },
  snapshot: { everyMinutes: DAY, at: 30 },
  'access-review': { everyMinutes: DAY, at: 7 * HOUR },
  reconciler: { everyMinutes: DAY, at: 3 * HOUR + 30 },
  'ct-monitor': { everyMinutes: HOUR },
  rewrapper: { everyMinutes: 1 },
  syncer: { everyMinutes: 5 },
  'evidence-export': { everyMinutes: DAY, at: 6 * HOUR + 30 },
};

/** Whether a job's time comes after `from`, and not after `to`; both in epoch milliseconds. */
export function isDue({ everyMinutes, at = 0 }: Rhythm, from: number, to: number): boolean {
  const turns = (time: number): number => Math.floor((time / MINUTE_MS - at) / everyMinutes);
  return turns(to) > turns(from);
}
