import type { AuditEvent } from '../../core/audit/event.ts';
import type { Change, Entity } from '../../core/kernel/entity.ts';
import type { RestoreParts } from '../../core/restore/restore-parts.ts';
import type { Broken } from './restored-world.ts';

interface Mutant {
  readonly name: string;
  readonly broken: Broken;
  /** What the checker has to say of it. */
  readonly caughtBy: RegExp;
}

/** Restores that are wrong in one way each, as a mistake in the program would make them. */
export const mutants: readonly Mutant[] = [
  {
    name: 'leaves API keys that are behind their rows as they are',
    broken: withoutEventsOf('apiKey'),
    caughtBy: /apiKey.*(not explained|gives more)/,
  },
  {
    name: 'explains API keys without revoking them',
    broken: withPatched('apiKey', ({ revokedAt, ...rest }) => rest),
    caughtBy: /apiKey.*gives more/,
  },
  {
    name: 'lets sessions go on that have ended',
    broken: withPatched('session', ({ endedAt, ...rest }) => rest),
    caughtBy: /session.*gives more/,
  },
  {
    name: 'brings passwords back that were changed',
    broken: withPatched('user', ({ passwordHash, passwordHistory, ...rest }) => ({
      ...rest,
      passwordHash: (passwordHistory as string[])[1] ?? 'hash-old',
      passwordHistory,
    })),
    caughtBy: /user.*gives more/,
  },
  {
    name: 'takes second factors away instead of locking them',
    broken: withPatched('mfa', ({ confirmedAt, ...rest }) => rest),
    caughtBy: /mfa.*gives more/,
  },
  {
    name: 'says nothing of what is lost',
    broken: withChanges((change) => change.op !== 'remove' || change.expect !== 'absent'),
    caughtBy: /is missing/,
  },
  {
    name: 'does not end logins again',
    broken: withoutEventsOf('endedLogin'),
    caughtBy: /endedLogin.*gone/,
  },
  {
    name: 'does not look into the log',
    broken: (parts) => ({
      ...parts,
      archive: { ...forwarded(parts.archive), list: async function* () {}, read: async () => undefined },
    }),
    caughtBy: /is lost or altered|it died/,
  },
  {
    name: 'writes no changes without rows, but rows without changes',
    broken: withChanges(() => false),
    caughtBy: /not explained/,
  },
];

function withoutEventsOf(kind: string): Broken {
  return (parts) => withTrail(parts, (events) => events.filter((event) => !changes(event, kind)));
}

function changes({ changes: made = [] }: AuditEvent, kind: string): boolean {
  return made.some(({ entity }) => entity.kind === kind);
}

type Fields = { readonly [field: string]: unknown };

function withPatched(kind: string, patch: (entity: Fields) => Fields): Broken {
  const patched = (change: Change): Change => {
    if (change.op !== 'put' || change.entity.kind !== kind) return change;
    return { ...change, entity: patch(change.entity as unknown as Fields) as unknown as Entity };
  };
  return (parts) =>
    withTrail(parts, (events) =>
      events.map((event) => ({ ...event, changes: (event.changes ?? []).map(patched) })),
    );
}

function withChanges(isMade: (change: Change) => boolean): Broken {
  return (parts) =>
    withTrail(parts, (events) =>
      events.map((event) => ({ ...event, changes: (event.changes ?? []).filter(isMade) })),
    );
}

function withTrail(
  parts: RestoreParts,
  map: (events: readonly AuditEvent[]) => readonly AuditEvent[],
): RestoreParts {
  const commit: RestoreParts['trail']['commit'] = async (origin, events) => {
    const mapped = map(events);
    return mapped.length === 0 ? [] : parts.trail.commit(origin, mapped);
  };
  return { ...parts, trail: { commit } };
}

/** The methods of a port, for spreading: those of a class are not its own members. */
function forwarded<P extends object>(port: P): P {
  return new Proxy(port, {
    ownKeys: (target) => [...Reflect.ownKeys(Object.getPrototypeOf(target))],
    getOwnPropertyDescriptor: (target, key) => ({
      configurable: true,
      enumerable: true,
      value: (...values: unknown[]) =>
        (Reflect.get(target, key) as (...all: unknown[]) => unknown).apply(target, values),
    }),
  });
}
