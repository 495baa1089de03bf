import type { Action } from '../../../core/audit/event.ts';
import type { Chance } from './chance.ts';
import { type Company, keyAt, type Machine, type Secret, type Source } from './company.ts';
import { isWorkday } from './people.ts';
import { DAY, HOUR, localMidnight, WEEK } from './places.ts';
import type { RowSink } from './row-sink.ts';

const MINUTE = 60_000;

/** What the API keys of a company do in a week. */
export function machinesWork(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  for (const machine of company.machines) {
    const week = { chance, company, sink, machine, monday };
    if (machine.habit === 'service') serve(week);
    else if (machine.habit === 'monitor') watch(week);
    else for (let day = monday; day < monday + WEEK; day += DAY) workDay(week, day);
    rotate(week);
  }
  if (monday === company.start) beforeForgetting(chance, company, sink, monday);
  if (chance.happens(0.03)) leftBehind(chance, company, sink, monday);
}

interface MachineWeek {
  readonly chance: Chance;
  readonly company: Company;
  readonly sink: RowSink;
  readonly machine: Machine;
  readonly monday: number;
}

function workDay(week: MachineWeek, day: number): void {
  const { chance, company, machine } = week;
  const { habit, minutes } = machine;
  const midnight = localMidnight(day, company.city);
  const onTime = midnight + minutes * MINUTE + chance.normal(0, 4) * MINUTE;
  if (onTime < machine.from) return;
  const isWorking = isWorkday(company, day);
  const date = new Date(day);
  if (habit === 'nightly') rotateValues(week, onTime);
  else if (habit === 'weekly' && date.getUTCDay() === 1) report(week, onTime);
  else if (habit === 'monthly' && date.getUTCDate() === 1) report(week, onTime);
  else if (habit === 'ci') deploys(week, midnight, isWorking);
  else if (habit === 'terraform' && isWorking && chance.happens(0.6)) plan(week, midnight);
  else if (habit === 'script' && isWorking && chance.happens(0.4))
    open(week, midnight + chance.between(9, 17) * HOUR, machine.size);
}

/** Replicas ask again and again whether a value has changed, and open those that have. */
function serve(week: MachineWeek): void {
  const { chance, machine, monday } = week;
  for (let at = monday + chance.uniform() * HOUR; at < monday + WEEK; at += machine.minutes * MINUTE) {
    if (at < machine.from) continue;
    for (const secret of machine.secrets) {
      const isSame = chance.happens(0.85);
      const asked = at + chance.between(0, 20_000);
      if (isSame) use(week, asked, 'secret.read', secret, { notModified: 'true' });
      else use(week, asked, 'secret.revealed', secret, { version: '3', namespace: secret.namespace });
    }
  }
  for (let restarts = chance.poisson(1.5); restarts > 0; restarts -= 1)
    restart(week, monday + chance.uniform() * WEEK);
}

/** All replicas start anew and open everything. */
function restart(week: MachineWeek, at: number): void {
  if (at < week.machine.from) return;
  for (let replica = 0; replica < week.machine.size; replica += 1)
    open(week, at + replica * 5_000, week.machine.secrets.length);
}

function watch(week: MachineWeek): void {
  const { chance, machine, monday, sink } = week;
  for (let at = monday; at < monday + WEEK; at += machine.minutes * MINUTE) {
    const entity = { type: 'workspace', id: week.company.workspaceId };
    const actor = { type: 'api_key', id: keyAt(machine, at) } as const;
    const source = machine.sources[0] ?? chance.pick(machine.sources);
    if (at >= machine.from) sink.add({ at, actor, source, action: 'workspace.read', entity });
  }
}

function deploys(week: MachineWeek, midnight: number, isWorking: boolean): void {
  const { chance } = week;
  for (let deploy = chance.poisson(isWorking ? 3 : 0.1); deploy > 0; deploy -= 1)
    deployAt(week, midnight + chance.between(8.5, 18) * HOUR);
  // Something has to be mended in the evening.
  if (chance.happens(0.02)) deployAt(week, midnight + chance.between(18, 24) * HOUR);
}

function deployAt(week: MachineWeek, at: number): void {
  const { chance, machine } = week;
  open(week, at, machine.secrets.length);
  for (const secret of machine.secrets.slice(0, chance.happens(0.3) ? 3 : 0))
    use(
      week,
      at + 90_000,
      'secret.read',
      { ...secret, id: `${secret.id.slice(0, -1)}x` },
      { code: 'not_found' },
    );
}

