import type { Sighting } from '../../../core/anomaly/detector.ts';
import { permissionChange } from '../../../core/anomaly/detectors/permission-change.ts';
import {
  DAY,
  HOUR,
  isNothing,
  KEY,
  MINUTE,
  MONDAY,
  only,
  SECOND,
  USER,
  Watch,
} from '../../support/watched-actor.ts';

const ADMIN = { type: 'user', id: 'usr_admin' } as const;
const ELSEWHERE = '198.51.100.9';
const watching = (thresholds = {}) => new Watch<unknown, unknown>(permissionChange as never, thresholds);

function open(watch: Watch<unknown, unknown>, at: number, count: number, row: object = {}): Sighting[] {
  return Array.from({ length: count }, (_, index) => watch.see(at + index * SECOND, row)).flat();
}

const entityOf = ({ type, id }: { type: string; id: string }) => ({ type, id });
const roleChanged = (from: string, to: string, actor: object = ADMIN) => ({
  actor: actor as typeof ADMIN,
  action: 'member.role_changed',
  entity: entityOf(USER),
  detail: { from, to },
});
const keyMade = { actor: ADMIN, action: 'api_key.created', entity: entityOf(KEY) };

describe('a role that was raised', () => {
  it('and is used five times within half an hour is told of', () => {
    const watch = watching();
    watch.see(MONDAY, roleChanged('viewer', 'operator'));
    const found = open(watch, MONDAY + 10 * MINUTE, 8);
    expect(only(found)).toEqual({
      tier: 'warning',
      kind: 'use_around_permission_change',
      subject: 'user usr_ada',
      seen: '5 uses of secrets from 203.0.113.7 within 10 minutes after its role was raised from viewer to operator.',
      usual: 'Fewer than 5 within 30 minutes of such a change are let pass.',
      rows: ['0-1', '0-2', '0-3', '0-4', '0-5', '0-6'],
      detail: { change: 'role_raised', uses: '5' },
    });
  });

  it('and used for an export is told of at once', () => {
    const watch = watching();
    watch.see(MONDAY, roleChanged('operator', 'owner'));
    expect(watch.see(MONDAY + MINUTE, { action: 'secret.exported' })).toHaveLength(1);
  });

  it.each([
    ['used little', 4, MINUTE, USER, 'success'],
    ['used later', 20, 31 * MINUTE, USER, 'success'],
    ['used by somebody else', 20, MINUTE, KEY, 'success'],
    ['refused', 20, MINUTE, USER, 'denied'],
  ] as const)('is nothing when it is %s', (_what, count, after, actor, result) => {
    const watch = watching();
    watch.see(MONDAY, roleChanged('viewer', 'admin'));
    expect(open(watch, MONDAY + after, count, { actor, result })).toEqual([]);
  });

  it('is nothing when it was lowered or could not be changed', () => {
    const watch = watching();
    watch.see(MONDAY, roleChanged('admin', 'operator'));
    watch.see(MONDAY, { ...roleChanged('viewer', 'owner'), result: 'denied' });
    expect(open(watch, MONDAY + MINUTE, 40)).toEqual([]);
  });
});

describe('a key that was just made', () => {
  it('and takes much from another address is told of', () => {
    const watch = watching();
    watch.see(MONDAY, keyMade);
    const found = open(watch, MONDAY + 2 * MINUTE, 120, { actor: KEY, ip: ELSEWHERE });
    expect(only(found)).toMatchObject({
      subject: 'api_key key_ci',
      seen: '50 uses of secrets from 198.51.100.9 within 2 minutes after it was made.',
      detail: { change: 'key_made' },
    });
    expect(only(found).rows).toHaveLength(10);
    expect(only(found).rows[0]).toBe('0-1');
  });

  it('and is rotated at once is as new as before; the successor of an older key is no new key', () => {
    const rotated = {
      actor: ADMIN,
      action: 'api_key.rotated',
      entity: { type: 'api_key', id: 'key_old' },
      detail: { successor: KEY.id },
    };
    const uses = { actor: KEY, ip: ELSEWHERE };
    const watch = watching();
    watch.see(MONDAY, { ...keyMade, entity: { type: 'api_key', id: 'key_old' } });
    watch.see(MONDAY + SECOND, rotated);
    expect(open(watch, MONDAY + MINUTE, 50, uses)).toHaveLength(1);
    const daily = watching();
    daily.see(MONDAY, rotated);
    expect(open(daily, MONDAY + MINUTE, 500, uses)).toEqual([]);
  });

  it('and starts a service elsewhere, or is tried where it was made, is nothing', () => {
    const watch = watching();
    watch.see(MONDAY, keyMade);
    expect(open(watch, MONDAY + MINUTE, 49, { actor: KEY, ip: ELSEWHERE })).toEqual([]);
    expect(open(watch, MONDAY + 5 * MINUTE, 200, { actor: KEY })).toEqual([]);
  });
});

describe('whoever turns the watch off', () => {
  it.each(['webhook.deleted', 'webhook.updated', 'detection.updated'])(
    'by %s and then opens ten secrets is told of as critical',
    (action) => {
      const watch = watching();
      watch.see(MONDAY, { action, entity: { type: 'webhook', id: 'wh_1' } });
      expect(only(open(watch, MONDAY + MINUTE, 30))).toMatchObject({
        tier: 'critical',
        seen: `10 uses of secrets from 203.0.113.7 within 1 minute after it caused ${action}.`,
      });
    },
  );

  it('and opens few, or fails to, is not', () => {
    const watch = watching();
    watch.see(MONDAY, { action: 'webhook.deleted', result: 'denied' });
    expect(open(watch, MONDAY + MINUTE, 30)).toEqual([]);
    watch.see(MONDAY + HOUR, { action: 'webhook.deleted' });
    expect(open(watch, MONDAY + HOUR + MINUTE, 9)).toEqual([]);
  });
});

