/** What can be wrong with a backup. */
export type BackupFaultReason =
  /** An export has no summary: it goes on still, or failed, or was never started. */
  | 'unfinished'
  /** An export is finished, and a file of it is not there. */
  | 'missing'
  /** A file does not have the checksum that belongs to it. */
  | 'altered'
  /** A file is none that DynamoDB writes. */
  | 'malformed'
  /** Two files disagree: about the instant, the table or the number of items. */
  | 'contradictory';

/** A backup cannot be relied on. */
export class BackupFault extends Error {
  override readonly name = 'BackupFault';
  readonly reason: BackupFaultReason;
  /** The file or folder that shows it. */
  readonly key: string;

  constructor(reason: BackupFaultReason, key: string, message: string, cause?: unknown) {
    super(`${key}: ${message}`, { cause });
    this.reason = reason;
    this.key = key;
  }
}