function rotateValues(week: MachineWeek, at: number): void {
  const { machine } = week;
  list(week, at, 1 + Math.floor(machine.size / 100));
  for (const [index, secret] of machine.secrets.slice(0, machine.size).entries()) {
    use(week, at + index * 2_000, 'secret.revealed', secret, { namespace: secret.namespace });
    use(week, at + index * 2_000 + 700, 'secret.value_updated', secret, { namespace: secret.namespace });
  }
}

function report(week: MachineWeek, at: number): void {
  const { chance, machine, sink, company } = week;
  open(week, at, machine.size);
  const entity = { type: 'workspace', id: company.workspaceId };
  const actor = { type: 'api_key', id: keyAt(machine, at) } as const;
  const detail = { count: String(company.secrets.length) };
  sink.add({
    at: at + 5 * MINUTE,
    actor,
    source: chance.pick(machine.sources),
    action: 'secret.exported',
    entity,
    detail,
  });
}

/** Compares everything that it manages with what it should be. */
function plan(week: MachineWeek, midnight: number): void {
  const { chance, machine } = week;
  const at = midnight + chance.between(9, 17) * HOUR;
  for (const [index, secret] of machine.secrets.slice(0, machine.size).entries())
    use(week, at + index * 400, 'secret.read', secret, { namespace: secret.namespace });
}

function open(week: MachineWeek, at: number, count: number): void {
  for (const [index, secret] of week.machine.secrets.slice(0, count).entries())
    use(week, at + index * 300, 'secret.revealed', secret, { version: '3', namespace: secret.namespace });
}

function list({ company, machine, sink, chance }: MachineWeek, at: number, pages: number): void {
  for (let page = 0; page < pages; page += 1) {
    const actor = { type: 'api_key', id: keyAt(machine, at) } as const;
    const entity = { type: 'workspace', id: company.workspaceId };
    const source = chance.pick(machine.sources);
    sink.add({
      at: at + page * 500,
      actor,
      source,
      action: 'secret.listed',
      entity,
      detail: { count: '100' },
    });
  }
}

function use(
  { machine, sink, chance }: MachineWeek,
  at: number,
  action: Action,
  { id }: Secret,
  detail: { readonly [key: string]: string },
): void {
  const actor = { type: 'api_key', id: keyAt(machine, at) } as const;
  const source = chance.pick(machine.sources);
  const result = detail['code'] === undefined ? 'success' : 'failure';
  sink.add({ at, actor, source, action, entity: { type: 'secret', id }, detail, result });
}

function rotate({ machine, monday, sink, company }: MachineWeek): void {
  const [owner] = company.people;
  for (const [index, { id, from }] of machine.keys.entries()) {
    const old = machine.keys[index - 1];
    if (owner === undefined || old === undefined || from < monday || from >= monday + WEEK) continue;
    const actor = { type: 'user', id: owner.id } as const;
    const source = { ip: owner.homeIp, city: owner.home };
    const entity = { type: 'api_key', id: old.id };
    sink.add({
      at: from - MINUTE,
      actor,
      source,
      action: 'api_key.rotated',
      entity,
      detail: { successor: id },
    });
  }
}

/** The keys that nobody will think of any more. */
function beforeForgetting(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  const source: Source = { ip: chance.address(), city: company.city };
  const [owner] = company.people;
  if (owner !== undefined) {
    const entity = { type: 'api_key', id: company.unusedKey };
    const by = { ip: owner.homeIp, city: owner.home };
    const actor = { type: 'user', id: owner.id } as const;
    sink.add({ at: monday + 10 * HOUR, actor, source: by, action: 'api_key.created', entity });
  }
  for (const id of company.forgottenKeys) {
    for (let use = 0; use < 20; use += 1) {
      const secret = company.secrets[use % 5] ?? chance.pick(company.secrets);
      const at = monday + chance.between(9, 17) * HOUR + (use % 5) * DAY;
      const detail = { namespace: secret.namespace };
      const entity = { type: 'secret', id: secret.id };
      sink.add({ at, actor: { type: 'api_key', id }, source, action: 'secret.revealed', entity, detail });
    }
  }
}

/** A server that was forgotten when its key was revoked goes on trying for some hours. */
function leftBehind(chance: Chance, company: Company, sink: RowSink, monday: number): void {
  const source = { ip: chance.address(), city: company.city };
  const keyId = chance.id('key');
  const from = monday + chance.uniform() * (WEEK - DAY);
  for (let at = from; at < from + chance.between(2, 20) * HOUR; at += 5 * MINUTE)
    sink.fail({ at, source, reason: 'revoked', keyId });
}
