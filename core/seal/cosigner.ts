import type { Hash } from '../transparency/merkle.ts';

/** A checkpoint that was just sealed. */
export interface SealedCheckpoint {
  readonly workspaceId: string;
  readonly size: number;
  /** The size of the tree sealed before it; 0 for the first. */
  readonly previousSize: number;
  /** The signed note. */
  readonly note: string;
}

/** Gets the cosignatures of independent witnesses. Never throws: sealing does not wait for others. */
export interface Cosigner {
  /**
   * @param prove the consistency proof between two sizes, the larger being the checkpoint's.
   * @returns signature lines to append to the note, each ending in a newline.
   */
  cosign(
    checkpoint: SealedCheckpoint,
    prove: (from: number, to: number) => Promise<readonly Hash[]>,
  ): Promise<readonly string[]>;
}
