import { bruteForce } from '../../../core/anomaly/detectors/brute-force.ts';
import { sweepTallies } from '../../../core/identity/sweep-tallies.ts';
import { completedLogin, failedLogin, manySources, repeatedLogins } from '../../support/failed-logins.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { DAY, HOUR, isNothing, MINUTE, MONDAY, only, SECOND, Watch } from '../../support/watched-actor.ts';
import { addressOf, logInFrom, OTHER_PASSWORD, peopleWorld } from '../promises/world.ts';

const ATTACKER = '198.51.100.66';
const OFFICE = '203.0.113.7';

const watching = (thresholds = {}) => new Watch<unknown, unknown>(bruteForce as never, thresholds);

/** Failures from one address, each on another account unless `people` says how many there are. */
function guess(
  watch: Watch<unknown, unknown>,
  count: number,
  pause: number,
  { start = MONDAY, ip = ATTACKER, people = count } = {},
) {
  return Array.from({ length: count }, (_, index) =>
    watch.see(start + index * pause, failedLogin(`usr_${index % people}`, ip)),
  ).flat();
}

describe('five failures from one address', () => {
  it('within ten minutes are told of', () => {
    const watch = watching();
    expect(guess(watch, 4, MINUTE, { people: 1 })).toEqual([]);
    const row = failedLogin('usr_0', ATTACKER);
    expect(only(watch.see(MONDAY + 4 * MINUTE, row))).toEqual({
      tier: 'warning',
      kind: 'brute_force',
      subject: `address ${ATTACKER}`,
      seen: `5 failed logins from ${ATTACKER} within 4 minutes, on 1 known account.`,
      usual: 'A person mistypes once or twice, and then gets in.',
      rows: ['0-1', '0-2', '0-3', '0-4', '0-5'],
      detail: { pattern: 'fast', failures: '5', accounts: '1' },
    });
  });

  it('on accounts that are not known are told of alike', () => {
    const watch = watching();
    const row = {
      ...failedLogin('-', ATTACKER, 'unknown_account'),
      entity: { type: 'workspace', id: '_platform' },
    };
    const found = Array.from({ length: 5 }, (_, index) => watch.see(MONDAY + index * SECOND, row)).flat();
    expect(only(found).seen).toBe(
      `5 failed logins from ${ATTACKER} within less than a minute, on unknown accounts.`,
    );
  });

  it('of one network of IPv6 are told of together', () => {
    const watch = watching();
    const found = Array.from({ length: 5 }, (_, index) =>
      watch.see(MONDAY + index, failedLogin('usr_1', `2001:db8:0:7::${index}`)),
    ).flat();
    expect(only(found).subject).toBe('address 2001:db8:0:7::/64');
  });

  it('are told of once an hour, as long as it goes on', () => {
    const found = guess(watching(), 600, 15 * SECOND, { people: 1 });
    expect(found).toHaveLength(3);
  });

  it('of five addresses are nothing', () => {
    const watch = watching();
    for (let index = 0; index < 5; index += 1)
      expect(isNothing(watch.see(MONDAY, failedLogin('usr_1', `198.51.100.${index}`)))).toBe(true);
  });

  it('of one person, an hour between them, are nothing', () => {
    expect(guess(watching(), 9, HOUR, { people: 1 })).toEqual([]);
  });
});

describe('slowly,', () => {
  it('five accounts within a day are told of', () => {
    const found = guess(watching(), 5, 5 * HOUR);
    expect(only(found).detail).toEqual({ pattern: 'many_accounts', failures: '5', accounts: '5' });
  });

  it('ten failures on three days are told of', () => {
    const found = guess(watching(), 10, 8 * HOUR, { people: 1 });
    expect(only(found).detail).toEqual({ pattern: 'slow', failures: '10', accounts: '1' });
  });

  it('a failure a day is nothing', () => {
    expect(guess(watching(), 100, DAY, { people: 1 })).toEqual([]);
  });
});

