/** What an export is asked for by. The same request is the same export, for at least eight hours. */
export interface ExportRequest {
  readonly tableName: string;
  /** Epoch milliseconds, whole seconds: the instant that the items are to be as of. */
  readonly instant: number;
  /** The folder to write to, without a slash at the end. */
  readonly prefix: string;
  /** Makes a repeated request the same export. At most 64 characters. */
  readonly clientToken: string;
}

/** Exports of tables, by the database itself: they take minutes to hours, and cost the tables nothing. */
export interface TableExports {
  /**
   * Asks for an export.
   *
   * @returns its ARN; whether it succeeds is seen later, by what it writes.
   * @throws VaultError `unavailable`, after which it may have been started all the same; Error if it is refused.
   */
  start(request: ExportRequest): Promise<string>;
}
