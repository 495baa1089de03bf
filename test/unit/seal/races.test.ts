import type { SealParts } from '../../../core/seal/parts.ts';
import { type SealOutcome, sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { SeededRandom } from '../../support/random.ts';
import { SealWorld, WORKSPACE } from '../../support/seal-world.ts';

jest.setTimeout(60_000);

/** A sealer whose every call waits until the test lets it happen. */
class SteppedSealer {
  readonly outcome: Promise<SealOutcome>;
  isDone = false;
  calls = 0;
  #waiting: (() => void)[] = [];

  constructor(world: SealWorld) {
    const gate = () => new Promise<void>((pass) => this.#waiting.push(pass));
    this.outcome = sealWorkspace(gated(world.parts, gate), WORKSPACE, { force: true }).finally(() => {
      this.isDone = true;
    });
  }

  /** Lets up to `count` calls happen, one after the other, until it is done. */
  async step(count = Number.POSITIVE_INFINITY): Promise<void> {
    for (let done = 0; done < count; ) {
      // All that follows from the last call, up to the next one.
      await new Promise(setImmediate);
      if (this.isDone) return;
      const pass = this.#waiting.shift();
      if (pass === undefined) throw new Error('The sealer waits for nothing.');
      pass();
      done += 1;
      this.calls += 1;
    }
    await new Promise(setImmediate);
  }
}

/** The same parts, with a wait before each call of a store. */
function gated(parts: SealParts, gate: () => Promise<void>): SealParts {
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        if (name === 'list') {
          return async function* (...args: unknown[]) {
            await gate();
            yield* method.apply(target, args);
          };
        }
        return (...args: unknown[]) => gate().then(() => method.apply(target, args));
      },
    });
  return {
    ...parts,
    ledger: wrap(parts.ledger),
    seals: wrap(parts.seals),
    archive: wrap(parts.archive),
    staging: wrap(parts.staging),
  };
}

let beginning: SealWorld;
beforeAll(async () => {
  beginning = new SealWorld();
  await beginning.write(4, 1);
  await sealWorkspace(beginning.parts, WORKSPACE);
  await beginning.write(2, 1);
});

/** The one that began later has seen more rows. */
async function race(play: (first: SteppedSealer, start: () => Promise<SteppedSealer>) => Promise<void>) {
  const world = beginning.copy();
  const first = new SteppedSealer(world);
  const sealers = [first];
  await play(first, async () => {
    await world.write(1);
    const second = new SteppedSealer(world);
    sealers.push(second);
    return second;
  });
  for (const sealer of sealers) await sealer.step();
  const outcomes = await Promise.all(sealers.map(({ outcome }) => outcome));
  expect(outcomes.map(({ status }) => status)).not.toContain('refused');
  expect(outcomes.map(({ status }) => status)).toContain('sealed');
  await sealWorkspace(world.parts, WORKSPACE, { force: true });
  expect(world.alerts).toEqual([]);
  expect((await world.checkLog()).unsealed).toBe(0);
  return first.calls;
}

test('one sealer stops at each of its calls, another runs to its end, or to each of its own, and both go on', async () => {
  const calls = await race(async () => undefined);
  expect(calls).toBeGreaterThan(15);
  for (let at = 0; at < calls; at += 1) {
    for (let until = 1; until <= calls; until += 6) {
      await race(async (first, start) => {
        await first.step(at);
        const second = await start();
        await second.step(until);
      });
    }
    await race(async (first, start) => {
      await first.step(at);
      const second = await start();
      await second.step();
    });
  }
});

test('two sealers take turns in any order', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = new SeededRandom(seed);
    await race(async (first, start) => {
      await first.step(random.below(10));
      const second = await start();
      for (let turns = 0; turns < 60; turns += 1) {
        await (random.below(2) === 0 ? first : second).step(1 + random.below(3));
      }
    });
  }
});
