/** Time as a port: use cases never look at the wall clock, so that a test can replay any history. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `milliseconds`; a test's clock resolves at once. */
  sleep(milliseconds: number): Promise<void>;
}

/** Cryptographically secure randomness as a port. */
export interface Random {
  /** `size` fresh random bytes. */
  bytes(size: number): Uint8Array;
}
