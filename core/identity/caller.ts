/** Where a request comes from. */
export interface Caller {
  /** The client's address as the edge saw it, nothing a header says. */
  readonly ip: string;
  readonly userAgent: string;
  /** Its country by the header of a trusted edge (`COUNTRY_HEADER`), ISO 3166-1 alpha-2, where there is one. */
  readonly country?: string | undefined;
}

/** Nothing but the caller: a request may carry more than this. */
export function callerOf({ ip, userAgent, country }: Caller): Caller {
  return { ip, userAgent, country };
}