describe('heavy use right before an end', () => {
  const removed = (actor: object = USER) => ({
    actor: actor as typeof USER,
    action: 'member.removed',
    entity: entityOf(USER),
    detail: { role: 'operator' },
  });

  it('of a member is told of, whoever ends it', () => {
    const watch = watching();
    expect(open(watch, MONDAY, 60)).toEqual([]);
    expect(only(watch.see(MONDAY + 40 * MINUTE, removed()))).toEqual({
      tier: 'warning',
      kind: 'use_around_permission_change',
      subject: 'user usr_ada',
      seen: '60 uses of secrets in about the last hour before member.removed, which it caused itself.',
      usual: 'Fewer than 50 in the last hour of a member or of a key made the same day are let pass.',
      rows: ['0-60', '0-61'],
      detail: { change: 'member.removed', uses: '60' },
    });
    open(watch, MONDAY + DAY, 60);
    expect(only(watch.see(MONDAY + DAY + MINUTE, removed(ADMIN))).seen).toContain(
      'which user usr_admin caused',
    );
    open(watch, MONDAY + 2 * DAY, 60);
    expect(watch.see(MONDAY + 2 * DAY + MINUTE, roleChanged('admin', 'viewer'))).toHaveLength(1);
  });

  it('is nothing at the end of an ordinary day, or of a busy one that is over', () => {
    const watch = watching();
    open(watch, MONDAY, 49);
    expect(isNothing(watch.see(MONDAY + MINUTE, removed()))).toBe(true);
    open(watch, MONDAY + DAY, 300);
    expect(isNothing(watch.see(MONDAY + DAY + 2 * HOUR, removed()))).toBe(true);
  });

  it('of a key is told of if it revokes itself or was made the same day; else keys are simply rotated', () => {
    const revoked = { action: 'api_key.revoked', entity: entityOf(KEY) };
    const watch = watching();
    open(watch, MONDAY, 100, { actor: KEY });
    expect(isNothing(watch.see(MONDAY + 5 * MINUTE, { actor: ADMIN, ...revoked }))).toBe(true);
    expect(watch.see(MONDAY + 6 * MINUTE, { actor: KEY, ...revoked })).toHaveLength(1);
    const young = watching();
    young.see(MONDAY, keyMade);
    open(young, MONDAY + 8 * HOUR, 100, { actor: KEY });
    expect(young.see(MONDAY + 8 * HOUR + 5 * MINUTE, { actor: ADMIN, ...revoked })).toHaveLength(1);
  });
});

describe('whoever hides a change among others', () => {
  const disarm = { action: 'webhook.deleted', entity: { type: 'webhook', id: 'wh_1' } };
  it.each([
    [
      'keys that they make',
      (index: number) => ({ ...keyMade, entity: { type: 'api_key', id: `key_${index}` } }),
    ],
    ['the same one, again and again', () => disarm],
  ])('by %s is told of all the same', (_what, other) => {
    const watch = watching();
    watch.see(MONDAY, disarm);
    for (let index = 0; index < 300; index += 1) watch.see(MONDAY + index, other(index));
    expect(only(open(watch, MONDAY + MINUTE, 10)).rows).toContain('0-1');
  });

  it('is told of when some uses lie between two changes, and not when they are an hour apart', () => {
    const watch = watching();
    watch.see(MONDAY, disarm);
    open(watch, MONDAY + MINUTE, 6);
    watch.see(MONDAY + 20 * MINUTE, disarm);
    expect(open(watch, MONDAY + 40 * MINUTE, 6)).toHaveLength(1);
    const slow = watching();
    slow.see(MONDAY, disarm);
    open(slow, MONDAY + MINUTE, 6);
    slow.see(MONDAY + HOUR, disarm);
    expect(open(slow, MONDAY + HOUR + MINUTE, 6)).toEqual([]);
  });
});

it('a state stays below 64 KB where many keys are made and used from everywhere', () => {
  const watch = watching();
  for (let index = 0; index < 4_000; index += 1) {
    const id = `key_${String(index % 300).padStart(32, '0')}`;
    const at = MONDAY + index * SECOND;
    if (index % 3 === 0)
      watch.see(at, { ...keyMade, ip: `2001:db8:1111:${1_000 + index}::1`, entity: { type: 'api_key', id } });
    watch.see(at, { actor: { type: 'api_key', id } });
  }
  expect(watch.bytes()).toBeLessThan(48 * 1_024);
});

it('a state stays below 64 KB, and names from outside are only names', () => {
  const watch = watching();
  for (let index = 0; index < 2_000; index += 1) {
    const id = `key_${String(index).padStart(32, '0')}`;
    watch.see(MONDAY + index, { ...keyMade, entity: { type: 'api_key', id } });
    watch.see(MONDAY + index, { actor: { type: 'api_key', id } });
  }
  expect(watch.bytes()).toBeLessThan(64 * 1_024);
  for (const id of ['__proto__', 'constructor', 'toString'])
    expect(isNothing(watch.see(MONDAY, { action: 'member.removed', entity: { type: 'user', id } }))).toBe(
      true,
    );
});