describe('an office behind one address', () => {
  it('may mistype: what somebody failed with counts until they get in', () => {
    const watch = watching();
    for (let person = 0; person < 500; person += 1) {
      const at = MONDAY + person * 20 * SECOND;
      expect(isNothing(watch.see(at, failedLogin(`usr_${person}`, OFFICE)))).toBe(true);
      expect(isNothing(watch.see(at + 15 * SECOND, completedLogin(`usr_${person}`, OFFICE)))).toBe(true);
    }
  });

  it('may mistype several times within a minute, whose repeats are recorded after the login', () => {
    const watch = watching();
    watch.see(MONDAY, failedLogin('usr_1', OFFICE));
    watch.see(MONDAY + 30 * SECOND, completedLogin('usr_1', OFFICE));
    expect(isNothing(watch.see(MONDAY + 2 * MINUTE, repeatedLogins('usr_1', OFFICE, 5, MONDAY)))).toBe(true);
  });

  it('hides nobody who guesses at others and gets in with an account of their own', () => {
    const watch = watching();
    const found = Array.from({ length: 5 }, (_, index) => {
      watch.see(MONDAY + index * MINUTE, completedLogin('usr_own', ATTACKER));
      return watch.see(MONDAY + index * MINUTE + 1, failedLogin('usr_other', ATTACKER));
    }).flat();
    expect(only(found).detail).toMatchObject({ pattern: 'fast' });
  });
});

describe('a login after that', () => {
  it.each(['authentication.succeeded', 'authentication.mfa_required', 'authentication.stepped_up'])(
    'is critical: %s',
    (action) => {
      const watch = watching();
      guess(watch, 6, SECOND);
      const row = { ...completedLogin('usr_victim', ATTACKER), action };
      expect(only(watch.see(MONDAY + HOUR, row))).toMatchObject({
        tier: 'critical',
        kind: 'brute_force',
        subject: `address ${ATTACKER}`,
        seen: `6 failed logins from ${ATTACKER} within less than a minute, on 6 known accounts; then the password of user usr_victim was right there.`,
        usual: 'No earlier login of user usr_victim from there is known.',
        rows: expect.arrayContaining(['0-7']),
        detail: { pattern: 'success', userId: 'usr_victim' },
      });
    },
  );

  it('is not, by somebody who logged in from there before', () => {
    const watch = watching();
    watch.see(MONDAY - DAY, completedLogin('usr_0', OFFICE));
    expect(guess(watch, 6, SECOND, { ip: OFFICE, people: 1 })).toHaveLength(1);
    expect(isNothing(watch.see(MONDAY + MINUTE, completedLogin('usr_0', OFFICE)))).toBe(true);
  });

  it('is not, where no password was shown, nor from elsewhere, nor two days later', () => {
    const watch = watching();
    guess(watch, 6, SECOND);
    expect(isNothing(watch.see(MONDAY + HOUR, completedLogin('usr_a', ATTACKER, 'oauth')))).toBe(true);
    expect(isNothing(watch.see(MONDAY + HOUR, completedLogin('usr_b', OFFICE)))).toBe(true);
    expect(isNothing(watch.see(MONDAY + 2 * DAY, completedLogin('usr_c', ATTACKER)))).toBe(true);
  });
});

