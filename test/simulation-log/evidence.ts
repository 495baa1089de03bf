import type { RowPosition } from '../../core/audit/event.ts';
import type { StoredRow } from '../../core/audit/ledger.ts';
import type { Alert } from '../../core/detection/alert.ts';
import type { SealState } from '../../core/seal/seal-state.ts';
import type { MemoryArchive } from '../support/memory-archive.ts';

/** Something that a writer wanted to be recorded: a row that carries this token. */
export interface Intent {
  readonly token: string;
  readonly workspaceId: string;
  readonly lane: number;
  /** `unknown` while nobody knows whether it was written. */
  outcome: 'unknown' | 'recorded' | 'refused';
  /** Where it stands, as far as its writer was told. */
  position?: RowPosition;
}

/** What happened in a history, noted where the stores carry it out. */
export interface Evidence {
  readonly intents: Intent[];
  /** All rows that a table ever took, in order. */
  readonly rows: StoredRow[];
  /** All states of sealers that a table ever took, in order. */
  readonly states: SealState[];
  readonly alerts: { readonly alert: Alert; readonly isExcused: boolean }[];
  /** What went wrong otherwise, one sentence each. */
  readonly complaints: string[];
  /** Rows that retention removed, as `<workspace>#<lane>#<seq>`. */
  readonly removed: Set<string>;
}

/** What a history left behind, for the checker. */
export interface Remains {
  readonly evidence: Evidence;
  readonly archive: MemoryArchive;
  readonly table: readonly StoredRow[];
  readonly publicKey: Uint8Array;
  readonly logName: string;
  /** Epoch milliseconds. */
  readonly end: number;
}

export function emptyEvidence(): Evidence {
  return { intents: [], rows: [], states: [], alerts: [], complaints: [], removed: new Set() };
}
