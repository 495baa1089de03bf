/** The largest tree of a log that a witness has cosigned. */
export interface WitnessedTree {
  readonly size: number;
  /** Root hash, 64 lower-case hex digits. */
  readonly root: string;
}

/**
 * What a witness remembers: for each log one tree. Reads are consistent.
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not.
 */
export interface WitnessStates {
  read(origin: string): Promise<WitnessedTree | undefined>;
  /** Compare-and-swap: takes effect only while the log's tree is the one given (`undefined`: none yet). */
  replace(
    origin: string,
    previous: WitnessedTree | undefined,
    next: WitnessedTree,
  ): Promise<'replaced' | 'changed'>;
}
