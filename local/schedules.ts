import { JOB_NAMES, type JobName, logFailure, type RunJob } from './jobs.ts';
import { isDue, RHYTHMS } from './rhythms.ts';

/** How often it is looked for jobs whose time has come. */
const LOOK_MS = 1_000;

export interface Schedules {
  /** Starts no more runs and waits for those under way. */
  stop(): Promise<void>;
}

/** Starts jobs when their time comes, one run of each at a time. One that fails is logged. */
export interface Starter {
  /** Starts what came due since it was last called, or since it was made. A job that is still at work is left out. */
  startDue(): void;
  /** Resolves once nothing that was started is at work. */
  idle(): Promise<unknown>;
}

/** @param now epoch milliseconds. */
export function createStarter(runJob: RunJob, now: () => number): Starter {
  const running = new Map<JobName, Promise<void>>();
  let looked = now();
  const start = (name: JobName): void => {
    const run = runJob(name)
      .then(
        () => undefined,
        (error: unknown) => logFailure(name, error),
      )
      .finally(() => running.delete(name));
    running.set(name, run);
  };
  return {
    startDue() {
      const from = looked;
      looked = Math.max(from, now());
      for (const name of JOB_NAMES) {
        if (!running.has(name) && isDue(RHYTHMS[name], from, looked)) start(name);
      }
    },
    idle: () => Promise.all(running.values()),
  };
}

/** Runs every job when it would run on AWS. While a laptop sleeps nothing runs, and afterwards each job once. */
export function startSchedules(runJob: RunJob, now: () => number): Schedules {
  const starter = createStarter(runJob, now);
  const timer = setInterval(starter.startDue, LOOK_MS);
  return {
    async stop() {
      clearInterval(timer);
      await starter.idle();
    },
  };
}
