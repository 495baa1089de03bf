import type { ObjectArchive, StagingArea } from '../archive/object-archive.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { MessageSigner } from '../crypto/message-signer.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { Cosigner } from './cosigner.ts';
import type { SealStates } from './seal-state.ts';

/** What sealing works with. */
export interface SealParts {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'get'>;
  readonly seals: SealStates;
  readonly archive: ObjectArchive;
  readonly staging: StagingArea;
  /** Signs checkpoints. */
  readonly signer: MessageSigner;
  readonly alerts: Alerts;
  readonly clock: Clock;
  /** What the origin of every log begins with; see `log-origin.ts`. */
  readonly logName: string;
  /** Where there are witnesses. */
  readonly cosign?: Cosigner;
}

/** Rows in one step of the tree, and their bytes: what one run of the sealer holds in memory. */
export const MAX_STEP_ROWS = 4_096;
export const MAX_STEP_BYTES = 16 * 1024 * 1024;
/** A transaction takes the state and at most 99 segments. Only a table with missing rows has more than one for a lane. */
export const MAX_STEP_SEGMENTS = 90;
