export interface ProbeRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly token?: string;
  readonly json?: unknown;
}

export interface ProbeAnswer {
  readonly status: number;
  /** What the body is as JSON; undefined where it is none. */
  readonly json: unknown;
}

/**
 * Speaks to the API from outside, as a client does.
 *
 * @throws VaultError `unavailable` when there is no answer in time.
 */
export interface ProbeClient {
  send(request: ProbeRequest): Promise<ProbeAnswer>;
}
