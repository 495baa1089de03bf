import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import {
  MAX_SOURCES_PER_MINUTE,
  recordFailedAuthentication,
} from '../../../core/identity/record-failed-authentication.ts';
import { sweepTallies } from '../../../core/identity/sweep-tallies.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';

const MINUTE = 60_000;

let vault: MemoryVault;
beforeEach(() => {
  vault = memoryVault();
});

/** Comes without a key, so often. */
async function knock(ip: string, times = 1, at: MemoryVault = vault): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    await authenticate(at, headerCredentials(), { ip, userAgent: 'curl' }).catch(
      (error: { code: string }) => {
        if (error.code !== 'unauthenticated') throw error;
      },
    );
  }
}
const rows = () => rowsOf(vault, PLATFORM_WORKSPACE, 1);
const details = () => rows().map(({ detail }) => detail);

it('the first failure of a source in a minute is a row at once, with who it was', async () => {
  await knock('198.51.100.1');
  expect(rows()).toMatchObject([
    {
      action: 'authentication.failed',
      result: 'denied',
      actor: { type: 'anonymous' },
      ip: '198.51.100.1',
      ua: 'curl',
      detail: { reason: 'missing' },
    },
  ]);
});

it('repeats are only counted, and become one row once the minute after theirs is over', async () => {
  await knock('198.51.100.1', 5);
  await knock('198.51.100.2', 1);
  expect(rows()).toHaveLength(2);
  for (const _ of ['their own minute', 'the next, in which a request may still count in theirs']) {
    expect(await sweepTallies(vault)).toBe(0);
    vault.clock.advance(MINUTE);
  }
  expect(await sweepTallies(vault)).toBe(1);
  expect(details().slice(2)).toEqual([
    { reason: 'missing', sourceIp: '198.51.100.1', repeats: '4', minute: '2026-01-01T00:00:00.000Z' },
  ]);
  expect(rows().at(-1)?.actor).toEqual({ type: 'system', id: 'tally' });
});

it('another reason, another source and another minute are rows of their own', async () => {
  await knock('198.51.100.1');
  await authenticate(vault, headerCredentials('Bearer x'), { ip: '198.51.100.1', userAgent: '' }).catch(
    () => undefined,
  );
  await knock('198.51.100.2');
  vault.clock.advance(MINUTE);
  await knock('198.51.100.1');
  expect(details().map(({ reason }) => reason)).toEqual(['missing', 'malformed', 'missing', 'missing']);
});

it('of many sources only thirty get a row of their own; the rest are told by their number and that of their failures', async () => {
  const sources = MAX_SOURCES_PER_MINUTE + 12;
  for (let source = 1; source <= sources; source += 1) await knock(`198.51.100.${source}`, 2);
  expect(rows()).toHaveLength(MAX_SOURCES_PER_MINUTE);
  vault.clock.advance(2 * MINUTE);
  expect(await sweepTallies(vault)).toBe(MAX_SOURCES_PER_MINUTE + 1);
  expect(details().at(-1)).toEqual({
    reason: 'many_sources',
    otherSources: '12',
    failures: '24',
    minute: '2026-01-01T00:00:00.000Z',
  });
});

it('a fleet of clients over the limit of its plan hides no guess, and is none', async () => {
  const sources = MAX_SOURCES_PER_MINUTE + 12;
  const workspaceId = 'ws_1';
  const subject = { workspaceId, type: 'user', id: 'u' } as const;
  const fail = (reason: string, ip: string) =>
    recordFailedAuthentication(vault, { subject, reason, ip, userAgent: 'curl' });
  const details = () => rowsOf(vault, workspaceId, 1).map(({ detail }) => detail);
  for (let source = 1; source <= sources; source += 1) await fail('plan_limit', `198.51.100.${source}`);
  await fail('wrong_password', '203.0.113.7');
  expect(details()).toHaveLength(MAX_SOURCES_PER_MINUTE + 1);
  expect(details().at(-1)).toEqual({ reason: 'wrong_password' });
  await fail('wrong_password', '203.0.113.7');
  vault.clock.advance(2 * MINUTE);
  expect(await sweepTallies(vault)).toBe(2);
  const minute = '2026-01-01T00:00:00.000Z';
  expect(details().slice(-2)).toEqual([
    { reason: 'wrong_password', userId: 'u', sourceIp: '203.0.113.7', repeats: '1', minute },
    { reason: 'plan_limit', otherSources: '12', failures: '12', minute },
  ]);
});

