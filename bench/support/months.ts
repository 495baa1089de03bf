import { planAttacks } from './months/attacks.ts';
import { Chance } from './months/chance.ts';
import { type Company, foundCompany, type Size } from './months/company.ts';
import { machinesWork } from './months/machines.ts';
import { peopleWork } from './months/people.ts';
import { WEEK } from './months/places.ts';
import { type Attack, type MadeRow, RowSink, weekAt } from './months/row-sink.ts';

export type { Attack, MadeRow } from './months/row-sink.ts';

/** Monday, 2026-01-05T00:00Z. */
const START = 1_767_571_200_000;

/** Months of a made-up workspace: what its people and machines do, and the attacks that are hidden in it. */
export interface Months {
  readonly company: Company;
  readonly attacks: readonly Attack[];
  /** The rows, week by week, in their order. To be gone through once. */
  weeks(): Generator<readonly MadeRow[]>;
}

/**
 * Working hours with jitter, by time zone and with summer time; weekends, holidays and vacations; deploys, nightly,
 * weekly and monthly jobs; keys that are rotated, staff that comes, travels and goes, wrong passwords, nights on which
 * something is broken. All of it follows from the seed.
 */
export function makeMonths(options: {
  readonly seed: number;
  readonly size: Size;
  readonly weeks: number;
  readonly withAttacks: boolean;
  /** Whether addresses are known to a city, or only to a country. */
  readonly withCoordinates: boolean;
}): Months {
  const chance = new Chance(options.seed);
  const company = foundCompany(chance, options.size, START, options.weeks);
  const sink = new RowSink(company.workspaceId, options.withCoordinates);
  const attacks = options.withAttacks ? planAttacks(new Chance(options.seed + 1_000_003), company, sink) : [];
  return {
    company,
    attacks,
    *weeks() {
      for (let monday = START; monday < company.end; monday += WEEK) {
        peopleWork(chance, company, sink, monday);
        machinesWork(chance, company, sink, monday);
        yield sink.take(weekAt(monday));
      }
    },
  };
}
