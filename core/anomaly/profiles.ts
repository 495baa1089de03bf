import type * as z from 'zod';
import {
  type ActorProfile,
  actorProfileSchema,
  type StoredProfile,
  type WorkspaceProfile,
  workspaceProfileSchema,
} from './anomaly-states.ts';
import type { Detector } from './detector.ts';
import type { Detectors } from './detectors.ts';
import { NOTHING_TOLD } from './limit-alerts.ts';

/** What went wrong on the way and kept nobody from the work, and how often. */
export class Faults {
  readonly counts = new Map<string, number>();

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** The states of some detectors, changed in place. */
export type States = Map<string, unknown>;

/** An actor while its rows are looked at. */
export interface WorkingActor {
  /** Of the profile as it is stored; 0 where there is none. */
  readonly version: number;
  /** The last rows that are taken into account. */
  readonly seen: Map<number, number>;
  readonly states: States;
  /** The time of its last row; 0 while there is none that was new. */
  lastSeenAt: number;
}

/** JSON characters of one state: a detector bounds its own, and one that does not must not fill the table. */
const MAX_STATE_LENGTH = { actor: 4_096, workspace: 65_536 } as const;

/**
 * A workspace's profile as it is stored. `undefined` where it has none, or none that can be used: then all is learned
 * anew.
 */
export function readWorkspaceProfile(
  stored: StoredProfile | undefined,
  faults: Faults,
): WorkspaceProfile | undefined {
  const content = parsed(workspaceProfileSchema, stored, faults, 'workspace profile: dropped');
  return content && { ...content, version: stored?.version ?? 0 };
}

/** @param version of what is stored so far, and cannot be used; 0 where there is nothing. */
export function newWorkspaceProfile(
  version: number,
  beginning: Pick<WorkspaceProfile, 'generation' | 'next' | 'raiseFrom'>,
): WorkspaceProfile {
  return { version, leaseUntil: 0, failures: 0, ...beginning, told: NOTHING_TOLD, states: {} };
}

/** An actor's profile, ready to be worked on: an empty one where there is none of this generation that can be used. */
export function openActor(
  detectors: Detectors,
  stored: StoredProfile | undefined,
  generation: string,
  faults: Faults,
): WorkingActor {
  const content = parsed(actorProfileSchema, stored, faults, 'actor profile: dropped');
  const isCurrent = content?.generation === generation;
  const seen = Object.entries(isCurrent ? content.seen : {});
  return {
    version: stored?.version ?? 0,
    seen: new Map(seen.map(([lane, seq]) => [Number(lane), seq])),
    states: openStates(detectors, 'actor', isCurrent ? content.states : {}, faults),
    lastSeenAt: 0,
  };
}

/** The profile to store. It tells of a lane only while the workspace's cursor may be behind in it. */
export function closeActor(
  detectors: Detectors,
  { version, seen, states }: WorkingActor,
  { generation, next }: Pick<WorkspaceProfile, 'generation' | 'next'>,
  faults: Faults,
): ActorProfile {
  const ahead = [...seen].filter(([lane, seq]) => seq >= (next[lane] ?? 1));
  return {
    version: version + 1,
    generation,
    seen: Object.fromEntries(ahead),
    states: closeStates(detectors, 'actor', states, faults),
  };
}

/** A state for each detector of a scope, its first one where none is stored that fits. */
export function openStates(
  detectors: Detectors,
  scope: Detector<unknown, unknown>['scope'],
  stored: { readonly [detector: string]: unknown },
  faults: Faults,
): States {
  const states: States = new Map();
  for (const [name, detector] of detectors) {
    if (detector.scope !== scope) continue;
    const state = stored[name];
    const { data, success } = state === undefined ? {} : detector.state.safeParse(state);
    if (success === false) faults.add(`${name}: state dropped`);
    states.set(name, data ?? detector.initial());
  }
  return states;
}

export function closeStates(
  detectors: Detectors,
  scope: Detector<unknown, unknown>['scope'],
  states: States,
  faults: Faults,
): { readonly [detector: string]: unknown } {
  return Object.fromEntries(
    [...states].map(([name, state]) => {
      if (JSON.stringify(state).length <= MAX_STATE_LENGTH[scope]) return [name, state];
      faults.add(`${name}: state too large`);
      return [name, detectors.get(name)?.initial()];
    }),
  );
}

/** What is stored, if it fits; what has no version cannot be replaced as what it is. */
function parsed<T>(
  schema: z.ZodType<T>,
  stored: StoredProfile | undefined,
  faults: Faults,
  fault: string,
): T | undefined {
  if (stored === undefined) return undefined;
  const { data } = schema.safeParse(stored.content);
  if (data !== undefined && stored.version > 0) return data;
  faults.add(fault);
  return undefined;
}
