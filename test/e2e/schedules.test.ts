import type { JobName } from '../../local/jobs.ts';
import { startSchedules } from '../../local/schedules.ts';

const MINUTE_MS = 60_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('runs the tally every minute, the verifier and the purge every day', async () => {
  const runs: JobName[] = [];
  const schedules = startSchedules(async (name) => runs.push(name));
  await jest.advanceTimersByTimeAsync(24 * 60 * MINUTE_MS);
  await schedules.stop();
  const count = (name: JobName): number => runs.filter((run) => run === name).length;
  expect([count('tally'), count('verifier'), count('purge')]).toEqual([24 * 60, 1, 1]);

  await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect(count('tally')).toBe(24 * 60);
});

test('logs a run that fails, and runs again', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const defect = new Error('a defect');
  const schedules = startSchedules(async () => Promise.reject(defect));
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
  const schedules = startSchedules(() => {
    runs += 1;
    return run.promise;
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
