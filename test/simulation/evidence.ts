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
  /** Sent as a form, in place of a JSON body. */
  readonly form?: { readonly [name: string]: string };
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
  /** Whole `Set-Cookie` values. */
  readonly cookies: readonly string[];
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

/** A mail that was handed over. */
export interface SentMail {
  readonly step: number;
  readonly to: string;
  readonly text: string;
}

/** Requests with the same token, code or account, sent at once. */
export interface Burst {
  readonly name: string;
  /** The numbers of its exchanges. */
  readonly exchanges: readonly number[];
  /** Whether no call of any port went wrong meanwhile. */
  readonly isFaultless: boolean;
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
  readonly mails: SentMail[];
  readonly bursts: Burst[];
  /** The most by which the clocks of two functions differ, in milliseconds. */
  skew: number;
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
    mails: [],
    bursts: [],
    skew: 0,
    complaints: [],
    rows: [],
    entities: [],
  };
}

export function userAgent(exchange: number): string {
  return `client/${exchange}`;
}
