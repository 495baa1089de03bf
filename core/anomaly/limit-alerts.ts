import { hash } from 'node:crypto';
import type { Told } from './anomaly-states.ts';
import type { Sighting } from './detector.ts';

/** So long what was told once is not told again, by the time of the rows. */
const SPAN_MS = 15 * 60 * 1000;
/** Of one kind and tier, so many alerts in that time are told one by one. */
const MOST_OF_A_KIND = 20;

export const NOTHING_TOLD: Told = { since: 0, kinds: {} };

/**
 * Which of the findings at one time to raise. Nobody reads a thousand alerts, and whoever can cause them must not keep
 * the detector from its work: in 15 minutes, an alert is raised once for each tier, and of one kind 20 for each tier; one
 * more tells that there are others. Tiers count apart, so that nobody hides what is critical behind warnings.
 *
 * @param at the row's time, in epoch milliseconds. Rows of two lanes may come out of order by moments.
 */
export function limitAlerts<S extends Sighting>(
  told: Told,
  sightings: readonly S[],
  at: number,
): { readonly told: Told; readonly raised: readonly S[] } {
  let now: Told = Math.abs(at - told.since) >= SPAN_MS ? { since: at - (at % SPAN_MS), kinds: {} } : told;
  const raised: S[] = [];
  for (const sighting of sightings) {
    const { kind, tier, subject } = sighting;
    const group = `${tier} ${kind}`;
    const before = now.kinds[group] ?? [];
    const name = hash('sha256', subject, 'hex').slice(0, 12);
    if (before.length > MOST_OF_A_KIND || before.includes(name)) continue;
    now = { ...now, kinds: { ...now.kinds, [group]: [...before, name] } };
    raised.push(before.length === MOST_OF_A_KIND ? others(sighting) : sighting);
  }
  return { told: now, raised };
}

function others<S extends Sighting>(sighting: S): S {
  return {
    ...sighting,
    subject: 'many at once',
    seen: `More than ${MOST_OF_A_KIND} of these within 15 minutes, each about something else. The first ${MOST_OF_A_KIND} are alerts of their own; look for further ones in the audit trail.`,
  };
}
