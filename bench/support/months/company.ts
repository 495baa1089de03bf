import type { Chance } from './chance.ts';
import { CITIES, type City, DAY, HOUR, kilometres, WEEK } from './places.ts';

export interface Source {
  readonly ip: string;
  readonly city: City;
}

export interface Secret {
  readonly id: string;
  readonly namespace: string;
}

export interface Trip {
  readonly city: City;
  /** The first and the last moment there; before and after, nothing is done for as long as the flight takes. */
  readonly from: number;
  readonly to: number;
  readonly flight: number;
  readonly ip: string;
}

export interface Person {
  readonly id: string;
  role: 'viewer' | 'operator' | 'admin' | 'owner';
  readonly home: City;
  readonly homeIp: string;
  /** Hours of the local day. */
  readonly starts: number;
  readonly works: number;
  /** Values opened on a usual day, and the probability of work on a day of the weekend. */
  readonly reveals: number;
  readonly weekends: number;
  /** What they work with, the most used first. */
  readonly secrets: readonly Secret[];
  readonly from: number;
  until: number;
  /** Whether somebody removes them then. */
  readonly leaves: boolean;
  readonly vacations: readonly { readonly from: number; readonly to: number }[];
  readonly trips: readonly Trip[];
  /** An exit of a virtual private network in another country that they like to use. */
  readonly exit: Source | undefined;
}

export type Habit = 'service' | 'ci' | 'nightly' | 'monitor' | 'weekly' | 'monthly' | 'terraform' | 'script';

export interface Machine {
  /** A key that is rotated has a successor from some time on. */
  readonly keys: readonly { readonly id: string; readonly from: number }[];
  readonly habit: Habit;
  readonly secrets: readonly Secret[];
  readonly namespace: string;
  readonly sources: readonly Source[];
  /** What it does at once: replicas of a service, values of a job. */
  readonly size: number;
  /** Minutes between two rounds of a service, the minute of the day at which a job starts. */
  readonly minutes: number;
  readonly from: number;
}

/** One workspace: who works in it, with what, and from when to when. */
export interface Company {
  readonly workspaceId: string;
  readonly start: number;
  readonly end: number;
  readonly city: City;
  readonly officeIp: string;
  readonly secrets: readonly Secret[];
  readonly namespaces: readonly string[];
  readonly people: readonly Person[];
  readonly machines: readonly Machine[];
  readonly holidays: ReadonlySet<number>;
  /** Keys that were used for a week and then forgotten, and one that was made and never used. */
  readonly forgottenKeys: readonly string[];
  readonly unusedKey: string;
}

export type Size = 'small' | 'medium' | 'large';

const SIZES = {
  small: { people: 6, namespaces: 10, secrets: 120, services: 5 },
  medium: { people: 16, namespaces: 14, secrets: 320, services: 8 },
  large: { people: 34, namespaces: 26, secrets: 800, services: 16 },
} as const;

export function foundCompany(chance: Chance, size: Size, start: number, weeks: number): Company {
  const { people, namespaces: spaces, secrets: values, services } = SIZES[size];
  const end = start + weeks * WEEK;
  const city = chance.pick(CITIES);
  const second = chance.pick(CITIES);
  const namespaces = Array.from({ length: spaces }, (_, at) => `team-${at}`);
  const secrets = Array.from({ length: values }, () => ({
    id: chance.id('sec'),
    namespace: chance.favourite(namespaces),
  }));
  const company = { start, end, city, second, namespaces, secrets };
  return {
    workspaceId: chance.id('ws'),
    start,
    end,
    city,
    officeIp: chance.address(),
    secrets,
    namespaces,
    people: Array.from({ length: people }, (_, at) => hire(chance, company, at, people)),
    machines: machinesOf(chance, company, services),
    holidays: new Set(Array.from({ length: Math.round(weeks / 5) }, () => dayIn(chance, start, weeks))),
    forgottenKeys: [chance.id('key'), chance.id('key')],
    unusedKey: chance.id('key'),
  };
}

interface Ground {
  readonly start: number;
  readonly end: number;
  readonly city: City;
  readonly second: City;
  readonly namespaces: readonly string[];
  readonly secrets: readonly Secret[];
}

