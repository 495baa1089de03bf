import type { Chance } from './chance.ts';
import type { Company, Person, Secret, Source } from './company.ts';
import { DAY, HOUR, localMidnight, WEEK } from './places.ts';
import type { RowSink } from './row-sink.ts';

const MINUTE = 60_000;

/** What the people of a company do in a week, with the mistakes that they make. */
export function peopleWork(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  for (let day = monday; day < monday + WEEK; day += DAY) {
    for (const person of company.people) workDay(chance, company, sink, person, day);
    if (isWorkday(company, day)) administer(chance, company, sink, day);
  }
  if (chance.happens(company.people.length / 150)) incident(chance, company, sink, monday);
  if (chance.happens(0.08)) replaceValues(chance, company, sink, monday);
  comeAndGo(chance, company, sink, monday);
}

export function isWorkday({ holidays }: Company, day: number): boolean {
  return !isWeekendDay(day) && !holidays.has(day);
}

function isWeekendDay(day: number): boolean {
  return (day / DAY + 3) % 7 >= 5;
}

/** Where somebody is at a time; `undefined` while they travel. */
export function whereabouts(
  person: Person,
  company: Company,
  at: number,
  inOffice: boolean,
): Source | undefined {
  for (const { city, from, to, flight, ip } of person.trips) {
    if (at >= from && at <= to) return { ip, city };
    if (at > from - flight && at < to + flight) return undefined;
  }
  const isOffice = inOffice && person.home === company.city;
  return { ip: isOffice ? company.officeIp : person.homeIp, city: person.home };
}

function isThere({ from, until, vacations }: Person, at: number): boolean {
  return at >= from && at < until && !vacations.some((away) => at >= away.from && at < away.to);
}

function workDay(chance: Chance, company: Company, sink: RowSink, person: Person, day: number): void {
  const isDue = isWorkday(company, day) ? chance.happens(0.94) : chance.happens(person.weekends);
  const inOffice = chance.happens(0.5);
  const place = whereabouts(person, company, day + 12 * HOUR, inOffice)?.city ?? person.home;
  const begins = localMidnight(day, place) + (person.starts + chance.normal(0, 0.5)) * HOUR;
  // Now and then somebody stays long.
  const hours = person.works + chance.normal(0, 0.6) + (chance.happens(0.04) ? chance.between(1, 3) : 0);
  if (!isDue || !isThere(person, begins)) return;
  const sessions = 1 + chance.poisson(2);
  const times = Array.from({ length: sessions }, () => begins + chance.uniform() * hours * HOUR);
  times.push(begins);
  const hides = chance.happens(0.2);
  for (const at of times.sort((a, b) => a - b)) {
    const there = whereabouts(person, company, at, inOffice);
    const source = hides && there !== undefined ? (person.exit ?? there) : there;
    if (source === undefined) continue;
    if (at === begins || chance.happens(0.25)) logIn(chance, sink, person, source, at);
    workFor(chance, sink, person, source, at + 2 * MINUTE, person.reveals / sessions);
  }
}

function logIn(chance: Chance, sink: RowSink, person: Person, source: Source, at: number): void {
  const typos = chance.happens(0.07) ? chance.integer(1, 3) : 0;
  for (let typo = typos; typo > 0; typo -= 1)
    sink.fail({ at: at - typo * 20_000, source, reason: 'wrong_password', userId: person.id });
  const actor = { type: 'user', id: person.id } as const;
  const entity = { type: 'session', id: chance.id('ses') };
  const detail = { method: 'password', client: 'web' };
  sink.add({ at, actor, source, action: 'authentication.succeeded', entity, detail });
}

/** Looks for secrets, reads about some, opens some. */
function workFor(
  chance: Chance,
  sink: RowSink,
  person: Person,
  source: Source,
  from: number,
  reveals: number,
): void {
  const actor = { type: 'user', id: person.id } as const;
  let at = from;
  const act = (action: 'secret.read' | 'secret.revealed', secret: Secret): void => {
    at += chance.between(3, 90) * 1_000;
    const entity = { type: 'secret', id: secret.id };
    const detail = { namespace: secret.namespace };
    if (chance.happens(0.01))
      sink.add({
        at,
        actor,
        source,
        action,
        entity: { ...entity, id: chance.id('sec') },
        detail: { code: 'not_found' },
        result: 'failure',
      });
    else if (action === 'secret.revealed' && person.role === 'viewer')
      sink.add({ at, actor, source, action, entity, detail: { code: 'forbidden' }, result: 'denied' });
    else sink.add({ at, actor, source, action, entity, detail });
  };
  for (let page = chance.poisson(0.7); page > 0; page -= 1) {
    at += chance.between(2, 40) * 1_000;
    const entity = { type: 'workspace', id: 'ws' };
    const detail = { count: String(chance.integer(1, 50)), namespace: chance.pick(person.secrets).namespace };
    sink.add({ at, actor, source, action: 'secret.listed', entity, detail });
  }
  for (let read = chance.poisson(1.2); read > 0; read -= 1)
    act('secret.read', chance.favourite(person.secrets));
  const count = person.role === 'viewer' ? (chance.happens(0.01) ? 1 : 0) : chance.poisson(reveals);
  for (let reveal = count; reveal > 0; reveal -= 1) act('secret.revealed', chance.favourite(person.secrets));
  if (person.role !== 'viewer' && chance.happens(0.01)) revealTogether(chance, sink, person, source, at);
}

/** A namespace at once, for an `.env` file. */
function revealTogether(chance: Chance, sink: RowSink, person: Person, source: Source, at: number): void {
  const { namespace } = chance.pick(person.secrets);
  const actor = { type: 'user', id: person.id } as const;
  for (const { id } of person.secrets.filter((secret) => secret.namespace === namespace))
    sink.add({
      at,
      actor,
      source,
      action: 'secret.revealed',
      entity: { type: 'secret', id },
      detail: { namespace },
    });
}

