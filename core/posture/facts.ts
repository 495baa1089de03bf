import * as z from 'zod';

const count = z.int().min(0);
/** How many there are, and the ids of the first few. */
const tally = z.strictObject({ count, first: z.array(z.string()).max(5) });

export type Tally = z.infer<typeof tally>;

/** Ids that a tally names, so that whoever reads it knows where to begin. */
const MAX_NAMED = 5;

/** Everything that a snapshot counts in a workspace. */
export const postureFactsSchema = z.strictObject({
  /** Secrets that are not deleted, decoys included. Versions are not counted. */
  secrets: z.strictObject({
    active: count,
    cui: count,
    /** Their value was not changed for a year. Decoys are left out: theirs never is. */
    unchangedForYear: count,
    /** Those that can still be restored. */
    deleted: count,
  }),
  namespaces: count,
  /** `good`, `expired` and `revoked` are all keys but honeypots; the tallies are of good ones. */
  keys: z.strictObject({
    good: count,
    expired: count,
    revoked: count,
    honeypots: count,
    withoutExpiry: tally,
    dormant: tally,
    owners: tally,
  }),
  members: z.strictObject({
    owner: count,
    admin: count,
    operator: count,
    viewer: count,
    withoutMfa: count,
    ownersWithoutMfa: tally,
  }),
  webhooks: z.strictObject({ active: count, paused: count, parked: count }),
  alerts: z.strictObject({
    openInfo: count,
    openWarning: count,
    openCritical: count,
    acknowledged: count,
    /** Critical ones that are open, and were first seen more than a day ago. */
    criticalForDay: tally,
  }),
  /** As they stood before the snapshot opened and closed any itself. */
  findings: z.strictObject({
    open: count,
    inProgress: count,
    accepted: count,
    closed: count,
    overdue: count,
  }),
  /** Whether the workspace demands a second factor. */
  requiresMfa: z.boolean(),
  /** The detectors of anomalies that are turned off. */
  detectorsOff: z.array(z.string()),
});

export type PostureFacts = z.infer<typeof postureFactsSchema>;

export function noFacts(): PostureFacts {
  const none = (): Tally => ({ count: 0, first: [] });
  return {
    secrets: { active: 0, cui: 0, unchangedForYear: 0, deleted: 0 },
    namespaces: 0,
    keys: {
      good: 0,
      expired: 0,
      revoked: 0,
      honeypots: 0,
      withoutExpiry: none(),
      dormant: none(),
      owners: none(),
    },
    members: { owner: 0, admin: 0, operator: 0, viewer: 0, withoutMfa: 0, ownersWithoutMfa: none() },
    webhooks: { active: 0, paused: 0, parked: 0 },
    alerts: { openInfo: 0, openWarning: 0, openCritical: 0, acknowledged: 0, criticalForDay: none() },
    findings: { open: 0, inProgress: 0, accepted: 0, closed: 0, overdue: 0 },
    requiresMfa: false,
    detectorsOff: [],
  };
}

/** Whether machines work in the workspace alone, as in one that was set up without an owner: what is asked of people is moot. */
export function isWithoutPeople({ members }: Pick<PostureFacts, 'members'>): boolean {
  return members.owner + members.admin + members.operator + members.viewer === 0;
}

export function addTo(into: Tally, id: string): void {
  into.count += 1;
  if (into.first.length < MAX_NAMED) into.first.push(id);
}