it('a sweep of nothing writes nothing', async () => {
  await knock('198.51.100.1');
  vault.clock.advance(2 * MINUTE);
  expect(await sweepTallies(vault)).toBe(0);
  expect(rows()).toHaveLength(1);
});

describe('a sweep', () => {
  beforeEach(async () => {
    await knock('198.51.100.1', 3);
    vault.clock.advance(MINUTE);
    await knock('198.51.100.2', 2);
    vault.clock.advance(2 * MINUTE);
  });

  it('that runs twice writes once', async () => {
    expect(await sweepTallies(vault)).toBe(2);
    expect(await sweepTallies(vault)).toBe(0);
    expect(rows()).toHaveLength(4);
  });

  it('that runs twice at once writes once', async () => {
    const counts = await Promise.all([sweepTallies(vault), sweepTallies(memoryVault(vault))]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(2);
    expect(rows()).toHaveLength(4);
  });

  it('that dies at any call is finished by the next one, and nothing is written twice', async () => {
    let dead = true;
    for (let at = 1; dead; at += 1) {
      const world = memoryVault();
      await knock('198.51.100.1', 3, world);
      world.clock.advance(MINUTE);
      await knock('198.51.100.2', 2, world);
      world.clock.advance(2 * MINUTE);
      let calls = 0;
      dead = false;
      world.tables.answers = async () => {
        calls += 1;
        dead ||= calls === at;
        if (dead) throw new Error('The process is gone.');
      };
      await sweepTallies(world).catch(() => undefined);
      world.tables.answers = async () => undefined;
      await sweepTallies(memoryVault(world));
      const found = rowsOf(world, PLATFORM_WORKSPACE, 1).filter(
        ({ detail }) => detail['repeats'] !== undefined,
      );
      expect({ at, repeats: found.map(({ detail }) => detail['repeats']) }).toEqual({
        at,
        repeats: ['2', '1'],
      });
      expect(await verifyWorkspace(world, PLATFORM_WORKSPACE)).toMatchObject({ ok: true });
    }
  });

  it('that cannot write goes on with the same minute next time', async () => {
    vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(sweepTallies(vault)).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    expect(await sweepTallies(vault)).toBe(2);
  });

  it('leaves the minute that has just ended alone, and takes it with the next', async () => {
    await sweepTallies(vault);
    await knock('198.51.100.3', 2);
    vault.clock.advance(MINUTE);
    expect(await sweepTallies(vault)).toBe(0);
    // One that was still on its way when the minute ended.
    const minute = vault.clock.now() / MINUTE - 1;
    await vault.bookkeeping.count({
      minute,
      workspaceId: PLATFORM_WORKSPACE,
      ip: '198.51.100.3',
      reason: 'missing',
    });
    vault.clock.advance(MINUTE);
    expect(await sweepTallies(vault)).toBe(1);
    expect(details().at(-1)).toMatchObject({ sourceIp: '198.51.100.3', repeats: '2' });
  });

  it('goes by no mark that lies in the future', async () => {
    await vault.bookkeeping.markSwept(vault.clock.now() / MINUTE + 1_000);
    expect(await sweepTallies(vault)).toBe(2);
    expect(await sweepTallies(vault)).toBe(0);
  });

  it('after a long pause looks back an hour at most', async () => {
    vault.clock.advance(3 * 60 * MINUTE);
    let minutes = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'bookkeeping.tallies') minutes += 1;
      return 'none';
    };
    await sweepTallies(vault);
    expect(minutes).toBe(55);
  });
});

it('a failure that cannot be counted or recorded is refused all the same', async () => {
  for (const lost of ['bookkeeping.count', 'ledger.append']) {
    vault.tables.faults = async ({ name }) => (name === lost ? 'before' : 'none');
    await expect(authenticate(vault, headerCredentials(), { ip: lost, userAgent: '' })).rejects.toMatchObject(
      {
        code: 'unavailable',
      },
    );
  }
});
