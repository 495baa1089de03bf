import * as z from 'zod';

/** By lane, a number of a row. */
const laneNumbers = z.record(z.string(), z.int().min(0));
export type LaneNumbers = { readonly [lane: string]: number };

/** By detector, what it remembers; each has a schema of its own. */
const states = z.record(z.string(), z.unknown());

/** What a workspace set of its detectors: by detector and field. */
export const overridesSchema = z.record(z.string(), z.record(z.string(), z.json()));
export type Overrides = z.infer<typeof overridesSchema>;

/** What was told in the present span of time, so that a storm of findings stays a few alerts. See `limit-alerts.ts`. */
const toldSchema = z.strictObject({
  /** Epoch milliseconds. */
  since: z.int(),
  /** By tier and kind of alert, short hashes of what it was about. */
  kinds: z.record(z.string(), z.array(z.string())),
});
export type Told = z.infer<typeof toldSchema>;

/** How far the detectors have come in a workspace, and what they know of it as a whole. */
export const workspaceProfileSchema = z.strictObject({
  /** Whoever works on it now is left alone until then, in epoch milliseconds. 0: nobody does. */
  leaseUntil: z.int(),
  /** Slices in a row that ended with an error. */
  failures: z.int().min(0),
  /** Drawn at each new beginning: what an actor's profile of an earlier one knows would count twice. */
  generation: z.string(),
  /** The next row of each lane. A lane that is not named begins with its first row: it was opened later. */
  next: laneNumbers,
  /** The last row of each lane in the batch at hand: whoever repeats it has the same rows in the same order. */
  through: laneNumbers.exactOptional(),
  /** Rows before this time are only learned from, in epoch milliseconds. */
  raiseFrom: z.int(),
  /** The settings as they were at the row that the cursor has come to; absent when they have to be read anew. */
  settings: overridesSchema.exactOptional(),
  told: toldSchema,
  states,
});

export type WorkspaceProfile = z.infer<typeof workspaceProfileSchema> & { readonly version: number };

/** What the detectors know of one actor. */
export const actorProfileSchema = z.strictObject({
  generation: z.string(),
  /** The last rows of the actor that are taken into account, of the lanes in which the workspace's cursor may be behind. */
  seen: laneNumbers,
  states,
});

export type ActorProfile = z.infer<typeof actorProfileSchema> & { readonly version: number };

/** What is stored, as it was found: whoever reads it checks it. A `version` of 0 is that of nothing, and of a damaged one. */
export interface StoredProfile {
  readonly version: number;
  /** Parsed JSON; undefined for what is none. */
  readonly content: unknown;
}

/**
 * For how many days after its last row an actor is remembered. A key may lie forgotten for years; what a person does is
 * kept no longer than it is of use.
 */
export const KEY_LIFE_DAYS = 1_100;
export const PERSON_LIFE_DAYS = 400;

/**
 * Keeps what the detectors know. No tenant's data: it is learned from the audit trail, and can be learned again.
 *
 * Both `replace` are compare-and-swap: `next.version` is one more than that of the profile read (1 where there was none).
 * Reads are consistent.
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not.
 */
export interface AnomalyStates {
  read(workspaceId: string): Promise<StoredProfile | undefined>;
  replace(workspaceId: string, next: WorkspaceProfile): Promise<'replaced' | 'changed'>;
  /** The profiles of some actors by name (see {@link actorName}); without those that have none. Any number. */
  readActors(workspaceId: string, actors: readonly string[]): Promise<ReadonlyMap<string, StoredProfile>>;
  /** @param expiresAt epoch milliseconds, after which the store may forget the actor. */
  replaceActor(
    workspaceId: string,
    actor: string,
    next: ActorProfile,
    expiresAt: number,
  ): Promise<'replaced' | 'changed'>;
}

export function actorName({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}#${id}`;
}
