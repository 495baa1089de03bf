/**
 * How far a job is. No tenant's data: whoever loses it has the job begin anew.
 *
 * @throws VaultError `unavailable` when the store does not answer, and a write may then have taken effect or not;
 * `internal` when the state is damaged.
 */
export interface JobState<S extends { readonly version: number }> {
  read(): Promise<S | undefined>;
  /** Compare-and-swap: `next.version` is one more than that of the state read, 1 where there was none. */
  replace(next: S): Promise<'replaced' | 'changed'>;
}
