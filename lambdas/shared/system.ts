import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Clock, Random } from '../../core/kernel/ports.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => setTimeout(milliseconds),
};

export const systemRandom: Random = {
  bytes: (size) => randomBytes(size),
};
