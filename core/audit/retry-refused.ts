import { RefusedChanges } from './append.ts';

/** Whoever loses this often to other requests for the same few entities is better told so. */
const MAX_ROUNDS = 10;

/**
 * Carries out `attempt`, which reads, decides and commits, once more whenever what it had read was changed by somebody
 * else before it committed: so every decision is made on what it changes.
 *
 * @param isWorthRepeating which refusals to repeat after; all, unless said otherwise.
 */
export async function retryRefused<T>(
  attempt: () => Promise<T>,
  isWorthRepeating: (refused: RefusedChanges) => boolean = () => true,
): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isRepeated = error instanceof RefusedChanges && isWorthRepeating(error) && round < MAX_ROUNDS;
      if (!isRepeated) throw error;
    }
  }
}
