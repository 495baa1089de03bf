import type { ActorProfile, AnomalyStates } from '../../core/anomaly/anomaly-states.ts';
import type { Alter } from './world.ts';

export interface Mutant {
  readonly name: string;
  /** Of the violations, at least one must say this. */
  readonly caughtBy: RegExp;
  readonly alter: Alter;
  /** Whether it shows where each call in turn goes wrong, and in hardly any history. */
  readonly isSubtle?: true;
}

/** Broken anomaly detectors: what the job gets wrong, as seen at its ports. */
export const mutants: readonly Mutant[] = [
  {
    name: 'a cursor that is saved before the profiles of the actors',
    caughtBy: /key_\d: missing/,
    alter: (parts) => {
      const waiting: (() => Promise<unknown>)[] = [];
      return {
        ...parts,
        states: {
          ...bound(parts.states),
          replaceActor: async (...values) => {
            waiting.push(() => parts.states.replaceActor(...values));
            return 'replaced';
          },
          replace: async (workspaceId, next) => {
            const outcome = await parts.states.replace(workspaceId, next);
            for (const save of waiting.splice(0)) await save();
            return outcome;
          },
        },
      };
    },
  },
  {
    name: 'a successor that is saved after the key that it inherits from',
    caughtBy: /key_1b: inherited the wrong rows/,
    isSubtle: true,
    alter: (parts) => {
      const waiting: (() => Promise<unknown>)[] = [];
      const flush = async (): Promise<void> => {
        for (const save of waiting.splice(0)) await save();
      };
      return {
        ...parts,
        states: {
          ...bound(parts.states),
          replaceActor: async (workspaceId, actor, ...values) => {
            const save = () => parts.states.replaceActor(workspaceId, actor, ...values);
            if (!actor.endsWith('b')) return save();
            waiting.push(save);
            return 'replaced';
          },
          replace: async (...values) => {
            await flush();
            return parts.states.replace(...values);
          },
        },
      };
    },
  },
  {
    name: 'profiles that do not know which rows they have',
    caughtBy: /key_\d: twice/,
    alter: withActors((profile) => ({ ...profile, seen: {} })),
  },
  {
    name: 'a cursor that is lost, with no new generation of profiles',
    caughtBy: /the workspace: missing/,
    alter: (parts) => ({
      ...parts,
      states: {
        ...bound(parts.states),
        replace: (workspaceId, next) => parts.states.replace(workspaceId, { ...next, states: {} }),
      },
    }),
  },
  {
    name: 'a batch that is another one when it is repeated',
    caughtBy: /\d+ rows was raised 2 times/,
    isSubtle: true,
    alter: (parts) => ({
      ...parts,
      states: {
        ...bound(parts.states),
        replace: (workspaceId, { through: _through, ...next }) => parts.states.replace(workspaceId, next),
      },
    }),
  },
  {
    name: 'alerts that are lost without anybody noticing',
    caughtBy: /was raised 0 times, not 1/,
    alter: (parts) => ({ ...parts, record: (alert) => parts.record(alert).catch(() => undefined) }),
  },
  {
    name: 'alerts that do not know what they were raised for',
    caughtBy: /was raised 2 times, not 1/,
    alter: (parts) => ({
      ...parts,
      record: (alert) =>
        parts.record({ ...alert, occurrence: Buffer.from(parts.random.bytes(8)).toString('hex') }),
    }),
  },
];

/** Two runs that know nothing of each other's leases: of what both save, one alone counts. */
export const withoutLeases: Alter = (parts) => ({
  ...parts,
  states: {
    ...bound(parts.states),
    replace: (workspaceId, next) => parts.states.replace(workspaceId, { ...next, leaseUntil: 0 }),
  },
});

function withActors(change: (profile: ActorProfile) => ActorProfile): Alter {
  return (parts) => ({
    ...parts,
    states: {
      ...bound(parts.states),
      replaceActor: (workspaceId, actor, next, expiresAt) =>
        parts.states.replaceActor(workspaceId, actor, change(next), expiresAt),
    },
  });
}

/** The methods of the port, to be taken over one by one. */
function bound(states: AnomalyStates): AnomalyStates {
  return {
    read: (workspaceId) => states.read(workspaceId),
    replace: (workspaceId, next) => states.replace(workspaceId, next),
    readActors: (workspaceId, actors) => states.readActors(workspaceId, actors),
    replaceActor: (...values) => states.replaceActor(...values),
  };
}
