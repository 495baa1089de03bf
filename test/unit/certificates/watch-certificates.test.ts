import type { LoggedCertificate } from '../../../core/certificates/certificate-log.ts';
import { certificateStateSchema } from '../../../core/certificates/certificate-state.ts';
import { type WatchParts, watchCertificates } from '../../../core/certificates/watch-certificates.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { MemoryJobState } from '../../support/memory-job-state.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';

const DOMAIN = 'vault.example.com';
const DAY = 24 * 60 * 60 * 1000;
const AMAZON = 'C=US, O=Amazon, CN=Amazon RSA 2048 M02';
const OTHER = 'C=XX, O="Cheap, Certs", CN=Not Amazon';

let vault: MemoryVault;
let alerts: Alert[];
let issued: { [domain: string]: LoggedCertificate[] };
let isAway: boolean;
let parts: WatchParts;
beforeEach(() => {
  vault = memoryVault();
  alerts = [];
  issued = { [DOMAIN]: [] };
  isAway = false;
  parts = {
    ...vault,
    domains: [DOMAIN],
    states: new MemoryJobState(vault.tables, certificateStateSchema),
    alerts: { raise: async (alert) => void alerts.push(alert) },
    certificates: {
      issuedFor: async (domain) => {
        if (isAway) throw unavailable('The search is away.');
        return issued[domain] ?? [];
      },
    },
  };
});

function issue(serial: string, issuer = AMAZON, domain = DOMAIN): void {
  const certificate = { serial, issuer, names: [domain, `*.${domain}`], notBefore: '2026-01-01T00:00:00' };
  issued[domain] = [...(issued[domain] ?? []), certificate];
}
const told = () => alerts.map(({ kind, subject }) => [kind, subject]);
const seen = () =>
  rowsOf(vault, PLATFORM_WORKSPACE)
    .filter(({ action }) => action === 'certificate.seen')
    .map(({ entity, detail }) => [entity.id, detail['domain']]);
const unexpected = (serial: string) => ['certificate_unexpected', `certificate ${serial} for ${DOMAIN}`];

it('learns what is there at the first look, and tells what comes after it once', async () => {
  issue('1');
  expect(await watchCertificates(parts)).toEqual({ domains: 1, found: 1, unexpected: 0, failed: 0 });
  issue('2');
  await watchCertificates(parts);
  await watchCertificates(parts);
  expect(seen()).toEqual([['2', DOMAIN]]);
  expect(told()).toEqual([]);
});

it('raises a critical alert for a new authority', async () => {
  issue('1');
  await watchCertificates(parts);
  issue('2', OTHER);
  expect(await watchCertificates(parts)).toMatchObject({ found: 1, unexpected: 1 });
  await watchCertificates(parts);
  expect(told()).toEqual([unexpected('2')]);
  expect(alerts[0]).toMatchObject({
    tier: 'critical',
    workspaceId: PLATFORM_WORKSPACE,
    detail: { domain: DOMAIN, issuer: OTHER, names: `${DOMAIN} *.${DOMAIN}` },
  });
  expect(seen()).toEqual([]);
});

it('expects no authority for a domain that had no certificate at the first look', async () => {
  await watchCertificates(parts);
  issue('1');
  await watchCertificates(parts);
  expect(told()).toEqual([unexpected('1')]);
});

describe('where the authorities are named', () => {
  it.each([
    ['by organization', ['amazon'], []],
    ['by common name', ['Amazon RSA 2048 M02'], []],
    ['and this is another', ["Let's Encrypt"], [unexpected('1')]],
    ['by a part of a name only', ['Amaz'], [unexpected('1')]],
  ])('%s, certificates are judged at the first look too', async (_, issuers, expected) => {
    issue('1');
    await watchCertificates({ ...parts, issuers });
    await watchCertificates({ ...parts, issuers });
    expect(told()).toEqual(expected);
  });

  it('an authority whose name contains an expected one is another', async () => {
    issue('1', OTHER);
    await watchCertificates({ ...parts, issuers: ['Amazon'] });
    expect(told()).toEqual([unexpected('1')]);
  });

  it('each further certificate of another authority is told', async () => {
    const named = { ...parts, issuers: ['Amazon'] };
    await watchCertificates(named);
    issue('1', OTHER);
    await watchCertificates(named);
    issue('2', OTHER);
    await watchCertificates(named);
    expect(told()).toEqual([unexpected('1'), unexpected('2')]);
  });
});

it('an answer with less than before makes nobody forget', async () => {
  issue('1');
  await watchCertificates(parts);
  const before = issued;
  issued = {};
  await watchCertificates(parts);
  issued = before;
  await watchCertificates(parts);
  expect([...told(), ...seen()]).toEqual([]);
});

