import { startFastSchedules } from '../../local/fast-schedules.ts';
import { JOB_NAMES, type JobName } from '../../local/jobs.ts';
import { isDue, RHYTHMS } from '../../local/rhythms.ts';
import { startSchedules } from '../../local/schedules.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Midnight of a Thursday. */
const THURSDAY = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  jest.useFakeTimers({ now: THURSDAY });
});
afterEach(() => {
  jest.useRealTimers();
});

const nothingUnderWay = async (): Promise<void> => undefined;

describe('a rhythm', () => {
  test('comes due once in its time, at the minute that it names', () => {
    const daily = { everyMinutes: 24 * 60, at: 2 * 60 + 15 };
    const at = THURSDAY + 2.25 * HOUR_MS;
    expect(isDue(daily, at - 1, at)).toBe(true);
    expect(isDue(daily, at, at + 23.9 * HOUR_MS)).toBe(false);
    expect(isDue(daily, at, at + 24 * HOUR_MS)).toBe(true);
    expect(isDue(daily, THURSDAY, at - 1)).toBe(false);
  });
});

test('runs every job as often as its rhythm says', async () => {
  const runs: JobName[] = [];
  const schedules = startSchedules(async (name) => runs.push(name), Date.now);
  await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
  await schedules.stop();
  const counts = JOB_NAMES.map((name) => [name, runs.filter((run) => run === name).length]);
  expect(counts).toEqual(JOB_NAMES.map((name) => [name, (24 * 60) / RHYTHMS[name].everyMinutes]));

  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(runs.filter((run) => run === 'tally')).toHaveLength(24 * 60);
});

test('logs a run that fails, and runs again', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const defect = new Error('a defect');
  const schedules = startSchedules(
    async (name) => (name === 'tally' ? Promise.reject(defect) : undefined),
    Date.now,
  );
  await jest.advanceTimersByTimeAsync(2 * MINUTE_MS);
  await schedules.stop();
  expect(log.mock.calls).toEqual([
    ['The job tally failed:', defect],
    ['The job tally failed:', defect],
  ]);
  log.mockRestore();
});

test('never runs a job beside itself, and waits for it at the end', async () => {
  const run = Promise.withResolvers<void>();
  let runs = 0;
  const schedules = startSchedules(async (name) => {
    if (name !== 'tally') return;
    runs += 1;
    await run.promise;
  }, Date.now);
  await jest.advanceTimersByTimeAsync(5 * MINUTE_MS);
  expect(runs).toBe(1);

  let stopped = false;
  const stopping = schedules.stop().then(() => {
    stopped = true;
  });
  await jest.advanceTimersByTimeAsync(MINUTE_MS);
  expect(stopped).toBe(false);
  run.resolve();
  await stopping;
  expect(stopped).toBe(true);
});

describe('with the fast clock', () => {
  /** Time that only the schedules move. */
  function movedTime() {
    let now = THURSDAY;
    return {
      now: () => now,
      ahead: () => now - THURSDAY,
      advance: (milliseconds: number) => {
        now += milliseconds;
      },
    };
  }

  test('a day passes in a minute, and what is daily runs once', async () => {
    jest.useRealTimers();
    jest.useFakeTimers({ doNotFake: ['performance', 'setTimeout'] });
    const runs: JobName[] = [];
    const time = movedTime();
    const day = Promise.withResolvers<void>();
    const schedules = startFastSchedules({
      runJob: async (name) => runs.push(name),
      time,
      paceMs: 0,
      pump: async () => {
        if (time.ahead() >= 24 * HOUR_MS) day.resolve();
      },
      requestsDone: nothingUnderWay,
    });
    await day.promise;
    await schedules.stop();
    const days = Math.floor(time.ahead() / (24 * HOUR_MS));
    for (const name of JOB_NAMES.filter((job) => RHYTHMS[job].everyMinutes === 24 * 60))
      expect([name, runs.filter((run) => run === name).length]).toEqual([name, days]);
    expect(runs.filter((run) => run === 'verifier')).toHaveLength(time.ahead() / (5 * MINUTE_MS));
  });

  test('time stands still while a request or a job is under way', async () => {
    jest.useRealTimers();
    const time = movedTime();
    const request = Promise.withResolvers<void>();
    const seen: number[] = [];
    const schedules = startFastSchedules({
      runJob: async () => {
        const before = time.now();
        await Promise.resolve();
        seen.push(time.now() - before);
      },
      time,
      paceMs: 0,
      pump: nothingUnderWay,
      requestsDone: () => request.promise,
    });
    expect(time.ahead()).toBe(0);
    const stopping = schedules.stop();
    request.resolve();
    await stopping;
    expect(new Set(seen)).toEqual(new Set([0]));
  });
});

test('looks once a second', async () => {
  const runs: JobName[] = [];
  const schedules = startSchedules(async (name) => runs.push(name), Date.now);
  await jest.advanceTimersByTimeAsync(MINUTE_MS - SECOND_MS);
  expect(runs).toEqual([]);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  await schedules.stop();
  expect(runs).toContain('tally');
});