describe('counts', () => {
  it('repeats at the minute that they were in, and from the address that they came from', () => {
    const watch = watching();
    watch.see(MONDAY, failedLogin('usr_1', ATTACKER));
    const row = repeatedLogins('usr_1', ATTACKER, 4, MONDAY);
    expect(only(watch.see(MONDAY + 50 * MINUTE, row))).toMatchObject({
      subject: `address ${ATTACKER}`,
      detail: { failures: '5' },
    });
  });

  it('no address where many have one row together', () => {
    const watch = watching();
    expect(isNothing(watch.see(MONDAY + MINUTE, manySources(40, 4_000, MONDAY)))).toBe(true);
  });

  it('a key that was good once for one failure, however often it comes', () => {
    const watch = watching();
    const dead = (id: string) => ({
      ...failedLogin('-', ATTACKER, 'revoked'),
      entity: { type: 'api_key', id },
    });
    const { detail: { userId: _, ...detail } = {}, ...repeats } = repeatedLogins('-', ATTACKER, 50, MONDAY);
    for (let index = 0; index < 100; index += 1) {
      expect(isNothing(watch.see(MONDAY + index * SECOND, dead('key_1')))).toBe(true);
      const more = { ...repeats, detail: { ...detail, reason: 'revoked', keyId: 'key_1' } };
      expect(isNothing(watch.see(MONDAY + index * SECOND, more))).toBe(true);
    }
    const found = [2, 3, 4, 5].flatMap((key) => watch.see(MONDAY + 2 * MINUTE, dead(`key_${key}`)));
    expect(only(found).detail).toMatchObject({ failures: '5' });
  });

  it.each(['missing', 'malformed', 'token_expired', 'session_idle', 'csrf', 'mfa_token', 'rate_limited'])(
    'nothing that comes about in daily work: %s',
    (reason) => {
      const watch = watching();
      for (let index = 0; index < 50; index += 1)
        expect(isNothing(watch.see(MONDAY + index, failedLogin('usr_1', OFFICE, reason)))).toBe(true);
    },
  );

  it('the rows that a vault writes', async () => {
    const { vault, workspaceId } = await peopleWorld();
    const watch = watching();
    for (let index = 0; index < 6; index += 1)
      await logInFrom(vault, addressOf(1), 'ada@example.com', OTHER_PASSWORD);
    vault.clock.advance(3 * MINUTE);
    await sweepTallies(vault);
    const found = rowsOf(vault, workspaceId, 1).flatMap(({ ts, ...row }) =>
      watch.see(Date.parse(ts), {
        ...row,
        actor: { type: 'anonymous', id: row.actor.id },
        result: 'denied',
      }),
    );
    expect(only(found)).toMatchObject({
      subject: `address ${addressOf(1)}`,
      detail: { pattern: 'fast', failures: '6', accounts: '1' },
    });
  });
});

describe('with more addresses than it can keep', () => {
  it('a busy one is not pushed out by others', () => {
    const watch = watching();
    expect(guess(watch, 4, SECOND, { people: 1 })).toEqual([]);
    for (let index = 0; index < 5_000; index += 1)
      expect(watch.see(MONDAY + index, failedLogin('usr_1', `10.0.${index >> 8}.${index & 255}`))).toEqual(
        [],
      );
    expect(watch.see(MONDAY + MINUTE, failedLogin('usr_0', ATTACKER))).toHaveLength(1);
  });

  it('those that have failed often keep no newer one from being counted, nor for ever a place', () => {
    for (const later of [MINUTE, 2 * DAY, 30 * DAY]) {
      const watch = watching();
      for (let index = 0; index < 50; index += 1) guess(watch, 16, 1, { ip: `10.0.0.${index}`, people: 1 });
      const found = Array.from({ length: 5 }, (_, index) =>
        [ATTACKER, '192.0.2.1', '192.0.2.2'].map((ip) =>
          watch.see(MONDAY + later + index * SECOND, failedLogin('usr_1', ip)),
        ),
      );
      expect(found.flat(2).map(({ subject }) => subject)).toContain(`address ${ATTACKER}`);
    }
  });

  it('stays below 64 KB whatever rows say', () => {
    const watch = watching({ quietMinutes: 0 });
    for (let index = 0; index < 5_000; index += 1) {
      const name = `${index % 97}:`.padEnd(64, 'x');
      watch.see(MONDAY + index * SECOND, failedLogin(`usr_${index}`.padEnd(300, 'x'), name));
      if (index % 3 === 0) watch.see(MONDAY + index * SECOND, completedLogin(`usr_${index}`, name));
    }
    expect(watch.bytes()).toBeLessThan(65_536);
  });
});
