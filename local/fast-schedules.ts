import { setTimeout } from 'node:timers/promises';
import type { RunJob } from './jobs.ts';
import { createStarter, type Schedules } from './schedules.ts';
import type { ShiftedTime } from './shifted-time.ts';

const STEP_MS = 5 * 60_000;
const STEPS_PER_DAY = (24 * 60 * 60_000) / STEP_MS;
/** A day is to pass in a minute. */
const PACE_MS = 60_000 / STEPS_PER_DAY;
/** Where a stroke took longer, the next one goes on by as much more, up to an hour. */
const MAX_STEPS = 12;

export interface FastSchedulesOptions {
  readonly runJob: RunJob;
  readonly time: ShiftedTime;
  /** Hands over what waits in streams and queues, until nothing does. */
  readonly pump: () => Promise<void>;
  /** Resolves once no request is under way. */
  readonly requestsDone: () => Promise<void>;
  /**
   * How long a stroke takes at least, in milliseconds of the wall clock.
   * @default - a day's strokes take a minute
   */
  readonly paceMs?: number;
}

/**
 * Lets a day pass in about a minute: time goes on by five minutes or more at a stroke, then everything that came due
 * meanwhile is done, and what it wakes. What runs every minute runs once for each stroke. Time never jumps while something is
 * under way: limits of seconds hold as ever.
 */
export function startFastSchedules(options: FastSchedulesOptions): Schedules {
  const { runJob, time, pump, requestsDone, paceMs = PACE_MS } = options;
  const starter = createStarter(runJob, time.now);
  let stopped = false;
  const pass = async (): Promise<void> => {
    for (let steps = 1; !stopped; ) {
      const begun = performance.now();
      await requestsDone();
      time.advance(steps * STEP_MS);
      starter.startDue();
      await starter.idle();
      await pump().catch((error: unknown) => console.error('What the tables woke failed:', error));
      const took = performance.now() - begun;
      steps = paceMs === 0 ? 1 : Math.min(MAX_STEPS, Math.max(1, Math.round(took / paceMs)));
      await setTimeout(Math.max(0, paceMs - took));
    }
  };
  const passing = pass();
  return {
    async stop() {
      stopped = true;
      await passing;
    },
  };
}
