export type RestoreRefusal =
  /** There is something in the tables, and not of this restore. */
  | 'not_empty'
  /** A restore of another backup is under way there. */
  | 'other_restore'
  /** It was begun before: it has to be said that it is to go on. */
  | 'begun'
  /** Another item has the key of one of the backup's. */
  | 'different_item'
  /** The backup is of another stage. */
  | 'other_stage'
  /** The archive is not that of the backup's deployment. */
  | 'wrong_archive'
  /** The log in the archive does not fit the rows. */
  | 'log_refused'
  /** Something else changes the tables meanwhile. */
  | 'disturbed';

/** The restore stops. The message says, to a person, why and what to do next. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
  readonly reason: RestoreRefusal;

  constructor(reason: RestoreRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}
