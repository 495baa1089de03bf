import type { Detector } from './detector.ts';
import { bruteForce } from './detectors/brute-force.ts';
import { dormantKey } from './detectors/dormant-key.ts';
import { geography } from './detectors/geography.ts';
import { loginSpike } from './detectors/login-spike.ts';
import { offHours } from './detectors/off-hours.ts';
import { permissionChange } from './detectors/permission-change.ts';
import { reconnaissance } from './detectors/reconnaissance.ts';
import { unusedKey } from './detectors/unused-key.ts';
import { volume } from './detectors/volume.ts';

/** Detectors by the names that settings, stored states and occurrences of alerts have for them. */
export type Detectors = ReadonlyMap<string, Detector<unknown, unknown>>;

/** Every way in which the vault notices by itself that something is wrong. A name, once given, stays. */
export const allDetectors: Detectors = new Map<string, Detector<unknown, unknown>>([
  ['volume', volume],
  ['offHours', offHours],
  ['geography', geography],
  ['reconnaissance', reconnaissance],
  ['loginSpike', loginSpike],
  ['bruteForce', bruteForce],
  ['dormantKey', dormantKey],
  ['unusedKey', unusedKey],
  ['permissionChange', permissionChange],
]);
