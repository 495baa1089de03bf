import { POSTURE_CHECKS } from '../../../core/posture/checks.ts';
import { noFacts, type PostureFacts, type Tally } from '../../../core/posture/facts.ts';

/** A workspace in which all is as it should be. */
function sound(): PostureFacts {
  const facts = noFacts();
  return {
    ...facts,
    members: { ...facts.members, owner: 2, viewer: 3 },
    webhooks: { ...facts.webhooks, active: 1 },
    requiresMfa: true,
  };
}

const tally = (count: number): Tally => ({
  count,
  first: Array.from({ length: Math.min(count, 5) }, (_, index) => `id_${index + 1}`),
});

const faultsOf = (facts: PostureFacts): Record<string, string> =>
  Object.fromEntries(
    POSTURE_CHECKS.flatMap(({ name, fault }) => {
      const seen = fault(facts);
      return seen === undefined ? [] : [[name, seen]];
    }),
  );

type Change = (facts: PostureFacts) => Partial<PostureFacts>;

it('where all is as it should be, every check holds', () => {
  expect(faultsOf(sound())).toEqual({});
});

it('each check has a name of its own, and the less severe it is, the more time there is', () => {
  expect(new Set(POSTURE_CHECKS.map(({ name }) => name)).size).toBe(POSTURE_CHECKS.length);
  const least = { critical: 1, high: 7, medium: 14, low: 90 };
  for (const { severity, dueDays } of POSTURE_CHECKS) expect(dueDays).toBeGreaterThanOrEqual(least[severity]);
});

it.each<[string, Change, string]>([
  [
    'owners_without_mfa',
    ({ members }) => ({ members: { ...members, ownersWithoutMfa: tally(1) } }),
    '1 owner has no second factor: id_1.',
  ],
  [
    'mfa_not_required',
    ({ members }) => ({ requiresMfa: false, members: { ...members, withoutMfa: 2 } }),
    'The policy demands no second factor; 2 members have none.',
  ],
  [
    'keys_without_expiry',
    ({ keys }) => ({ keys: { ...keys, withoutExpiry: tally(7) } }),
    '7 API keys never expire: id_1 id_2 id_3 id_4 id_5, and 2 more.',
  ],
  [
    'dormant_keys',
    ({ keys }) => ({ keys: { ...keys, dormant: tally(2) } }),
    '2 API keys were not used for 90 days: id_1 id_2.',
  ],
  [
    'owner_keys',
    ({ keys }) => ({ keys: { ...keys, owners: tally(1) } }),
    '1 API key has the role owner: id_1.',
  ],
  [
    'single_owner',
    ({ members }) => ({ members: { ...members, owner: 1 } }),
    'One person is an owner of the workspace.',
  ],
  [
    'single_owner',
    ({ members }) => ({ members: { ...members, owner: 0 } }),
    'Nobody is an owner of the workspace.',
  ],
  [
    'alerts_unheard',
    () => ({ webhooks: { active: 0, paused: 1, parked: 2 } }),
    'No webhook is active (1 paused, 2 parked).',
  ],
  [
    'critical_alerts_open',
    ({ alerts }) => ({ alerts: { ...alerts, criticalForDay: tally(1) } }),
    '1 critical alert is open that was first seen more than a day ago: id_1.',
  ],
  [
    'detection_off',
    () => ({ detectorsOff: ['volume', 'geography'] }),
    'These detectors are off: volume geography.',
  ],
  [
    'secrets_unchanged',
    ({ secrets }) => ({ secrets: { ...secrets, active: 9, unchangedForYear: 4 } }),
    'The value of 4 of 9 secrets was not changed for 365 days.',
  ],
])('%s fails, alone, and says what was seen', (name, change, seen) => {
  expect(faultsOf({ ...sound(), ...change(sound()) })).toEqual({ [name]: seen });
});

describe('where machines work alone', () => {
  const alone = (): PostureFacts => ({
    ...sound(),
    members: noFacts().members,
    requiresMfa: false,
  });

  it('nothing is asked of people, and one key acts as the owner', () => {
    const facts = alone();
    expect(faultsOf(facts)).toEqual({});
    expect(faultsOf({ ...facts, keys: { ...facts.keys, owners: tally(1) } })).toEqual({});
  });

  it('a second key with the role owner is one too many', () => {
    const facts = alone();
    expect(faultsOf({ ...facts, keys: { ...facts.keys, owners: tally(2) } })).toEqual({
      owner_keys: '2 API keys have the role owner: id_1 id_2.',
    });
  });
});

it('what is seen fits an event and a finding, however much it is', () => {
  const facts = noFacts();
  const long = { count: 1_000_000, first: Array(5).fill(`key_${'a'.repeat(32)}`) };
  facts.keys = { ...facts.keys, withoutExpiry: long, dormant: long, owners: long };
  facts.members.ownersWithoutMfa = long;
  facts.alerts.criticalForDay = long;
  for (const seen of Object.values(faultsOf(facts))) expect(seen.length).toBeLessThanOrEqual(500);
});
