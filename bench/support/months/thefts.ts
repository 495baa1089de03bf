import { DAY, HOUR, localMidnight } from './places.ts';
import { type Raid, STAFF, server, stolenKey, take, victim } from './raid.ts';

const MINUTE = 60_000;

export function takeAll(raid: Raid): void {
  const { chance, company, at } = raid;
  const actor = { type: 'api_key', id: stolenKey(raid, ['service', 'ci', 'script', 'nightly']) } as const;
  const source = server(raid);
  const pause = chance.between(400, 4_000);
  for (const [index, secret] of company.secrets.entries())
    take(raid, actor, source, secret, at + index * pause);
}

export function takeSlowly(raid: Raid): void {
  const { chance, company } = raid;
  const actor = { type: 'api_key', id: stolenKey(raid, ['service', 'script', 'ci']) } as const;
  const source = server(raid);
  let { at } = raid;
  for (const secret of chance.some(company.secrets, company.secrets.length)) {
    at += chance.between(4, 14) * MINUTE;
    take(raid, actor, source, secret, at);
  }
}

export function atNight(raid: Raid): void {
  const { chance, company } = raid;
  const person = victim(raid, STAFF);
  const source = { ip: person.homeIp, city: person.home };
  const day = Math.floor(raid.at / DAY) * DAY;
  let at = localMidnight(day, person.home) + chance.between(25, 28) * HOUR;
  for (const secret of chance.some(company.secrets, chance.integer(15, 80))) {
    at += chance.between(3, 50) * 1_000;
    take(raid, { type: 'user', id: person.id }, source, secret, at);
  }
}

export function reviveKey(raid: Raid): void {
  const id = raid.chance.pick(raid.company.forgottenKeys);
  raid.attack.subjects.add(id);
  const source = server(raid);
  for (let index = 0; index < 5; index += 1)
    take(
      raid,
      { type: 'api_key', id },
      source,
      raid.chance.pick(raid.company.secrets),
      raid.at + index * MINUTE,
    );
}

export function useKeptKey(raid: Raid): void {
  const id = raid.company.unusedKey;
  raid.attack.subjects.add(id);
  const source = server(raid);
  for (let index = 0; index < 5; index += 1)
    take(
      raid,
      { type: 'api_key', id },
      source,
      raid.chance.pick(raid.company.secrets),
      raid.at + index * MINUTE,
    );
}

export function raiseAndUse(raid: Raid): void {
  const { chance, company, sink, attack, at } = raid;
  const admin = victim(raid, ['admin', 'owner']);
  const person = victim(raid, ['viewer', 'operator']);
  const source = { ip: admin.homeIp, city: admin.home };
  const entity = { type: 'user', id: person.id };
  const detail = { from: person.role, to: 'admin' };
  const actor = { type: 'user', id: admin.id } as const;
  sink.add({ at, actor, source, action: 'member.role_changed', entity, detail }, attack);
  for (const [index, secret] of chance.some(company.secrets, chance.integer(12, 50)).entries())
    take(
      raid,
      { type: 'user', id: person.id },
      { ip: person.homeIp, city: person.home },
      secret,
      at + 3 * MINUTE + index * 15_000,
    );
}

export function makeKeyAndUse(raid: Raid): void {
  const { chance, company, sink, attack, at } = raid;
  const admin = victim(raid, ['admin', 'owner']);
  const actor = { type: 'user', id: admin.id } as const;
  const entity = { type: 'api_key', id: chance.id('key') };
  attack.subjects.add(entity.id);
  const home = { ip: admin.homeIp, city: admin.home };
  sink.add(
    { at, actor, source: home, action: 'api_key.created', entity, detail: { role: 'operator' } },
    attack,
  );
  const source = server(raid);
  for (const [index, secret] of company.secrets.entries())
    take(raid, { type: 'api_key', id: entity.id }, source, secret, at + 2 * MINUTE + index * 900);
}

export function takeAndLeave(raid: Raid): void {
  const { chance, company, sink, attack } = raid;
  const person = victim(raid, STAFF);
  const [owner] = company.people;
  const source = { ip: person.homeIp, city: person.home };
  const actor = { type: 'user', id: person.id } as const;
  let { at } = raid;
  const wanted = chance.some(company.secrets, chance.integer(Math.min(80, company.secrets.length), 200));
  for (const secret of wanted) {
    at += chance.between(3, 18) * 1_000;
    take(raid, actor, source, secret, at);
  }
  person.until = at;
  const isOwn = chance.happens(0.5) || owner === undefined;
  const by = isOwn ? actor : ({ type: 'user', id: owner.id } as const);
  const removal = { action: 'member.removed', entity: { type: 'user', id: person.id } } as const;
  sink.add({ at: at + 4 * MINUTE, actor: by, source, ...removal, detail: { role: person.role } }, attack);
}

export function blindAndTake(raid: Raid): void {
  const { chance, company, sink, attack, at } = raid;
  const person = victim(raid, ['admin', 'owner']);
  const source = { ip: person.homeIp, city: person.home };
  const actor = { type: 'user', id: person.id } as const;
  const entity = { type: 'webhook', id: chance.id('wh') };
  sink.add({ at, actor, source, action: 'webhook.deleted', entity }, attack);
  for (const [index, secret] of chance.some(company.secrets, chance.integer(20, 80)).entries())
    take(raid, actor, source, secret, at + 2 * MINUTE + index * 7_000);
}
