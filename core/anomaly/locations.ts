import type { Location } from './observation.ts';

/** Where addresses are. */
export interface Locations {
  /**
   * Never throws.
   *
   * @param ip as an audit row has it; `-` and anything else that is no address is nowhere.
   * @returns `undefined` for an address whose place is not known.
   */
  of(ip: string): Location | undefined;
}
