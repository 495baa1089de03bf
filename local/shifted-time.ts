import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './json-records.ts';

/** Time that can be moved forward, for everything in this process: functions, stand-ins and the AWS SDK alike. */
export interface ShiftedTime {
  /** Milliseconds since the epoch, as this process sees it. */
  now(): number;
  /** How far ahead of the wall clock, in milliseconds. */
  ahead(): number;
  /** Moves time forward at once. What is under way sees it jump: do it while nothing is. */
  advance(milliseconds: number): void;
}

/**
 * Puts `Date` ahead of the wall clock as far as the file says, and keeps there what it is moved on by: what was stored
 * must not lie in the future at the next start. Timers are not touched. Nothing is changed while the file is not there
 * and nobody advances.
 */
export function enterShiftedTime(file: string): ShiftedTime {
  const WallClock = Date;
  let ahead = readAhead(file);
  const now = (): number => WallClock.now() + ahead;
  globalThis.Date = new Proxy(WallClock, {
    construct: (target, args, newTarget: NewableFunction) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new WallClock(now()).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
  });
  return {
    now,
    ahead: () => ahead,
    advance(milliseconds) {
      ahead += milliseconds;
      writeFileAtomic(file, `${JSON.stringify({ aheadMs: ahead })}\n`);
    },
  };
}

/** Where a data directory keeps how far its vault's time is ahead. */
export function timeFile(dataDir: string): string {
  return join(dataDir, 'time.json');
}

function readAhead(file: string): number {
  try {
    const { aheadMs } = JSON.parse(readFileSync(file, 'utf8')) as { readonly aheadMs?: unknown };
    return typeof aheadMs === 'number' && Number.isSafeInteger(aheadMs) && aheadMs > 0 ? aheadMs : 0;
  } catch {
    return 0;
  }
}
