import { reconnaissance } from '../../../core/anomaly/detectors/reconnaissance.ts';
import {
  DAY,
  HOUR,
  isNothing,
  KEY,
  MINUTE,
  MONDAY,
  only,
  SECOND,
  Watch,
} from '../../support/watched-actor.ts';

const missing = (id: string, more: { readonly [key: string]: string } = {}) => ({
  actor: KEY,
  result: 'failure' as const,
  action: 'secret.read',
  entity: { type: 'secret', id },
  detail: { code: 'not_found', route: 'GET /secrets/{id}', ...more },
});

/** Names that are not there, one after the other; gives what was found, with the number of the name. */
function ask(watch: Watch<unknown, unknown>, count: number, pause: number, start = MONDAY, prefix = 'n') {
  return Array.from({ length: count }, (_, index) =>
    watch.see(start + index * pause, missing(`${prefix}${index}`)).map((found) => ({ index, found })),
  ).flat();
}

const watching = (thresholds = {}) => new Watch<unknown, unknown>(reconnaissance as never, thresholds);

describe('names that are not there', () => {
  it('are told of when many come at once', () => {
    const [{ index, found } = { index: -1, found: undefined }, ...others] = ask(watching(), 60, SECOND);
    expect([index, others]).toEqual([19, []]);
    expect(found).toEqual({
      tier: 'warning',
      kind: 'reconnaissance',
      subject: 'api_key key_ci',
      seen: 'Asked within 10 minutes for 20 different names that do not exist or that it may not use, each for the first time.',
      usual:
        'Fewer than 20 in 10 minutes and 30 in 7 days. A name that is asked for again and again counts once.',
      rows: ['0-13', '0-14', '0-15', '0-16', '0-17', '0-18', '0-19', '0-20'],
      detail: { pattern: 'missing_names', names: '20' },
    });
  });

  it('are told of when they come slowly, over days', () => {
    const found = ask(watching(), 40, 4 * HOUR);
    expect(found.map(({ index }) => index)).toEqual([29]);
    expect(found[0]?.found.detail).toEqual({ pattern: 'slow_missing_names', names: '30' });
  });

  it('are told of again when it goes on, an hour later', () => {
    const found = ask(watching(), 400, 30 * SECOND);
    expect(found.map(({ index }) => index)).toEqual([19, 159, 299]);
  });

  it('are not told of again for what came right after an alert', () => {
    const watch = watching();
    expect(ask(watch, 70, SECOND)).toHaveLength(1);
    expect(ask(watch, 1, SECOND, MONDAY + 2 * DAY, 'typo')).toEqual([]);
  });

  it('are nothing where few come in a week, for a year', () => {
    expect(ask(watching(), 52 * 20, (7 * DAY) / 20)).toEqual([]);
  });

  it('count once: a broken deploy asks for the same name a thousand times', () => {
    const watch = watching();
    for (let index = 0; index < 1_000; index += 1)
      expect(isNothing(watch.see(MONDAY + index * SECOND, missing(`n${index % 19}`)))).toBe(true);
  });

  it('count for once and all: a service asks for the same optional names at each start', () => {
    const watch = watching();
    for (let day = 0; day < 60; day += 1) expect(ask(watch, 19, SECOND, MONDAY + day * DAY)).toEqual([]);
  });

  it('are told apart by their namespace, and requests that name nothing by their route', () => {
    const watch = watching({ misses: 3 });
    const see = (row: object) => watch.see(MONDAY, row).length;
    expect(see(missing('URL', { namespace: 'a' }))).toBe(0);
    expect(see(missing('URL', { namespace: 'b' }))).toBe(0);
    expect(
      see({
        ...missing('ws', { code: 'forbidden', route: 'GET /audit' }),
        entity: { type: 'workspace', id: 'ws' },
      }),
    ).toBe(1);
  });

  it.each(['step_up_required', 'unavailable', 'invalid_request', 'precondition_failed'])(
    'are no %s',
    (code) => {
      const watch = watching({ misses: 3 });
      for (let index = 0; index < 50; index += 1)
        expect(isNothing(watch.see(MONDAY + index, missing(`n${index}`, { code })))).toBe(true);
    },
  );
});

