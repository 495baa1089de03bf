import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addWorkspace } from '../../support/api-world.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  countingVerifications,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  rowsNamed,
} from './world.ts';

const UNKNOWN = 'nobody@example.com';
const EVE = addressOf(66);

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
});

interface Observed {
  readonly answer: ApiResponse;
  /** The calls of the store, the ledger and the bookkeeping, by name. */
  readonly calls: readonly string[];
  readonly verifications: number;
  readonly sleeps: readonly number[];
}

/** What an attempt looks like from outside, and what it asks of everything that takes time. */
async function observe(email: string, password = OTHER_PASSWORD): Promise<Observed> {
  const calls: string[] = [];
  const sleeps = vault.clock.sleeps.length;
  vault.tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
  const { counter, hasher } = countingVerifications(vault.hasher);
  const answer = await logInFrom({ ...vault, hasher }, EVE, email, password);
  vault.tables.faults = async () => 'none';
  return {
    answer,
    calls: calls.toSorted(),
    verifications: counter.verifications,
    sleeps: vault.clock.sleeps.slice(sleeps),
  };
}

/** Lets both trails be warm, as they are in a vault that strangers knock at, and begins a new minute. */
async function settle(): Promise<void> {
  await observe(ADA);
  await observe(UNKNOWN);
  vault.clock.advance(MINUTE);
}

describe('I2: same answer, status and steps for an unknown user and a wrong password', () => {
  beforeEach(settle);

  it('the first time in a minute', async () => {
    const known = await observe(ADA);
    expect(known.answer.status).toBe(401);
    expect(known.calls).toContain('ledger.append');
    expect(known.verifications).toBe(1);
    expect(await observe(UNKNOWN)).toEqual(known);
  });

  it('again in the same minute', async () => {
    await observe(ADA);
    await observe(UNKNOWN);
    const known = await observe(ADA);
    expect(known.calls).not.toContain('ledger.append');
    expect(await observe(UNKNOWN)).toEqual(known);
  });

  it('after somebody tried an address that is surely unknown in the same minute', async () => {
    await observe('surely-unknown@example.com');
    const known = await observe(ADA);
    const unknown = await observe(UNKNOWN);
    // The steps may differ only where both answers wait for the same time.
    const calls = known.sleeps.length > 0 ? known.calls : unknown.calls;
    expect({ ...unknown, calls }).toEqual(known);
  });

  it('once the account is locked', async () => {
    for (let guess = 0; guess < 10; guess += 1) {
      await observe(ADA);
      await observe(UNKNOWN);
      vault.clock.advance(10_000);
    }
    vault.clock.advance(MINUTE);
    const known = await observe(ADA);
    expect(known.answer.status).toBe(429);
    expect(known.answer.headers).toHaveProperty('Retry-After');
    vault.clock.advance(-10_000);
    const unknown = await observe(UNKNOWN);
    expect(unknown.calls).toEqual(known.calls);
    expect(unknown.answer.status).toBe(429);
    expect(unknown.verifications).toBe(0);
  });

  it('with a password that nobody can have', async () => {
    const impossible = 'x'.repeat(1_025);
    const known = await observe(ADA, impossible);
    expect(known.answer.status).toBe(401);
    expect(await observe(UNKNOWN, impossible)).toEqual(known);
  });
});

it('I2: a person in several workspaces is as slow as an unknown one: as many steps, one after the other', async () => {
  await addPerson(vault, await addWorkspace(vault), { email: ADA, role: 'viewer' });
  await settle();
  const [known, unknown] = [await observe(ADA), await observe(UNKNOWN)];
  expect(known.answer).toEqual(unknown.answer);
  expect(known.verifications).toBe(unknown.verifications);
  // Their trails are written side by side, so only the kinds of calls have to agree.
  expect(new Set(known.calls)).toEqual(new Set(unknown.calls));
});

it('I2: what was tried is recorded: at a known person in the workspace, else in the platform', async () => {
  await observe(ADA);
  await observe(UNKNOWN);
  expect(rowsNamed(vault, workspaceId, 'authentication.failed')).toMatchObject([
    {
      lane: 1,
      actor: { type: 'anonymous' },
      ip: EVE,
      result: 'denied',
      detail: { reason: 'wrong_password' },
    },
  ]);
  expect(rowsNamed(vault, PLATFORM_WORKSPACE, 'authentication.failed')).toMatchObject([
    {
      lane: 1,
      actor: { type: 'anonymous' },
      ip: EVE,
      result: 'denied',
      detail: { reason: 'unknown_account' },
    },
  ]);
});