it('many at once are told up to a number, and the rest in one sum', async () => {
  await watchCertificates(parts);
  for (let serial = 0; serial < 45; serial += 1) issue(String(serial), OTHER);
  await watchCertificates(parts);
  expect(alerts).toHaveLength(21);
  expect(alerts.at(-1)).toMatchObject({
    subject: `further certificates for ${DOMAIN}`,
    detail: { certificates: '25' },
  });
});

it('many at once by known authorities are written down up to a number, and the rest in one sum', async () => {
  issue('0');
  await watchCertificates(parts);
  for (let serial = 1; serial <= 150; serial += 1) issue(String(serial));
  expect(await watchCertificates(parts)).toMatchObject({ found: 150 });
  const events = rowsOf(vault, PLATFORM_WORKSPACE).filter(({ action }) => action === 'certificate.seen');
  expect(events).toHaveLength(101);
  expect(events.at(-1)?.detail).toEqual({ domain: DOMAIN, certificates: '50' });
  await watchCertificates(parts);
  expect(seen()).toHaveLength(101);
});

it('an authority that still issues is known, however many came and went since its first certificate', async () => {
  for (let count = 0; count < 30; count += 1) {
    issued[DOMAIN] = [];
    issue(`a${count}`);
    issue(`b${count}`, `C=US, O=Other, CN=R${count}`);
    await watchCertificates(parts);
  }
  expect(told().filter(([, subject]) => subject?.startsWith('certificate a'))).toEqual([]);
});

it('more than can be remembered are not half remembered, but told as a failure', async () => {
  for (let serial = 0; serial <= 12_000; serial += 1) issue(String(serial));
  expect(await watchCertificates(parts)).toMatchObject({ failed: 1 });
  vault.clock.advance(2 * DAY);
  await watchCertificates(parts);
  expect(alerts).toMatchObject([{ kind: 'job_failed', detail: { reason: 'payload_too_large' } }]);
});

describe('a search that does not answer', () => {
  it('in time for every domain keeps what it found for the others, and tells of the rest after two days', async () => {
    const two = { ...parts, domains: [DOMAIN, 'late.example.com'] };
    const once = () => {
      let looks = 1;
      return () => looks-- > 0;
    };
    await watchCertificates(two, once());
    issue('1', OTHER);
    vault.clock.advance(2 * DAY);
    expect(await watchCertificates(two, once())).toMatchObject({ failed: 1, unexpected: 1 });
    await watchCertificates(two, once());
    expect(told()).toEqual([
      unexpected('1'),
      ['job_failed', 'certificates of late.example.com'],
      ['job_failed', 'certificates of late.example.com'],
    ]);
  });

  it('is told after two days, and then goes on from what was known', async () => {
    issue('1');
    await watchCertificates(parts);
    isAway = true;
    for (const wait of [0, DAY, DAY - 1]) {
      vault.clock.advance(wait);
      expect(await watchCertificates(parts)).toMatchObject({ failed: 1 });
      expect(alerts).toEqual([]);
    }
    vault.clock.advance(1);
    await watchCertificates(parts);
    expect(alerts).toMatchObject([
      { tier: 'warning', kind: 'job_failed', subject: `certificates of ${DOMAIN}` },
    ]);
    isAway = false;
    issue('2');
    await watchCertificates(parts);
    expect(seen()).toEqual([['2', DOMAIN]]);
    isAway = true;
    await watchCertificates(parts);
    expect(alerts).toHaveLength(1);
  });

  it('for one domain keeps no other from being watched', async () => {
    const domains = ['down.example.com', DOMAIN];
    const { issuedFor } = parts.certificates;
    const certificates: WatchParts['certificates'] = {
      issuedFor: async (domain) => {
        if (domain === domains[0]) throw unavailable('The search is away.');
        return issuedFor(domain);
      },
    };
    await watchCertificates({ ...parts, domains, certificates });
    issue('1', OTHER);
    expect(await watchCertificates({ ...parts, domains, certificates })).toEqual({
      domains: 2,
      found: 1,
      unexpected: 1,
      failed: 1,
    });
  });
});

describe('a run that dies', () => {
  it.each(['jobState.read', 'jobState.replace', 'ledger.append'])(
    'at %s has told and remembers by the next',
    async (failing) => {
      issue('1');
      await watchCertificates(parts);
      issue('2');
      issue('3', OTHER);
      vault.tables.faults = async ({ name }) => (name === failing ? 'before' : 'none');
      await expect(watchCertificates(parts)).rejects.toMatchObject({ code: 'unavailable' });
      vault.tables.faults = async () => 'none';
      await watchCertificates(parts);
      expect(seen()).toContainEqual(['2', DOMAIN]);
      expect(new Set(alerts.map(({ occurrence }) => occurrence)).size).toBe(1);
    },
  );
});

it('watches nothing where there is nothing to watch', async () => {
  expect(await watchCertificates({ ...parts, domains: [] })).toEqual({
    domains: 0,
    found: 0,
    unexpected: 0,
    failed: 0,
  });
});
