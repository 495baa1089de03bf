import type { AlertKind } from '../../../core/detection/alert.ts';
import type { Chance } from './chance.ts';
import type { Company } from './company.ts';
import {
  fromElsewhere,
  guessFast,
  inTwoPlaces,
  keyFromElsewhere,
  probeFast,
  probeSlowly,
  spraySlowly,
  stuffCredentials,
  visitNamespaces,
  walkListings,
} from './intrusions.ts';
import { DAY, WEEK } from './places.ts';
import type { Raid } from './raid.ts';
import type { Attack, RowSink } from './row-sink.ts';
import {
  atNight,
  blindAndTake,
  makeKeyAndUse,
  raiseAndUse,
  reviveKey,
  takeAll,
  takeAndLeave,
  takeSlowly,
  useKeptKey,
} from './thefts.ts';

type Way = readonly [name: string, finds: readonly AlertKind[], carryOut: (raid: Raid) => void];

const TAKES: readonly AlertKind[] = ['volume_anomaly', 'reconnaissance', 'off_hours'];

/** What attackers do, and which kinds of alerts count as found. */
const WAYS: readonly Way[] = [
  ['a stolen key takes everything', TAKES, takeAll],
  ['a stolen key takes a little for days', TAKES, takeSlowly],
  ['an insider at night', TAKES, atNight],
  ['credential stuffing', ['failed_login_spike', 'brute_force'], stuffCredentials],
  ['one address guesses a password', ['brute_force', 'failed_login_spike'], guessFast],
  ['password spraying, slowly', ['brute_force', 'failed_login_spike'], spraySlowly],
  ['guessing names, fast', ['reconnaissance'], probeFast],
  ['guessing names, slowly', ['reconnaissance'], probeSlowly],
  ['a walk through the listings', ['reconnaissance', 'volume_anomaly'], walkListings],
  ['a key suddenly in many namespaces', ['reconnaissance'], visitNamespaces],
  ['a session in two places', ['impossible_travel'], inTwoPlaces],
  ['a person from a new country', ['new_country', 'impossible_travel'], fromElsewhere],
  ['a key from a new country', ['new_country'], keyFromElsewhere],
  ['a forgotten key', ['dormant_key_used'], reviveKey],
  ['a key that was kept for later', ['dormant_key_used'], useKeptKey],
  ['a role is raised and used', ['use_around_permission_change'], raiseAndUse],
  ['a new key takes much elsewhere', ['use_around_permission_change'], makeKeyAndUse],
  ['use right before leaving', ['use_around_permission_change'], takeAndLeave],
  ['the watch is turned off first', ['use_around_permission_change'], blindAndTake],
];

/** The attacks on a company, each at a time of its own after everybody is known. */
export function planAttacks(chance: Chance, company: Company, sink: RowSink): Attack[] {
  const first = company.start + 14 * WEEK;
  const victims = new Set<string>();
  const step = (company.end - 5 * DAY - first) / WAYS.length;
  return chance.some(WAYS, WAYS.length).map(([name, finds, carryOut], index) => {
    const { workspaceId } = company;
    const attack: Attack = {
      name,
      workspaceId,
      finds,
      subjects: new Set(),
      firstAt: Number.POSITIVE_INFINITY,
      lastAt: 0,
    };
    const at = first + (index + chance.uniform()) * step;
    carryOut({ chance, company, sink, attack, at, victims });
    return attack;
  });
}
