import type { Actor, Result } from '../audit/event.ts';

/** Where an address is, as far as that is known. */
export interface Location {
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string;
  /** Degrees, where the source knows more than the country. */
  readonly latitude?: number;
  readonly longitude?: number;
}

/** An audit row as the detectors see it. The vault's own jobs are never observed. */
export interface Observation {
  /** `<lane>-<seq>` */
  readonly id: string;
  /** Epoch milliseconds. Rises within a lane; rows of two lanes may come out of order by moments. */
  readonly at: number;
  /** `api_key` or `user`, or `anonymous` for whoever came without valid credentials. */
  readonly actor: Actor;
  readonly action: string;
  readonly result: Result;
  readonly entity: { readonly type: string; readonly id: string };
  readonly ip: string;
  readonly detail: { readonly [key: string]: string };
  readonly location?: Location;
}
