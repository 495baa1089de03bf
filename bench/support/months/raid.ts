import type { Chance } from './chance.ts';
import { type Company, keyAt, type Machine, type Person, type Secret, type Source } from './company.ts';
import { DAY, WEEK } from './places.ts';
import type { Attack, RowSink } from './row-sink.ts';

/** One attack under way. */
export interface Raid {
  readonly chance: Chance;
  readonly company: Company;
  readonly sink: RowSink;
  readonly attack: Attack;
  /** When it begins at the earliest. */
  readonly at: number;
  /** Who was attacked before: after that, a key would be another one, and people would be wary. */
  readonly victims: Set<string>;
}

/** Those that fit, or all if none does. */
function preferred<T>(all: readonly T[], fits: (one: T) => boolean): readonly T[] {
  const fitting = all.filter(fits);
  return fitting.length > 0 ? fitting : all;
}

export function stolenKey(
  { chance, company, attack, at, victims }: Raid,
  habits: readonly Machine['habit'][],
): string {
  // Of a key that was made last week, nobody knows yet what is usual.
  const known = company.machines.filter(
    (machine) =>
      habits.includes(machine.habit) &&
      machine.from < at - 2 * WEEK &&
      keyAt(machine, at) === keyAt(machine, at - 2 * WEEK),
  );
  const ids = known.map((machine) => keyAt(machine, at));
  const id = chance.pick(preferred(ids, (one) => !victims.has(one)));
  attack.subjects.add(id);
  victims.add(id);
  return id;
}

/** Somebody of the day shift who has been there for long and, where there is one, works these days. */
export function victim(
  { chance, company, at, attack, victims }: Raid,
  roles: readonly Person['role'][],
): Person {
  const staying = company.people.filter(
    ({ from, until, role, starts }) =>
      from < at - 5 * WEEK && until > at + 4 * DAY && roles.includes(role) && starts < 15,
  );
  const working = preferred(
    staying,
    ({ vacations, trips }) =>
      !vacations.some(({ from, to }) => at > from - 2 * DAY && at < to + 2 * DAY) &&
      !trips.some(({ from, to }) => at > from - 4 * DAY && at < to + 4 * DAY),
  );
  const person = chance.pick(preferred(working, ({ id }) => !victims.has(id)));
  attack.subjects.add(person.id);
  victims.add(person.id);
  return person;
}

export const STAFF: readonly Person['role'][] = ['operator', 'admin', 'owner'];

/** A rented server in the country of the company: its place gives nothing away. */
export function server({ chance, company, attack }: Raid): Source {
  const source = { ip: chance.address(), city: company.city };
  attack.subjects.add(source.ip);
  return source;
}

export function take(
  raid: Raid,
  actor: { type: 'api_key' | 'user'; id: string },
  source: Source,
  secret: Secret,
  at: number,
): void {
  const entity = { type: 'secret', id: secret.id };
  const detail = { version: '1', namespace: secret.namespace };
  raid.sink.add({ at, actor, source, action: 'secret.revealed', entity, detail }, raid.attack);
}
