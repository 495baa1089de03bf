import { JOB_NAMES, type JobName } from '../../local/jobs.ts';
import { startSchedules } from '../../local/schedules.ts';

const MINUTE_MS = 60_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('runs every job as often as on AWS', async () => {
  const runs: JobName[] = [];
  const schedules = startSchedules(async (name) => runs.push(name));
  await jest.advanceTimersByTimeAsync(24 * 60 * MINUTE_MS);
  await schedules.stop();
  const count = (name: JobName): number => runs.filter((run) => run === name).length;
  expect(Object.fromEntries(JOB_NAMES.map((name) => [name, count(name)]))).toEqual({
    tally: 24 * 60,
    sealer: 24 * 60,
    deliverer: 24 * 60,
    verifier: 24 * 12,
    archiver: 1,
    retention: 1,
    purge: 1,
  });

  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(count('tally')).toBe(24 * 60);
});

test('logs a run that fails, and runs again', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const defect = new Error('a defect');
  const schedules = startSchedules(async (name) => (name === 'tally' ? Promise.reject(defect) : undefined));
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
  });
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
