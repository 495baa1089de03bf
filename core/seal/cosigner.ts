import type { Hash } from '../transparency/merkle.ts';

/** What a witness is asked to cosign. */
export interface SealedCheckpoint {
  readonly workspaceId: string;
  readonly size: number;
  /** The size of the tree sealed before it; 0 for the first. */
  readonly previousSize: number;
  /** The signed note. */
  readonly note: string;
}

/** The log that a checkpoint is of, as a witness may ask about it. */
export interface SealedLog {
  /** The consistency proof between two sizes, the larger being the checkpoint's. */
  prove(from: number, to: number): Promise<readonly Hash[]>;
  /** The size of the newest seal: another sealer may have gone on meanwhile. */
  newestSize(): Promise<number>;
}

/** Gets the cosignatures of independent witnesses. Never throws: sealing does not wait for others. */
export interface Cosigner {
  /** @returns signature lines to append to the note, each ending in a newline. */
  cosign(checkpoint: SealedCheckpoint, log: SealedLog): Promise<readonly string[]>;
}
