/** An encryption context. */
export type CallContext = { readonly [name: string]: string };

/** A call that hands out or moves what a key wrapped, as the key service's own log tells it. */
export interface KeyCall {
  /** Of the log's record: 36 characters. The same record may come twice. */
  readonly eventId: string;
  /** Epoch milliseconds of a whole second: when it was, rounded down. */
  readonly at: number;
  readonly operation: 'Decrypt' | 'ReEncrypt';
  /** Whose call it was, at most 300 characters: the ARN of a role or a user, where there is one. */
  readonly principal: string;
  /** The encryption context that it named; of a `ReEncrypt`, that of the source. */
  readonly context: CallContext;
  /** Of a `ReEncrypt`: under which key it put what it took, and in which context. */
  readonly destination?: {
    /** At most 300 characters; an ARN, unless the caller named the key otherwise. */
    readonly keyArn: string;
    readonly context: CallContext;
  };
  /** Why it was refused or failed; absent where it succeeded. */
  readonly errorCode?: string;
}

/** One file of the log. */
export interface CallFile {
  readonly name: string;
  /** In no particular order. */
  readonly calls: readonly KeyCall[];
  /** Whether it holds anything that cannot be read, which may be a call. */
  readonly isDamaged: boolean;
}

/** Times in epoch milliseconds. */
export interface CallSpan {
  /** Included. */
  readonly from: number;
  /** Excluded. */
  readonly to: number;
  /** Calls may be delivered long after they were made: files are looked for until the end of this one's day. */
  readonly deliveredUntil: number;
}

/**
 * The log of the key service, which nobody of the vault writes (AWS CloudTrail).
 *
 * @throws VaultError `unavailable` when it cannot be read.
 */
export interface KeyCalls {
  /**
   * The files that may hold calls of the span, and others. Of their calls, those on a key of the deployment, and those on
   * whatever key that name a value of the vault.
   */
  files(span: CallSpan): AsyncIterable<CallFile>;
}
