import * as z from 'zod';
import type { Overrides } from './anomaly-states.ts';
import type { Detectors } from './detectors.ts';
import { type DetectorSettings, effectiveSettings } from './settings.ts';

/**
 * What a change of the settings makes the detectors notice less by, such as `volume.enabled true to false` or
 * `volume.factor 2 to 100`; first the detectors that are turned off.
 */
export function weakenedSettings(detectors: Detectors, before: Overrides, after: Overrides): string[] {
  const [old, now] = [effectiveSettings(detectors, before), effectiveSettings(detectors, after)];
  const off: string[] = [];
  const weaker: string[] = [];
  for (const [name, { weakerWhenLower = [] }] of detectors) {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === undefined || is === undefined) continue;
    if (was.enabled && !is.enabled) off.push(`${name}.enabled true to false`);
    const values = valuesOf(is);
    for (const [field, from] of Object.entries(valuesOf(was))) {
      const to = values[field];
      if (to === undefined || to === from) continue;
      if (to < from === weakerWhenLower.includes(field)) weaker.push(`${name}.${field} ${from} to ${to}`);
    }
  }
  return [...off, ...weaker];
}

function valuesOf({ thresholds }: DetectorSettings): { readonly [field: string]: number } {
  return z.record(z.string(), z.number()).parse(thresholds);
}
