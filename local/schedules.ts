import { JOB_NAMES, type JobName, logFailure, type RunJob } from './jobs.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** As often as on AWS, counted from the start. */
const INTERVALS_MS: Readonly<Record<JobName, number>> = {
  tally: MINUTE_MS,
  sealer: MINUTE_MS,
  deliverer: MINUTE_MS,
  verifier: 5 * MINUTE_MS,
  archiver: DAY_MS,
  retention: DAY_MS,
  purge: DAY_MS,
};

export interface Schedules {
  /** Starts no more runs and waits for those under way. */
  stop(): Promise<void>;
}

/** Runs every job at its interval, one run of each at a time. One that fails is logged; the next comes at its time. */
export function startSchedules(runJob: RunJob): Schedules {
  const running = new Map<JobName, Promise<void>>();
  const start = (name: JobName): void => {
    if (running.has(name)) return;
    const run = runJob(name)
      .then(
        () => undefined,
        (error: unknown) => logFailure(name, error),
      )
      .finally(() => running.delete(name));
    running.set(name, run);
  };
  const timers = JOB_NAMES.map((name) => setInterval(start, INTERVALS_MS[name], name));
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running.values());
    },
  };
}
