/** What the key service says of a key, in its own words (KMS API Reference, "KeyMetadata"). */
export interface KeyFacts {
  /** `Enabled`, or why it is of no use. */
  readonly state: string;
  readonly keySpec: string;
  readonly keyUsage: string;
  /** `CUSTOMER`, or `AWS` for the keys that a service keeps for itself. */
  readonly manager: string;
}

/**
 * Looks at keys without using them for anything.
 *
 * @throws VaultError `key_unavailable` when there is no such key, or it does not let the caller in; `unavailable` when the
 * service does not answer or throttles.
 */
export interface KeyInspector {
  describe(keyArn: string): Promise<KeyFacts>;
  /**
   * Whether the key's policy lets the vault make a data key in this context, which may be any, and empty. What is made is
   * zeroed at once. `false` only where access was denied: every other refusal is thrown, as it says nothing of the policy.
   */
  mayGenerate(keyArn: string, context: Readonly<Record<string, string>>): Promise<boolean>;
}
