/** Two time limits on one piece of work: for getting connected, and for all of it. */
export class TimeLimits {
  readonly #abort = new AbortController();
  readonly #connecting: NodeJS.Timeout;
  readonly #total: NodeJS.Timeout;

  /** In milliseconds from now. */
  constructor(connectMs: number, totalMs: number) {
    this.#connecting = setTimeout(() => this.#abort.abort(), connectMs);
    this.#total = setTimeout(() => this.#abort.abort(), totalMs);
  }

  /** Aborted once a limit is reached. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  connected(): void {
    clearTimeout(this.#connecting);
  }

  end(): void {
    clearTimeout(this.#connecting);
    clearTimeout(this.#total);
  }
}
