import type { Source } from './company.ts';
import { whereabouts } from './people.ts';
import { CITIES, DAY, FAR_CITIES, HOUR, localMidnight, WEEK } from './places.ts';
import { type Raid, STAFF, server, stolenKey, take, victim } from './raid.ts';

const MINUTE = 60_000;

export function stuffCredentials(raid: Raid): void {
  const { chance, company, at, sink, attack } = raid;
  const minutes = chance.between(15, 90);
  const addresses = Array.from({ length: chance.integer(100, 500) }, () => chance.address());
  for (const ip of addresses) {
    const source = { ip, city: chance.pick(FAR_CITIES) };
    attack.subjects.add(ip);
    const userId = chance.pick(company.people).id;
    const tried = at + chance.uniform() * minutes * MINUTE;
    sink.fail({ at: tried, source, reason: 'wrong_password', userId }, attack);
  }
}

export function guessFast(raid: Raid): void {
  const { chance, at, sink, attack } = raid;
  const person = victim(raid, STAFF);
  const source = server(raid);
  const pause = chance.between(2_000, 20_000);
  for (let index = 0; index < chance.integer(40, 300); index += 1)
    sink.fail(
      {
        at: at + index * pause,
        source,
        reason: index < 10 ? 'wrong_password' : 'login_locked',
        userId: person.id,
      },
      attack,
    );
}

export function spraySlowly(raid: Raid): void {
  const { chance, company, at, sink, attack } = raid;
  const source = server(raid);
  let tried = at;
  for (const person of [...company.people, ...company.people]) {
    tried += chance.between(6, 25) * MINUTE;
    sink.fail({ at: tried, source, reason: 'wrong_password', userId: person.id }, attack);
  }
}

function probe(
  raid: Raid,
  actor: { type: 'api_key' | 'user'; id: string },
  source: Source,
  at: number,
): void {
  const { chance, sink, attack } = raid;
  const entity = { type: 'secret', id: chance.id('sec') };
  const code = chance.happens(0.8) ? 'not_found' : 'forbidden';
  const result = code === 'forbidden' ? 'denied' : 'failure';
  sink.add({ at, actor, source, action: 'secret.read', entity, detail: { code }, result }, attack);
}

export function probeFast(raid: Raid): void {
  const { chance, at } = raid;
  const actor = { type: 'api_key', id: stolenKey(raid, ['service', 'ci', 'script']) } as const;
  const source = server(raid);
  const pause = chance.between(300, 8_000);
  for (let index = 0; index < chance.integer(80, 400); index += 1)
    probe(raid, actor, source, at + index * pause);
}

export function probeSlowly(raid: Raid): void {
  const { chance } = raid;
  const actor = { type: 'user', id: victim(raid, ['viewer', 'operator', 'admin']).id } as const;
  const source = server(raid);
  let { at } = raid;
  for (let index = 0; index < chance.integer(150, 400); index += 1) {
    at += chance.between(3, 7) * MINUTE;
    probe(raid, actor, source, at);
  }
}

export function walkListings(raid: Raid): void {
  const { chance, company, sink, attack, at } = raid;
  const actor = { type: 'api_key', id: stolenKey(raid, ['service', 'ci', 'script']) } as const;
  const source = server(raid);
  const pause = chance.between(500, 20_000);
  const entity = { type: 'workspace', id: company.workspaceId };
  // Page by page, and once more by each namespace.
  const pages = Math.ceil(company.secrets.length / 20);
  for (let page = 0; page < pages; page += 1)
    sink.add(
      { at: at + page * pause, actor, source, action: 'secret.listed', entity, detail: { count: '20' } },
      attack,
    );
  for (const [index, namespace] of company.namespaces.entries()) {
    const detail = { count: '40', namespace };
    sink.add(
      { at: at + (pages + index) * pause, actor, source, action: 'secret.listed', entity, detail },
      attack,
    );
  }
}

export function visitNamespaces(raid: Raid): void {
  const { chance, company, at, sink, attack } = raid;
  const key = stolenKey(raid, ['service']);
  const source = server(raid);
  const visited = chance.some(
    company.namespaces,
    chance.integer(company.namespaces.length - 2, company.namespaces.length),
  );
  const actor = { type: 'api_key', id: key } as const;
  for (const [index, namespace] of visited.entries()) {
    const entity = { type: 'workspace', id: company.workspaceId };
    const listedAt = at + index * chance.between(30, 170) * 1_000;
    sink.add(
      { at: listedAt, actor, source, action: 'secret.listed', entity, detail: { count: '12', namespace } },
      attack,
    );
  }
}

/** A stolen session is used far away while its owner works. */
export function inTwoPlaces(raid: Raid): void {
  const { chance, company, attack } = raid;
  const person = victim(raid, STAFF);
  const away = CITIES.concat(FAR_CITIES).filter(({ offset }) => Math.abs(offset - person.home.offset) >= 5);
  const source = { ip: chance.address(), city: chance.pick(away) };
  attack.subjects.add(source.ip);
  const monday = Math.floor((raid.at + 3 * DAY) / WEEK) * WEEK - 3 * DAY;
  const day = monday + chance.integer(1, 3) * DAY;
  const noon = localMidnight(day, person.home) + chance.between(11, 15) * HOUR;
  const own = whereabouts(person, company, noon, false);
  if (own === undefined) throw new RangeError('The victim travels.');
  const actor = { type: 'user', id: person.id } as const;
  const entity = { type: 'workspace', id: company.workspaceId };
  raid.sink.add({ at: noon, actor, source: own, action: 'secret.listed', entity, detail: { count: '10' } });
  for (const [index, secret] of chance.some(person.secrets, 4).entries())
    take(raid, actor, source, secret, noon + (20 + index) * MINUTE);
}

/** A phished password, used on a Sunday from where the attacker lives. */
export function fromElsewhere(raid: Raid): void {
  const { chance, sink, attack } = raid;
  const person = victim(raid, STAFF);
  const source = { ip: chance.address(), city: chance.pick(FAR_CITIES) };
  attack.subjects.add(source.ip);
  const actor = { type: 'user', id: person.id } as const;
  const entity = { type: 'session', id: chance.id('ses') };
  const detail = { method: 'password', client: 'web' };
  sink.add({ at: raid.at, actor, source, action: 'authentication.succeeded', entity, detail }, attack);
  for (const [index, secret] of chance.some(person.secrets, 5).entries())
    take(raid, actor, source, secret, raid.at + (index + 2) * MINUTE);
}

export function keyFromElsewhere(raid: Raid): void {
  const { chance } = raid;
  const actor = { type: 'api_key', id: stolenKey(raid, ['service', 'ci', 'script']) } as const;
  const source = { ip: chance.address(), city: chance.pick(FAR_CITIES) };
  raid.attack.subjects.add(source.ip);
  for (const [index, secret] of chance.some(raid.company.secrets, 6).entries())
    take(raid, actor, source, secret, raid.at + index * MINUTE);
}
