import type { Change, Entity } from '../../core/kernel/entity.ts';

/** A row as the text that it is. */
export interface Row {
  readonly ws: string;
  readonly lane: string;
  readonly seq: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly entity: { readonly type: string; readonly id: string };
  readonly result: string;
  readonly ua: string;
  readonly detail: { readonly [key: string]: string };
  readonly changes: readonly {
    readonly kind: string;
    readonly id: string;
    readonly revision: number;
    readonly digest: string;
  }[];
}

/** A change as the table carried it out, and the row that explains it. */
export interface EvidentChange {
  readonly op: Change['op'];
  /** A copy, as it is from then on; where it was removed, as it was. */
  readonly entity: Entity;
  readonly row: { readonly lane: number; readonly seq: number };
}

/** A transaction that the tables carried out. */
export interface Commit {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly rows: readonly Row[];
  readonly changes: readonly EvidentChange[];
}

export type RequestKind =
  | 'create'
  | 'put'
  | 'import'
  | 'rollback'
  | 'reveal'
  | 'delete'
  | 'restore'
  | 'purge'
  | 'bring key'
  | 'leave key'
  | 'retire keys'
  | 'read key'
  | 'log in';

/** What is asked for. */
export interface Asked {
  readonly kind: RequestKind;
  readonly workspaceId: string;
  readonly secretId?: string;
  /** To be revealed, or to be rolled back to. */
  readonly version?: number;
  /** To be stored, by name; or as the only one, where the secret is there already. */
  readonly values?: readonly string[];
  readonly idempotencyKey?: string;
}

export type Outcome =
  | { readonly answer: unknown }
  | { readonly code: string }
  /** Whoever served it died. */
  | 'died';

/** One attempt at something, and how it went. Its rows have its user agent. */
export interface Request extends Asked {
  readonly userAgent: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  endedAt: number;
  /** Calls of this very request that did not go as they should. */
  faults: number;
  outcome: Outcome;
}

/** A time in which a key could not be used: epoch milliseconds. */
export interface Outage {
  readonly keyArn: string;
  readonly from: number;
  until: number;
}

/** All that happened in a history. */
export class Evidence {
  readonly commits: Commit[] = [];
  readonly requests: Request[] = [];
  readonly outages: Outage[] = [];
  /** Copies of all plaintext data keys that the program ever had. */
  readonly dataKeys: Buffer[] = [];
  /** What went wrong that nothing excuses, one sentence each. */
  readonly complaints: string[] = [];
}
