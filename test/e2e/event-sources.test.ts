import { type EventSource, startEventSources } from '../../local/event-sources.ts';

const SECOND_MS = 1_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A source that hands over what is in a list, one at a time. */
function listSource<T>(waiting: T[], take: (item: T) => void | Promise<void>): EventSource {
  return {
    name: 'a list',
    async poll() {
      const [item] = waiting;
      if (item === undefined) return false;
      await take(item);
      waiting.shift();
      return true;
    },
  };
}

test('hands over what comes, every second', async () => {
  const waiting = [1, 2, 3];
  const taken: number[] = [];
  const sources = startEventSources([listSource(waiting, (item) => void taken.push(item))]);
  expect(taken).toEqual([]);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  expect(taken).toEqual([1, 2, 3]);
  waiting.push(4);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  expect(taken).toEqual([1, 2, 3, 4]);
  await sources.stop();
  waiting.push(5);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  expect(waiting).toEqual([5]);
});

test('pumps until what one source makes for another is handed over as well', async () => {
  const [stream, queue, done] = [[1, 2], [] as number[], [] as number[]];
  // The queue comes first, so that one round is not enough.
  const sources = startEventSources([
    listSource(queue, (item) => void done.push(item)),
    listSource(stream, (item) => void queue.push(10 * item)),
  ]);
  await sources.pump();
  expect(done).toEqual([10, 20]);
  await sources.stop();
});

test('pumps after what was under way', async () => {
  const [stream, queue, done] = [[1], [] as number[], [] as number[]];
  const slow = Promise.withResolvers<void>();
  const sources = startEventSources([
    listSource(stream, async (item) => {
      await slow.promise;
      queue.push(item);
    }),
    listSource(queue, (item) => void done.push(item)),
  ]);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  const pumped = sources.pump();
  slow.resolve();
  await pumped;
  expect(done).toEqual([1]);
  await sources.stop();
});

test('a pump fails with the function, whose batch comes again', async () => {
  let failures = 1;
  const taken: number[] = [];
  const sources = startEventSources([
    listSource([1], (item) => {
      failures -= 1;
      if (failures >= 0) throw new Error('a defect');
      taken.push(item);
    }),
  ]);
  await expect(sources.pump()).rejects.toThrow('a defect');
  await sources.pump();
  expect(taken).toEqual([1]);
  await sources.stop();
});

test('logs a failure, tries again at growing intervals, and keeps nobody else waiting', async () => {
  const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const defect = new Error('a defect');
  const healthy: number[] = [];
  const waiting: number[] = [];
  const sources = startEventSources([
    { name: 'a broken stream', poll: async () => Promise.reject(defect) },
    listSource(waiting, (item) => void healthy.push(item)),
  ]);
  for (let second = 1; second <= 60; second += 1) {
    waiting.push(second);
    await jest.advanceTimersByTimeAsync(SECOND_MS);
  }
  expect(healthy).toHaveLength(60);
  // After 1 s, and then after pauses of 2, 4, 8, 16 and 32 turns.
  expect(log.mock.calls).toEqual(
    Array(5).fill(['What comes from a broken stream failed, and will come again:', defect]),
  );
  await sources.stop();
  log.mockRestore();
});

test('waits at the end for what is under way', async () => {
  const run = Promise.withResolvers<void>();
  const sources = startEventSources([listSource([1], () => run.promise)]);
  await jest.advanceTimersByTimeAsync(SECOND_MS);
  let stopped = false;
  const stopping = sources.stop().then(() => {
    stopped = true;
  });
  await jest.advanceTimersByTimeAsync(5 * SECOND_MS);
  expect(stopped).toBe(false);
  run.resolve();
  await stopping;
  expect(stopped).toBe(true);
});
