import { loginSpike } from '../../../core/anomaly/detectors/login-spike.ts';
import { failedLogin, manySources, repeatedLogins } from '../../support/failed-logins.ts';
import { DAY, HOUR, isNothing, MINUTE, MONDAY, only, Watch } from '../../support/watched-actor.ts';

/** Failures by different people from different addresses, spread over half an hour; gives what was found. */
function fail(watch: Watch<unknown, unknown>, count: number, start: number, people = 4) {
  return Array.from({ length: count }, (_, index) =>
    watch.see(
      start + Math.floor((index * 30 * MINUTE) / count),
      failedLogin(`usr_${index % people}`, `198.51.100.${index % 200}`),
    ),
  ).flat();
}

/** A workspace that is known for four weeks, with so many failures every hour. */
function settled(hourly: number, people = 4, thresholds = {}) {
  const watch = new Watch<unknown, unknown>(loginSpike as never, thresholds);
  watch.see(MONDAY - 28 * DAY);
  for (let at = MONDAY - 28 * DAY; at < MONDAY; at += HOUR)
    expect(fail(watch, hourly, at, people)).toEqual([]);
  return watch;
}

it('tells of far more failures than usual, once, with what was usual', () => {
  const found = only(fail(settled(2), 100, MONDAY));
  expect(found).toEqual({
    tier: 'warning',
    kind: 'failed_login_spike',
    subject: 'failed logins',
    seen: expect.stringMatching(
      /^20 failed logins within an hour, on 4 known accounts, from about \d+ addresses\.$/,
    ),
    usual:
      'In 28 days, around 09:00 UTC, there were mostly at most 2 failures an hour, on 2 accounts. It is a spike from 20 failures or 10 accounts on.',
    rows: expect.arrayContaining(['0-1355']),
    detail: expect.objectContaining({ accounts: '4', failureLimit: '20', accountLimit: '10' }),
  });
  expect(found.rows.length).toBeLessThanOrEqual(20);
});

it('takes three times the usual, where that is much', () => {
  expect(fail(settled(12), 24, MONDAY)).toEqual([]);
  expect(fail(settled(12), 45, MONDAY)).toHaveLength(1);
});

it('knows the hours of the day', () => {
  const watch = new Watch<unknown, unknown>(loginSpike as never);
  watch.see(MONDAY - 28 * DAY);
  for (let day = 28; day >= 1; day -= 1) expect(fail(watch, 18, MONDAY - day * DAY)).toEqual([]);
  // In the middle of the night, 18 hours after nine o'clock.
  expect(fail(watch, 40, MONDAY - 6 * HOUR)).toHaveLength(1);
  expect(fail(watch, 40, MONDAY)).toEqual([]);
});

it('tells of one password at many accounts, each from an address of its own', () => {
  const found = only(fail(settled(2), 12, MONDAY, 12));
  expect(found).toMatchObject({ detail: { accounts: '10' } });
});

it('tells of a spike that lies astride the full hour', () => {
  const watch = settled(0);
  expect(fail(watch, 15, MONDAY + 30 * MINUTE)).toEqual([]);
  expect(fail(watch, 15, MONDAY + HOUR)).toHaveLength(1);
});

it('tells once more when it becomes ten times the limit: that is critical', () => {
  const found = fail(settled(2), 500, MONDAY);
  expect(found.map(({ tier }) => tier)).toEqual(['warning', 'critical']);
});

it('tells once of a spike that lasts for hours, again on the next day, and again of a new one', () => {
  const watch = settled(2);
  const hours = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, hour) => fail(watch, 30, MONDAY + (from + hour) * HOUR)).flat();
  expect(hours(0, 23)).toHaveLength(1);
  expect(hours(23, 30)).toHaveLength(1);
  expect(fail(watch, 30, MONDAY + 40 * HOUR)).toHaveLength(1);
});

it('takes no attack for usual: a week of it hardly raises the limit', () => {
  const watch = settled(2);
  for (let hour = 0; hour < 48; hour += 1) fail(watch, 200, MONDAY + hour * HOUR);
  expect(fail(watch, 70, MONDAY + 4 * DAY)).toHaveLength(1);
});

describe('in its first days', () => {
  const fresh = () => new Watch<unknown, unknown>(loginSpike as never);

  it('a workspace has higher limits', () => {
    expect(fail(fresh(), 99, MONDAY)).toEqual([]);
    const { usual } = only(fail(fresh(), 150, MONDAY));
    expect(usual).toBe(
      'Less than 7 days of this workspace are known. It is a spike from 100 failures or 50 accounts on.',
    );
  });
});

describe('counts', () => {
  it('repeats, and the failures of addresses that have no rows', () => {
    const watch = settled(0);
    watch.see(MONDAY, failedLogin('usr_1', '198.51.100.1'));
    expect(
      isNothing(watch.see(MONDAY + 2 * MINUTE, repeatedLogins('usr_1', '198.51.100.1', 9, MONDAY))),
    ).toBe(true);
    const { seen } = only(watch.see(MONDAY + 2 * MINUTE, manySources(300, 450, MONDAY)));
    expect(seen).toBe('460 failed logins within an hour, on 1 known account, from about 301 addresses.');
  });

  it('a wrong proof within a session, as the person that it is', () => {
    const watch = settled(0);
    const wrong = {
      action: 'authentication.stepped_up',
      result: 'failure',
      detail: { code: 'login_refused' },
    } as const;
    for (let index = 0; index < 19; index += 1) expect(watch.see(MONDAY + index, wrong)).toEqual([]);
    expect(only(watch.see(MONDAY + 20, wrong)).detail).toMatchObject({ accounts: '1', failures: '20' });
  });

  it.each(['missing', 'malformed', 'session_idle', 'csrf', 'revoked', 'expired', 'rate_limited', 'honeypot'])(
    'nothing that is no guess: %s',
    (reason) => {
      const watch = settled(0);
      for (let index = 0; index < 500; index += 1)
        expect(
          isNothing(watch.see(MONDAY + index, failedLogin(`usr_${index}`, '198.51.100.1', reason))),
        ).toBe(true);
    },
  );

  it.each(['-5', 'many', '1e400', '', '9007199254740993'])('no number that is none: %j', (repeats) => {
    const watch = settled(0);
    const row = repeatedLogins('usr_1', '198.51.100.1', 1, MONDAY);
    expect(isNothing(watch.see(MONDAY, { ...row, detail: { ...row.detail, repeats } }))).toBe(true);
  });
});

it('stays far below 64 KB whatever rows say', () => {
  const watch = new Watch(loginSpike, { minFailures: 5, minAccounts: 3 });
  for (let index = 0; index < 8_000; index += 1) {
    const name = `${index}`.padEnd(300, 'x');
    watch.see(MONDAY + index * 10 * MINUTE, failedLogin(name, name.slice(0, 64)));
  }
  for (let index = 0; index < 5_000; index += 1)
    watch.see(MONDAY + 60 * DAY, failedLogin(`${index}`, `${index}`));
  expect(watch.bytes()).toBeLessThan(16_384);
  watch.see(MONDAY + 60 * DAY, manySources(1_000_000, 1_000_000, MONDAY));
  expect(watch.bytes()).toBeLessThan(16_384);
});