/** One in eight joins later, one in twelve leaves. */
function hire(chance: Chance, ground: Ground, at: number, all: number): Person {
  const { start, end, city, second } = ground;
  const home = chance.happens(0.75) ? city : second;
  const isNew = at > 2 && chance.happens(1 / 8);
  const leaves = at > 2 && !isNew && chance.happens(1 / 12);
  const from = isNew ? chance.between(start + 2 * WEEK, end - 2 * WEEK) : start;
  const until = leaves ? chance.between(start + 4 * WEEK, end) : end;
  const spaces = chance.some(ground.namespaces, chance.integer(1, Math.min(4, ground.namespaces.length)));
  const mine = ground.secrets.filter(({ namespace }) => spaces.includes(namespace));
  return {
    id: chance.uuid(),
    role: at === 0 ? 'owner' : at < 1 + all / 8 ? 'admin' : chance.happens(0.2) ? 'viewer' : 'operator',
    home,
    homeIp: chance.address(),
    starts: chance.happens(0.04) ? 21 : chance.normal(8.8, 0.8),
    works: chance.normal(8.5, 0.7),
    reveals: chance.pick([0.3, 1, 2, 3, 5, 8, 12]),
    weekends: chance.pick([0, 0, 0, 0.01, 0.02, 0.15]),
    secrets: chance.some(mine.length > 0 ? mine : ground.secrets, chance.integer(4, 30)),
    from,
    until,
    leaves,
    vacations: chance.happens(0.6) ? [vacation(chance, start, end)] : [],
    trips: chance.happens(0.25) ? [trip(chance, home, start, end)] : [],
    exit: chance.happens(0.05) ? { ip: chance.address(), city: chance.pick(CITIES) } : undefined,
  };
}

function vacation(chance: Chance, start: number, end: number): { from: number; to: number } {
  const from = chance.between(start, end);
  return { from, to: from + chance.integer(3, 21) * DAY };
}

function trip(chance: Chance, home: City, start: number, end: number): Trip {
  const city = chance.pick(CITIES.filter(({ name }) => name !== home.name));
  const from = chance.between(start + 2 * WEEK, end);
  // Door to door: check-in, the way at 750 km/h, passport control.
  const flight = (3 + kilometres(home, city) / 750) * HOUR;
  return { city, from, to: from + chance.integer(2, 9) * DAY, flight, ip: chance.address() };
}

function machinesOf(chance: Chance, ground: Ground, services: number): Machine[] {
  const { start, end, namespaces } = ground;
  const make = (habit: Habit, size: number, minutes: number, count: number): Machine => {
    const namespace = chance.favourite(namespaces);
    const own = ground.secrets.filter((secret) => secret.namespace === namespace);
    const others = chance.some(ground.secrets, count);
    const sources = Array.from({ length: habit === 'ci' ? 12 : 3 }, () => ({
      ip: chance.address(),
      city: ground.city,
    }));
    const from = chance.happens(0.15) ? chance.between(start, end - 4 * WEEK) : start;
    // Nobody gets a key to most of what there is.
    const few = Math.min(count, Math.floor(ground.secrets.length / 3));
    const secrets = [...own, ...others].slice(0, few);
    return {
      keys: keysOf(chance, from, end),
      habit,
      secrets,
      namespace,
      sources,
      size,
      minutes,
      from,
    };
  };
  return [
    ...Array.from({ length: services }, () =>
      make('service', chance.integer(1, 8), chance.pick([15, 20, 30, 60]), chance.integer(2, 9)),
    ),
    ...Array.from({ length: Math.ceil(services / 4) }, () => make('ci', 1, 0, chance.integer(15, 70))),
    make('nightly', chance.integer(20, 120), chance.integer(0, 300), 120),
    make('monitor', 1, 5, 2),
    make('weekly', chance.integer(10, 60), chance.integer(0, 1_400), 60),
    make('monthly', chance.integer(40, 150), chance.integer(300, 1_000), 150),
    make('terraform', chance.integer(30, 200), 0, 200),
    make('script', chance.integer(1, 6), 0, 8),
  ];
}

/** A third of the keys is rotated every four to twelve weeks. */
function keysOf(chance: Chance, from: number, end: number): Machine['keys'] {
  const keys = [{ id: chance.id('key'), from }];
  if (!chance.happens(1 / 3)) return keys;
  const every = chance.integer(4, 12) * WEEK;
  for (let at = from + every; at < end; at += every) keys.push({ id: chance.id('key'), from: at });
  return keys;
}

function dayIn(chance: Chance, start: number, weeks: number): number {
  return start + chance.integer(0, weeks * 7 - 1) * DAY;
}

export function keyAt({ keys }: Machine, at: number): string {
  return keys.findLast((key) => key.from <= at)?.id ?? keys[0]?.id ?? '';
}
