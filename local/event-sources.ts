/** Something that a function is woken by, such as a stream or a queue. */
export interface EventSource {
  /** As in `the stream of audit for guard`. */
  readonly name: string;
  /**
   * Hands one batch to the function, if there is any, and says whether there was. A batch whose function fails comes
   * again. Throws what the function threw, and what the source itself says.
   */
  poll(): Promise<boolean>;
}

export interface EventSources {
  /**
   * Polls until nothing is left to hand over, so that all that was written before has had its effect. Throws the first
   * error of a function; what it failed on comes again.
   */
  pump(): Promise<void>;
  /** Starts no more polls and waits for those under way. */
  stop(): Promise<void>;
}

/** One local request for each source: too little to notice. */
const POLL_MS = 1_000;

/** A source that fails is left alone for a growing number of turns, at most this many. */
const MAX_PAUSE_TURNS = 60;

interface Turns {
  failures: number;
  pause: number;
  poll: Promise<unknown> | undefined;
}

/** Polls every source, each by itself, so that a slow function keeps nobody waiting. Failures are logged. */
export function startEventSources(sources: readonly EventSource[]): EventSources {
  const turns = new Map(sources.map((source): [EventSource, Turns] => [source, freshTurns()]));
  let pumps: Promise<unknown> = Promise.resolve();
  let pumping = 0;
  let stopped = false;

  const takeTurn = async (source: EventSource, turn: Turns): Promise<void> => {
    try {
      // What comes in a burst is handed over in a burst.
      while ((await source.poll()) && pumping === 0 && !stopped);
      turn.failures = 0;
    } catch (error) {
      turn.failures += 1;
      turn.pause = Math.min(2 ** turn.failures, MAX_PAUSE_TURNS);
      console.error(`What comes from ${source.name} failed, and will come again:`, error);
    } finally {
      turn.poll = undefined;
    }
  };
  const timer = setInterval(() => {
    if (pumping > 0) return;
    for (const [source, turn] of turns) {
      if (turn.poll !== undefined) continue;
      if (turn.pause > 0) turn.pause -= 1;
      else turn.poll = takeTurn(source, turn);
    }
  }, POLL_MS);
  const pollsUnderWay = (): Promise<unknown> => Promise.all([...turns.values()].map(({ poll }) => poll));

  const pumpAll = async (): Promise<void> => {
    await pollsUnderWay();
    while (await pollOnce(sources));
  };

  return {
    pump() {
      // One after the other, and no poll beside them: a round in which no source has anything is the end only if
      // nobody else is about to make more.
      pumping += 1;
      const pump = pumps.then(pumpAll).finally(() => {
        pumping -= 1;
      });
      pumps = pump.catch(() => undefined);
      return pump;
    },

    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.all([pumps, pollsUnderWay()]);
    },
  };
}

function freshTurns(): Turns {
  return { failures: 0, pause: 0, poll: undefined };
}

/** Whether any source had something. */
async function pollOnce(sources: readonly EventSource[]): Promise<boolean> {
  const polls = await Promise.allSettled(sources.map((source) => source.poll()));
  for (const poll of polls) if (poll.status === 'rejected') throw poll.reason;
  return polls.some((poll) => poll.status === 'fulfilled' && poll.value);
}
