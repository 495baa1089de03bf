/** The range search of Have I Been Pwned's password service: k-anonymity, so the service never learns the password. */
export interface BreachedPasswords {
  /**
   * What is known of passwords whose SHA-1 begins with these 5 upper-case hex digits: the other 35 digits, and how
   * often each was seen. Entries seen 0 times are padding.
   *
   * @throws VaultError `unavailable` when the service does not answer in time.
   */
  range(prefix: string): Promise<ReadonlyMap<string, number>>;
}
