/** Where a request comes from. */
export interface Caller {
  /** The client's address as the edge saw it, nothing a header says. */
  readonly ip: string;
  readonly userAgent: string;
}