/** What admins do: a key now and then, a role, a webhook, a look at the trail. */
function administer(chance: Chance, company: Company, sink: RowSink, day: number): void {
  const admins = company.people.filter(({ role }) => role === 'admin' || role === 'owner');
  for (const admin of admins) {
    const at = localMidnight(day, admin.home) + chance.between(9.5, 16.5) * HOUR;
    const source = whereabouts(admin, company, at, false);
    if (source === undefined || !isThere(admin, at)) continue;
    const actor = { type: 'user', id: admin.id } as const;
    const workspace = { type: 'workspace', id: company.workspaceId };
    if (chance.happens(0.15)) sink.add({ at, actor, source, action: 'audit.listed', entity: workspace });
    if (chance.happens(0.02)) {
      const entity = { type: 'webhook', id: chance.id('wh') };
      sink.add({ at: at + MINUTE, actor, source, action: 'webhook.updated', entity });
      workFor(chance, sink, admin, source, at + 5 * MINUTE, 2);
    }
    if (chance.happens(0.04)) newKey(chance, company, sink, admin, source, at);
    if (chance.happens(0.015)) promote(chance, company, sink, admin, source, at);
  }
}

/** A key for a new service, which starts somewhere else minutes later. */
function newKey(
  chance: Chance,
  company: Company,
  sink: RowSink,
  admin: Person,
  source: Source,
  at: number,
): void {
  const actor = { type: 'user', id: admin.id } as const;
  const entity = { type: 'api_key', id: chance.id('key') };
  sink.add({ at, actor, source, action: 'api_key.created', entity, detail: { role: 'operator' } });
  const service = { type: 'api_key', id: entity.id } as const;
  const elsewhere = { ip: chance.address(), city: company.city };
  for (const [index, secret] of chance.some(company.secrets, chance.integer(3, 25)).entries()) {
    const started = at + chance.between(6, 7) * MINUTE + index * 1_500;
    const named = { type: 'secret', id: secret.id };
    const detail = { namespace: secret.namespace };
    sink.add({
      at: started,
      actor: service,
      source: elsewhere,
      action: 'secret.revealed',
      entity: named,
      detail,
    });
  }
}

/** Somebody may do more, because they need it today. */
function promote(
  chance: Chance,
  company: Company,
  sink: RowSink,
  admin: Person,
  source: Source,
  at: number,
): void {
  const person = company.people.find(({ role, from, until }) => role === 'viewer' && at > from && at < until);
  if (person === undefined) return;
  const actor = { type: 'user', id: admin.id } as const;
  const entity = { type: 'user', id: person.id };
  const detail = { from: 'viewer', to: 'operator' };
  sink.add({ at, actor, source, action: 'member.role_changed', entity, detail });
  person.role = 'operator';
  const theirs = whereabouts(person, company, at, false);
  if (theirs !== undefined) workFor(chance, sink, person, theirs, at + 10 * MINUTE, 1.5);
}

/** A night on which something is broken: two people look for what it may be, where they rarely look. */
function incident(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  const day = monday + chance.integer(0, 6) * DAY;
  for (const person of chance.some(company.people, 2)) {
    const at = localMidnight(day, person.home) + chance.between(20, 29) * HOUR;
    const source = whereabouts(person, company, at, false);
    if (source === undefined || !isThere(person, at) || person.role === 'viewer') continue;
    logIn(chance, sink, person, source, at);
    workFor(chance, sink, person, source, at + 3 * MINUTE, chance.integer(2, 14));
  }
}

/** Values that many know are replaced by hand: all of a namespace is looked at in one afternoon. */
function replaceValues(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  const person = chance.pick(company.people);
  let at = localMidnight(monday + DAY, person.home) + chance.between(13, 15) * HOUR;
  const source = whereabouts(person, company, at, false);
  if (source === undefined || !isThere(person, at) || person.role === 'viewer') return;
  const actor = { type: 'user', id: person.id } as const;
  const namespaces = chance.some(company.namespaces, 2);
  for (const { id, namespace } of company.secrets.filter((secret) => namespaces.includes(secret.namespace))) {
    at += chance.between(20, 120) * 1_000;
    const entity = { type: 'secret', id };
    sink.add({ at, actor, source, action: 'secret.revealed', entity, detail: { namespace } });
    sink.add({
      at: at + 9_000,
      actor,
      source,
      action: 'secret.value_updated',
      entity,
      detail: { namespace },
    });
  }
}

/** Whoever is new looks around; whoever goes is removed at the end of an ordinary day. */
function comeAndGo(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  const [owner] = company.people;
  if (owner === undefined) return;
  const actor = { type: 'user', id: owner.id } as const;
  for (const person of company.people) {
    const entity = { type: 'user', id: person.id };
    const isNew = person.from >= monday && person.from < monday + WEEK && person.from > company.start;
    if (isNew) {
      const source = { ip: person.homeIp, city: person.home };
      sink.add({
        at: person.from,
        actor: { type: 'user', id: person.id },
        source,
        action: 'member.joined',
        entity,
        detail: { role: person.role },
      });
      for (let hour = 1; hour < 4; hour += 1)
        workFor(chance, sink, person, source, person.from + hour * HOUR, 4);
    }
    if (person.leaves && person.until >= monday && person.until < monday + WEEK) {
      const source = { ip: owner.homeIp, city: owner.home };
      sink.add({
        at: person.until,
        actor,
        source,
        action: 'member.removed',
        entity,
        detail: { role: person.role },
      });
    }
  }
}