describe('listings', () => {
  const listed = (count: string, more = {}) => ({
    actor: KEY,
    action: 'secret.listed',
    entity: { type: 'workspace', id: 'ws' },
    detail: { count, ...more },
  });

  it('that somebody walks through are told of once', () => {
    const watch = watching();
    watch.see(MONDAY - 8 * DAY, listed('20'));
    const pages = Array.from({ length: 40 }, (_, page) => watch.see(MONDAY + page * SECOND, listed('20')));
    const found = pages.findIndex((sightings) => sightings.length > 0);
    expect(found).toBe(14);
    expect(only(pages.flat())).toMatchObject({
      seen: 'Listed 300 secrets on 15 pages within an hour.',
      usual: 'Of late at most about 20 secrets in an hour.',
      detail: { pattern: 'listings', secrets: '300', pages: '15' },
    });
  });

  it('are told of when they are exported at once', () => {
    const watch = watching();
    watch.see(MONDAY - 8 * DAY, listed('3'));
    const found = only(watch.see(MONDAY, { ...listed('5000'), action: 'secret.exported' }));
    expect(found.detail).toMatchObject({ secrets: '5000', pages: '1' });
  });

  it('are nothing where the actor does so each month', () => {
    const watch = watching();
    const found = Array.from({ length: 12 }, (_, month) => {
      const at = MONDAY + month * 31 * DAY;
      return Array.from({ length: 30 }, (__, page) => watch.see(at + page * SECOND, listed('50'))).flat();
    });
    expect(found.flat()).toEqual([]);
  });

  it('are only learned in the first days, and nothing is counted that is no count', () => {
    const watch = watching();
    for (let page = 0; page < 100; page += 1) expect(watch.see(MONDAY + page, listed('100'))).toEqual([]);
    const other = watching();
    other.see(MONDAY - 8 * DAY, listed('1'));
    for (const count of ['-1', 'NaN', '1e999', '', 'many'])
      expect(other.see(MONDAY, listed(count))).toEqual([]);
  });
});

describe('namespaces', () => {
  const opened = (namespace: string) => ({ actor: KEY, detail: { version: '1', namespace } });

  /** A key that has used some namespaces daily for two weeks. */
  function settled(count: number) {
    const watch = watching();
    for (let day = 14; day >= 1; day -= 1)
      for (let index = 0; index < count; index += 1)
        expect(isNothing(watch.see(MONDAY - day * DAY + index, opened(`own-${index}`)))).toBe(true);
    return watch;
  }

  const visit = (watch: Watch<unknown, unknown>, count: number, pause: number) =>
    Array.from({ length: count }, (_, index) => watch.see(MONDAY + index * pause, opened(`new-${index}`)));

  it('that a key suddenly touches are told of once', () => {
    const found = visit(settled(2), 10, SECOND);
    expect(found.findIndex((sightings) => sightings.length > 0)).toBe(2);
    expect(only(found.flat())).toMatchObject({
      subject: 'api_key key_ci',
      seen: 'Touched 3 namespaces within an hour that it never touched before.',
      usual: 'It uses 2 namespaces, known for 14 days.',
      rows: expect.arrayContaining(['0-29', '0-30', '0-31']),
      detail: { pattern: 'namespaces', namespaces: '3' },
    });
  });

  it('are nothing where they come one by one', () => {
    expect(visit(settled(2), 10, HOUR).flat()).toEqual([]);
  });

  it('that somebody imports secrets into are no news, neither then nor when they are looked at', () => {
    const watch = settled(1);
    const found = Array.from({ length: 10 }, (_, index) => {
      const row = opened(`new-${index}`);
      return [{ ...row, action: 'secret.imported' }, row].map((one) =>
        watch.see(MONDAY + index * SECOND, one),
      );
    });
    expect(found.flat(2)).toEqual([]);
  });

  it('have to be half as many as the key uses', () => {
    expect(visit(settled(10), 4, SECOND).flat()).toEqual([]);
    expect(visit(settled(10), 5, SECOND).flat()).toHaveLength(1);
  });

  it('are nothing to a key that uses them all, nor to a new one', () => {
    expect(visit(settled(32), 20, SECOND).flat()).toEqual([]);
    expect(visit(watching(), 20, SECOND).flat()).toEqual([]);
  });

  it('are remembered for months: a job that runs each quarter finds nothing new', () => {
    const watch = watching();
    watch.see(MONDAY - 10 * DAY, opened('own'));
    const run = (at: number) =>
      Array.from({ length: 9 }, (_, index) => watch.see(at + index, opened(`team-${index}`))).flat();
    expect(run(MONDAY)).toHaveLength(1);
    for (let quarter = 1; quarter < 9; quarter += 1) expect(run(MONDAY + quarter * 92 * DAY)).toEqual([]);
  });
});

it('stays below 4 KB whatever rows say', () => {
  const watch = watching({ quietMinutes: 0, misses: 3, historyDays: 0 });
  for (let index = 0; index < 5_000; index += 1) {
    const name = `${index}`.padEnd(128, 'x');
    watch.see(MONDAY + index * MINUTE, missing(name, { namespace: name }));
    watch.see(MONDAY + index * MINUTE, { actor: KEY, detail: { namespace: name } });
    watch.see(MONDAY + index * MINUTE, { actor: KEY, action: 'secret.listed', detail: { count: '999999' } });
  }
  expect(watch.bytes()).toBeLessThan(4_096);
});
