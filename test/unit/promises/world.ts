import { HOTP, Secret } from 'otpauth';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { PasswordHasher } from '../../../core/identity/passwords.ts';
import { type User, userKind } from '../../../core/identity/user.ts';
import { update } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import type { Clock } from '../../../core/kernel/ports.ts';
import { type Membership, membershipKind } from '../../../core/members/membership.ts';
import { type IdentityPolicy, workspaceKind } from '../../../core/workspaces/workspace.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { type ApiCall, callApi } from '../../support/call-api.ts';
import { installedVault, type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser } from '../../support/people.ts';
import { SeededRandom } from '../../support/random.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

export const ADA = 'ada@example.com';
/** Satisfies both profiles, like the one that people have. */
export const OTHER_PASSWORD = 'Second-Horse-8-Stapler';

/** A vault with a workspace and a person in it. */
export async function peopleWorld() {
  const { vault, installed } = await installedVault();
  const { workspaceId } = installed;
  const ada = await addPerson(vault, workspaceId, { email: ADA, role: 'admin' });
  return { vault, workspaceId, ada, ownerToken: installed.token };
}

/** What a workspace demands from now on, by the trail alone. */
export async function setPolicy(
  vault: MemoryVault,
  workspaceId: string,
  policy: Partial<IdentityPolicy>,
): Promise<void> {
  const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error('There is no such workspace.');
  const next = update(workspaceKind, workspace, { policy: { ...workspace.policy, ...policy } });
  await vault.trail.commit(systemOrigin(workspaceId, 'test'), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [next],
    },
  ]);
}

export async function membershipOf(
  { store }: Vault,
  workspaceId: string,
  userId: string,
): Promise<Membership> {
  const membership = await store.get(membershipKind, workspaceId, userId);
  if (membership === undefined) throw new Error('This person is no member there.');
  return membership;
}

export async function readUser({ store }: Vault, { id }: User): Promise<User> {
  const user = await store.get(userKind, PLATFORM_WORKSPACE, id);
  if (user === undefined) throw new Error('There is no such person.');
  return user;
}

/** One more function instance on the same tables, whose clock is so far ahead of (or behind) the first one's. */
export function skewed(vault: MemoryVault, milliseconds: number): Vault {
  const clock: Clock = {
    now: () => vault.clock.now() + milliseconds,
    sleep: (wait) => vault.clock.sleep(wait),
  };
  const instance = memoryVault(vault);
  const { ledger, random } = instance;
  return { ...instance, clock, trail: createAuditTrail({ ledger, clock, random }) };
}

/** The same hasher, counting how often it is asked whether a password is right. */
export function countingVerifications(hasher: PasswordHasher) {
  const counter = { verifications: 0 };
  const counting: PasswordHasher = {
    ...hasher,
    verify(hash, password) {
      counter.verifications += 1;
      return hasher.verify(hash, password);
    },
  };
  return { counter, hasher: counting };
}

/** The code that an authenticator app shows now, or so many steps away. */
export function totpCode(vault: Vault, secret: string, steps = 0): string {
  const counter = Math.floor(vault.clock.now() / 30_000) + steps;
  return HOTP.generate({ secret: Secret.fromBase32(secret), counter });
}

export interface Enrolled {
  readonly secret: string;
  readonly backupCodes: readonly string[];
}

/** Switches MFA on in a session; afterwards the code of the time is used up. */
export async function enrolMfa(vault: MemoryVault, browser: Browser): Promise<Enrolled> {
  await browser.stepUp();
  const { body: enrolment } = await browser.post('/auth/mfa/totp');
  const secret = String(enrolment['secret']);
  const { status, body } = await browser.post('/auth/mfa/totp/confirm', { code: totpCode(vault, secret) });
  if (status !== 200) throw new Error(`The enrolment was answered with ${status}.`);
  return { secret, backupCodes: body['backupCodes'] as string[] };
}

/** A browser with the same cookies, at another address or instance. */
export function copyOf(browser: Browser, vault: Vault, ip?: string): Browser {
  const copy = new Browser(vault, ip);
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value);
  copy.csrfToken = browser.csrfToken;
  return copy;
}

/** An address of its own for each number. */
export function addressOf(number: number): string {
  return `198.51.100.${number}`;
}

/** How often each status was answered. */
export function tally(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** An attempt to log in from nowhere in particular. */
export function logInFrom(
  vault: Vault,
  ip: string,
  email: string,
  password: string,
  more?: Partial<ApiCall>,
) {
  return callApi(vault, { ...more, method: 'POST', path: '/auth/login', ip, json: { email, password } });
}

/** What was recorded in a workspace of this action, in both lanes. */
export function rowsNamed(vault: MemoryVault, workspaceId: string, action: string): AuditRow[] {
  return [0, 1].flatMap((lane) => rowsOf(vault, workspaceId, lane)).filter((row) => row.action === action);
}

/** The reasons that a refused body was given. */
export function reasonsOf({ body }: { readonly body: Record<string, unknown> }): string[] {
  return ((body['errors'] ?? []) as { readonly reason: string }[]).map(({ reason }) => reason);
}

/** Lets requests that are made at once take turns at every call of a port, in an order that the seed decides. */
export function interleave({ tables }: MemoryVault, seed = 1): void {
  const random = new SeededRandom(seed);
  tables.faults = async () => {
    for (let turns = random.below(4); turns > 0; turns -= 1) await new Promise(setImmediate);
    return 'none';
  };
}
