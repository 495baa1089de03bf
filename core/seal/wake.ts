/** That a workspace has new rows. */
export interface Wake {
  readonly workspaceId: string;
  /** The newest of these rows, by its place in the table's stream: the same wake, told twice, has the same. */
  readonly newest: string;
}

/**
 * Wakes what works on new rows: the sealer, the deliverer. A workspace's wakes arrive one after the other, so that two
 * do not work on it at once; a wake may arrive twice.
 */
export interface WakeQueue {
  /**
   * Returns once every wake is in the queue. After an error some may be; all may be sent again.
   *
   * @throws VaultError `unavailable` when the queue does not take them.
   */
  send(wakes: readonly Wake[]): Promise<void>;
}

/** A row that was appended, in the order of the stream. */
export interface NewRow {
  readonly workspaceId: string;
  /** Its place in the stream. */
  readonly position: string;
}

/** Tells every queue once of each workspace that has new rows. @returns how many workspaces have. */
export async function wakeWorkspaces(queues: readonly WakeQueue[], rows: readonly NewRow[]): Promise<number> {
  const newest = new Map(rows.map(({ workspaceId, position }) => [workspaceId, position]));
  const wakes = [...newest].map(([workspaceId, position]) => ({ workspaceId, newest: position }));
  if (wakes.length > 0) await Promise.all(queues.map((queue) => queue.send(wakes)));
  return wakes.length;
}
