import type { StoredRow } from '../../core/audit/ledger.ts';
import type { StoredEntity } from '../support/memory-store.ts';

/** An HTTP request as a client sends it. */
export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: { readonly [name: string]: string };
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string };
  readonly body?: { readonly [name: string]: unknown };
  readonly ip: string;
}

/** One request and what became of it. Each has a user agent of its own, by which its audit rows are recognized. */
export interface Exchange {
  readonly number: number;
  readonly sent: Sent;
  /** The scheduler's steps between which it happened; no `end` if the history was over before. */
  readonly start: number;
  end?: number;
  /** What the clock of the function said at first and, if it answered, at last. */
  readonly startTime: number;
  endTime?: number;
  /** Absent if whoever served it crashed. */
  answer?: Answer;
}

export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly text: string;
  /** What lies behind a status of 500, for whoever looks into it. */
  readonly cause?: string;
}

/** A run of one of the scheduled jobs. */
export interface JobRun {
  readonly name: string;
  readonly start: number;
  result?: unknown;
  /** `crashed`, or a code. */
  error?: string;
}

/** A transaction as the tables carried it out. */
export interface Commit {
  readonly step: number;
  readonly rows: readonly StoredRow[];
  /** The entities as they were stored, by {@link entityKey}. */
  readonly stored: readonly StoredEntity[];
}

/** A call of the key service that took effect. */
export interface Decryption {
  readonly step: number;
  readonly exchange: number | undefined;
  readonly context: { readonly secretId: string; readonly version: string; readonly workspaceId: string };
}

/** Something that the table forgot by itself because its time was over. */
export interface Forgotten {
  readonly step: number;
  readonly kind: string;
  readonly workspaceId: string;
  readonly id: string;
}

/** An API key that the world itself gave to somebody. */
export interface Grant {
  readonly token: string;
  readonly keyId: string;
  readonly workspaceId: string;
}

/** All that a history left behind: what the clients saw, and what lies in the tables at its end. */
export interface Evidence {
  readonly exchanges: Exchange[];
  readonly jobs: JobRun[];
  readonly commits: Commit[];
  readonly decryptions: Decryption[];
  readonly forgotten: Forgotten[];
  readonly grants: Grant[];
  /** Plaintext data keys that reached the program; it has to zero each. */
  readonly dataKeys: { readonly key: Uint8Array; readonly exchange: number | undefined }[];
  readonly logs: string[];
  /** What went wrong although no fault was in the way. */
  readonly complaints: string[];
  rows: readonly StoredRow[];
  entities: readonly StoredEntity[];
}

export function emptyEvidence(): Evidence {
  return {
    exchanges: [],
    jobs: [],
    commits: [],
    decryptions: [],
    forgotten: [],
    grants: [],
    dataKeys: [],
    logs: [],
    complaints: [],
    rows: [],
    entities: [],
  };
}

export function userAgent(exchange: number): string {
  return `client/${exchange}`;
}
