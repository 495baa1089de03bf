import { createHash } from 'node:crypto';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import { unavailable, VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { type CertificateLog, issuerNames, type LoggedCertificate } from './certificate-log.ts';
import type {
  CertificateState,
  CertificateStates,
  DomainState,
  KnownCertificates,
} from './certificate-state.ts';

export interface WatchParts {
  readonly certificates: CertificateLog;
  readonly states: CertificateStates;
  readonly alerts: Alerts;
  readonly trail: AuditTrail;
  readonly clock: Pick<Clock, 'now'>;
  readonly domains: readonly string[];
  /** Organizations or common names of the authorities that may issue; where absent, those that have issued so far. */
  readonly issuers?: readonly string[];
}

export interface WatchOutcome {
  readonly domains: number;
  /** Certificates that were not known. */
  readonly found: number;
  readonly unexpected: number;
  /** Domains for which the search did not answer. */
  readonly failed: number;
}

const JOB = 'ct-monitor';
/** Known certificates of all domains together: 20 bytes each, of an item of 400 KB. */
const MAX_SEEN = 12_000;
const MAX_ISSUERS = 20;
const MAX_ALERTS = 20;
const EVENTS_IN_A_COMMIT = 20;
/** Events of one look at one domain, then one for the rest: nobody fills the trail with what a search makes up. */
const MAX_EVENTS = 100;
/** The public search is often away for hours. */
const PATIENCE_MS = 2 * DAY_MS;

/**
 * Looks for certificates of the watched domains that it has not seen. One by an authority that is not expected raises a
 * critical alert: somebody else may speak for the domain. Others leave an event. What is there at the first look is
 * learned, and only judged where the authorities are named.
 *
 * What was found is told before it is remembered: a crash tells it twice, and the same alert counts once.
 *
 * @param mayGoOn asked before each domain; for one that there is no time for, the search counts as not answered.
 * @throws VaultError `unavailable` when the state cannot be read or the events cannot be written.
 */
export async function watchCertificates(
  parts: WatchParts,
  mayGoOn: () => boolean = () => true,
): Promise<WatchOutcome> {
  const state: CertificateState = (await parts.states.read()) ?? { version: 0, domains: {} };
  const domains: { [domain: string]: DomainState } = {};
  const outcome = { domains: parts.domains.length, found: 0, unexpected: 0, failed: 0 };
  for (const domain of parts.domains) {
    const before = state.domains[domain];
    const issued = mayGoOn()
      ? await search(parts, domain)
      : unavailable('There was no time for this domain.');
    if (issued instanceof Error) {
      outcome.failed += 1;
      domains[domain] = await stillFailing(parts, domain, before, issued);
      continue;
    }
    const known = before?.known;
    const seen = new Set(known?.seen);
    const fresh = [...issued].filter(([key]) => !seen.has(key));
    const unexpected = fresh.filter(([, { issuer }]) => !isExpected(parts, issuer, known));
    await tellUnexpected(parts, domain, unexpected);
    const expected = fresh.filter((each) => !unexpected.includes(each));
    if (known !== undefined) await recordSeen(parts, domain, expected);
    outcome.found += fresh.length;
    outcome.unexpected += unexpected.length;
    domains[domain] = { known: learned(parts, known, issued) };
  }
  await parts.states.replace({ version: state.version + 1, domains });
  return outcome;
}

/** The certificates of a domain by what they are remembered by, or why there is no answer. */
async function search(
  parts: WatchParts,
  domain: string,
): Promise<ReadonlyMap<string, LoggedCertificate> | VaultError> {
  try {
    const issued = await parts.certificates.issuedFor(domain);
    const byKey = new Map(issued.map((certificate) => [keyOf(certificate), certificate]));
    if (byKey.size <= maxSeen(parts)) return byKey;
    return new VaultError('payload_too_large', `${domain} has more certificates than can be watched.`);
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
}

function maxSeen({ domains }: WatchParts): number {
  return Math.floor(MAX_SEEN / domains.length);
}

function keyOf({ issuer, serial }: LoggedCertificate): string {
  return createHash('sha256').update(`${issuer}\n${serial}`).digest('hex').slice(0, 16);
}

function isExpected({ issuers }: WatchParts, issuer: string, known: KnownCertificates | undefined): boolean {
  if (issuers === undefined) return known === undefined || known.issuers.includes(issuer);
  const expected = new Set(issuers.map((name) => name.trim().toLowerCase()));
  return issuerNames(issuer).some((name) => expected.has(name));
}

/** What is remembered after a look: what the answer has comes last, so that it is the last to be forgotten. */
function learned(
  parts: WatchParts,
  known: KnownCertificates | undefined,
  issued: ReadonlyMap<string, LoggedCertificate>,
): KnownCertificates {
  const earlier = (known?.seen ?? []).filter((key) => !issued.has(key));
  const issuers = new Set([...issued.values()].map(({ issuer }) => issuer));
  const earlierIssuers = (known?.issuers ?? []).filter((issuer) => !issuers.has(issuer));
  return {
    seen: [...earlier, ...issued.keys()].slice(-maxSeen(parts)),
    issuers: [...earlierIssuers, ...issuers].slice(-MAX_ISSUERS),
  };
}

async function tellUnexpected(
  { alerts }: WatchParts,
  domain: string,
  unexpected: readonly (readonly [key: string, certificate: LoggedCertificate])[],
): Promise<void> {
  const alertOf = (subject: string, key: string, detail: Alert['detail']): Alert => ({
    tier: 'critical',
    kind: 'certificate_unexpected',
    workspaceId: PLATFORM_WORKSPACE,
    subject: bounded(subject, 300),
    seen: 'A certificate was issued by an authority that does not issue for this domain.',
    usual: 'The domain’s certificates come from the authorities that its operator named or has used.',
    occurrence: key,
    detail: { job: JOB, domain, ...detail },
  });
  for (const [key, certificate] of unexpected.slice(0, MAX_ALERTS)) {
    const { domain: _domain, ...facts } = factsOf(domain, certificate);
    await alerts.raise(alertOf(`certificate ${certificate.serial} for ${domain}`, key, facts));
  }
  const rest = unexpected.slice(MAX_ALERTS);
  const [first] = rest;
  if (first === undefined) return;
  const subject = `further certificates for ${domain}`;
  await alerts.raise(alertOf(subject, first[0], { certificates: String(rest.length) }));
}

async function recordSeen(
  { trail }: WatchParts,
  domain: string,
  fresh: readonly (readonly [key: string, certificate: LoggedCertificate])[],
): Promise<void> {
  const events = fresh
    .slice(0, MAX_EVENTS)
    .map(([, certificate]) => certificateSeen(certificate.serial, factsOf(domain, certificate)));
  const rest = fresh.length - events.length;
  if (rest > 0) events.push(certificateSeen('further', { domain, certificates: String(rest) }));
  for (let start = 0; start < events.length; start += EVENTS_IN_A_COMMIT) {
    const some = events.slice(start, start + EVENTS_IN_A_COMMIT);
    await trail.commit(systemOrigin(PLATFORM_WORKSPACE, JOB), some);
  }
}

function certificateSeen(id: string, detail: Alert['detail']): AuditEvent {
  return { action: 'certificate.seen', entity: { type: 'certificate', id }, result: 'success', detail };
}

function factsOf(domain: string, { issuer, names, notBefore }: LoggedCertificate) {
  return {
    domain,
    issuer: bounded(issuer, 500),
    names: bounded(names.join(' '), 500),
    notBefore: bounded(notBefore, 40),
  };
}

/** Silence is not health: who cannot look for days has to be told so. */
async function stillFailing(
  { alerts, clock }: WatchParts,
  domain: string,
  before: DomainState | undefined,
  { code }: VaultError,
): Promise<DomainState> {
  const now = clock.now();
  const failingSince = Math.min(before?.failingSince ?? now, now);
  if (now - failingSince >= PATIENCE_MS) {
    await alerts.raise({
      tier: 'warning',
      kind: 'job_failed',
      workspaceId: PLATFORM_WORKSPACE,
      subject: bounded(`certificates of ${domain}`, 300),
      seen: 'The certificate search has not answered for two days: new certificates go unseen.',
      detail: { job: JOB, domain, reason: code },
    });
  }
  return { ...before, failingSince };
}

function bounded(text: string, maximum: number): string {
  return text.toWellFormed().slice(0, maximum).toWellFormed();
}
