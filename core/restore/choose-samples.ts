import type { Random } from '../kernel/ports.ts';
import type { Secret } from '../secrets/secret.ts';

/** A secret whose current value is opened to see whether it can be. */
export type Sample = Pick<Secret, 'workspaceId' | 'id' | 'valueUpdatedAt'>;

interface Chosen {
  /** By the age of their values, newest first. */
  newest: readonly Sample[];
  /** Any of the others, each with the same chance. */
  others: Sample[];
  seen: number;
}

/**
 * Chooses secrets of each workspace while all go by: those with the newest values, which a restore is most likely to have
 * damaged, and one in three by chance. Memory holds the chosen ones.
 */
export class SampleChoice {
  readonly #random: Random;
  readonly #byChance: number;
  readonly #newest: number;
  readonly #chosen = new Map<string, Chosen>();

  /** @param count for each workspace. */
  constructor(random: Random, count: number) {
    this.#random = random;
    this.#byChance = Math.floor(count / 3);
    this.#newest = count - this.#byChance;
  }

  offer({ workspaceId, id, valueUpdatedAt }: Secret): void {
    const chosen = this.#chosen.get(workspaceId) ?? { newest: [], others: [], seen: 0 };
    this.#chosen.set(workspaceId, chosen);
    const sorted = [...chosen.newest, { workspaceId, id, valueUpdatedAt }].sort((a, b) =>
      a.valueUpdatedAt < b.valueUpdatedAt ? 1 : -1,
    );
    chosen.newest = sorted.slice(0, this.#newest);
    for (const other of sorted.slice(this.#newest)) this.#offerOther(chosen, other);
  }

  all(): readonly Sample[] {
    return [...this.#chosen.values()].flatMap(({ newest, others }) => [...newest, ...others]);
  }

  /** Reservoir sampling: the n-th one takes a place with a chance of places to n. */
  #offerOther(chosen: Chosen, other: Sample): void {
    chosen.seen += 1;
    if (chosen.others.length < this.#byChance) chosen.others.push(other);
    else {
      const place = this.#below(chosen.seen);
      if (place < this.#byChance) chosen.others[place] = other;
    }
  }

  #below(bound: number): number {
    const fraction = Buffer.from(this.#random.bytes(4)).readUInt32BE() / 2 ** 32;
    return Math.floor(fraction * bound);
  }
}
