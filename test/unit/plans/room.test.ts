import type { RequestContext } from '../../../core/access/principal.ts';
import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { inviteMember } from '../../../core/members/invite-member.ts';
import { assignPlan } from '../../../core/plans/assign-plan.ts';
import { countKept } from '../../../core/plans/kept.ts';
import type { PlanName } from '../../../core/plans/plan.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { importSecrets } from '../../../core/secrets/import-secrets.ts';
import { purgeExpired } from '../../../core/secrets/purge-expired.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { updateWorkspace } from '../../../core/workspaces/update-workspace.ts';
import { addKey } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import { installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, PASSWORD } from '../../support/people.ts';
import { accept } from '../members/acme.ts';

const FULL = { code: 'plan_limit_exceeded' };

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  await assign('standard');
});

const assign = (plan: PlanName) => assignPlan(vault, { workspaceId, plan });
const kept = () => countKept(vault, workspaceId);
const once = (idempotencyKey: string): RequestContext => ({ ...owner, idempotencyKey });

describe('secrets', () => {
  let names = 0;
  const secret = (context = owner, name = `s${++names}`) =>
    createSecret(vault, context, { namespace: 'prod', name, value: 'v' });
  const count = () => vault.bookkeeping.secretCount(workspaceId);
  const have = (number: number) => vault.bookkeeping.setSecretCount(workspaceId, number);
  const file = (number: number, from = 0) =>
    Array.from({ length: number }, (_, index) => `N${from + index}=v\n`).join('');
  const importing = (content: string, context = owner, onConflict: 'skip' | 'upsert' = 'upsert') =>
    importSecrets(vault, context, { format: 'env', namespace: 'prod', content, onConflict });

  it('are counted when made, and not when written, deleted or restored', async () => {
    const { id } = await secret();
    await putValue(vault, owner, id, 'w');
    await deleteSecret(vault, owner, id);
    expect(await count()).toBe(1);
    await restoreSecret(vault, owner, id);
    expect(await count()).toBe(1);
    await deleteSecret(vault, owner, id);
    await purgeSecret(vault, owner, id);
    expect(await count()).toBe(0);
  });

  it('are counted once for each Idempotency-Key, and a repeat needs no room', async () => {
    await have(999);
    const made = await secret(once('a'), 'x');
    expect(await secret(once('a'), 'x')).toEqual(made);
    expect(await count()).toBe(1_000);
  });

  it('are refused over the limit, without a row or a data key, and a taken name says so first', async () => {
    await secret(owner, 'taken');
    await have(1_000);
    const [rows, calls] = [rowsOf(vault, workspaceId).length, vault.keys.calls.length];
    await expect(secret()).rejects.toMatchObject(FULL);
    await expect(secret(owner, 'taken')).rejects.toMatchObject({ code: 'name_taken' });
    expect([rowsOf(vault, workspaceId).length, vault.keys.calls.length]).toEqual([rows, calls]);
    expect(await count()).toBe(1_000);
  });

  it('can be written, deleted and purged over the limit, which makes room', async () => {
    const { id } = await secret();
    await have(1_000);
    await putValue(vault, owner, id, 'w');
    await deleteSecret(vault, owner, id);
    await expect(secret()).rejects.toMatchObject(FULL);
    await purgeSecret(vault, owner, id);
    await secret();
  });

  it('are purged once, however often that is asked for at once', async () => {
    const { id } = await secret();
    await have(10);
    await deleteSecret(vault, owner, id);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => purgeSecret(vault, owner, id)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await count()).toBe(9);
  });

  it('that are made at once go over the limit by no more than are under way', async () => {
    await have(995);
    const made = await Promise.allSettled(Array.from({ length: 10 }, () => secret()));
    const number = made.filter(({ status }) => status === 'fulfilled').length;
    expect(number).toBeLessThanOrEqual(10);
    expect(await count()).toBe(995 + number);
    await expect(secret()).rejects.toMatchObject(FULL);
  });

  it('that were made although nobody could count them are there, and missing from the count', async () => {
    vault.tables.faults = async ({ name }) => (name === 'bookkeeping.addSecrets' ? 'before' : 'none');
    const { id } = await secret();
    await deleteSecret(vault, owner, id);
    await purgeSecret(vault, owner, id);
    expect((await importing(file(25))).filter(({ outcome }) => outcome === 'created')).toHaveLength(25);
    expect(await count()).toBe(0);
  });

  it('are not made where the count cannot be read', async () => {
    vault.tables.faults = async ({ name }) => (name === 'bookkeeping.secretCount' ? 'before' : 'none');
    await expect(secret()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('that the purge removes are left for the night to count', async () => {
    const { id } = await secret();
    await deleteSecret(vault, owner, id);
    vault.clock.advance(7 * DAY_MS + 1);
    expect((await purgeExpired(vault)).purged).toBe(1);
    expect(await count()).toBe(1);
  });

  it('of an import are counted, and refused as a whole where there is no room for all', async () => {
    await importing(file(25));
    expect(await count()).toBe(25);
    await have(990);
    const rows = rowsOf(vault, workspaceId).length;
    await expect(importing(file(11, 100))).rejects.toMatchObject({
      ...FULL,
      message: expect.stringContaining('There are 990, and this would add 11.'),
    });
    expect(rowsOf(vault, workspaceId).length).toBe(rows);
    // Those that are there need none.
    await importing(file(35, 0));
    expect(await count()).toBe(1_000);
    await importing(file(35, 0));
    expect(await count()).toBe(1_000);
  });

  it('of imports at once go over the limit by a slice of each at most', async () => {
    await have(940);
    const outcomes = await Promise.allSettled([importing(file(60, 0)), importing(file(60, 100))]);
    expect(await count()).toBeLessThanOrEqual(1_000 + 2 * 20);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: FULL });
  });

  it('of an import that was broken off are counted, and only the rest needs room', async () => {
    await have(960);
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends > 1 ? 'before' : 'none';
    };
    await expect(importing(file(40), once('i'))).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    expect(await count()).toBe(980);
    expect(await importing(file(40), once('i'))).toHaveLength(40);
    expect(await count()).toBe(1_000);
  });
});

describe('API keys', () => {
  const INPUT = { name: 'ci', role: 'viewer', namespaces: ['*'] } as const;
  const key = (context = owner, more = {}) => createApiKey(vault, context, { ...INPUT, ...more });
  /** With the owner's own, so many work. */
  const have = async (number: number) => {
    while ((await kept()).apiKeys < number) await addKey(vault, workspaceId, { role: 'viewer' });
  };

  it('are refused over the limit until one is revoked', async () => {
    await have(49);
    const { apiKey } = await key();
    await expect(key()).rejects.toMatchObject({
      ...FULL,
      message: expect.stringContaining('allows 50 API keys'),
    });
    await revokeApiKey(vault, owner, apiKey.id);
    await key();
  });

  it('that are over, rotated or honeypots do not count', async () => {
    const now = new Date(vault.clock.now()).toISOString();
    await addKey(vault, workspaceId, { role: 'viewer', expiresAt: now });
    await addKey(vault, workspaceId, { role: 'viewer', revokedAt: now });
    await addKey(vault, workspaceId, { role: 'viewer', honeypot: true });
    expect((await kept()).apiKeys).toBe(1);
    await have(50);
    await key(owner, { honeypot: true });
    const { id } = await addKey(vault, workspaceId, { role: 'viewer' });
    await rotateApiKey(vault, owner, { id, overlapSeconds: 3_600 });
    expect((await kept()).apiKeys).toBe(51);
    await expect(key()).rejects.toMatchObject(FULL);
  });

  it('are refused over the limit before their tokens are delivered', async () => {
    const delivered: string[] = [];
    const delivery = {
      route: 'POST /elsewhere',
      detail: {},
      deliver: async (keyId: string) => void delivered.push(keyId),
    };
    await have(49);
    const { apiKey } = await createApiKey(vault, owner, INPUT, delivery);
    await expect(createApiKey(vault, owner, INPUT, delivery)).rejects.toMatchObject(FULL);
    expect(delivered).toEqual([apiKey.id]);
  });

  it('are repeated with their Idempotency-Key over the limit', async () => {
    await have(49);
    const { apiKey } = await key(once('k'));
    expect((await key(once('k'))).apiKey).toEqual(apiKey);
  });
});

describe('members', () => {
  const invite = (email: string) => inviteMember(vault, owner, { email, role: 'viewer' });
  const join = async (number: number) => {
    while ((await kept()).members < number)
      await addPerson(vault, workspaceId, {
        email: `m${(await kept()).members}@example.com`,
        role: 'viewer',
      });
  };
  /** Nobody is invited from one address too often in a minute. */
  const nextMinute = () => vault.clock.advance(60_000);

  it('and invited people count, each once, until the invitation is over', async () => {
    await join(23);
    await invite('ned@example.com');
    nextMinute();
    await invite('Ned@Example.com');
    expect((await kept()).members).toBe(24);
    await invite('sue@example.com');
    await expect(invite('tom@example.com')).rejects.toMatchObject({
      ...FULL,
      message: expect.stringContaining('There are 25, and this would add 1.'),
    });
    nextMinute();
    await invite('ned@example.com');
    vault.clock.advance(7 * DAY_MS);
    expect((await kept()).members).toBe(23);
    await invite('tom@example.com');
  });

  it('who are invited have their room when they come', async () => {
    await join(24);
    await invite('ned@example.com');
    expect((await accept(vault, vault.mail.tokenFor('ned@example.com'))).status).toBe(201);
    expect((await kept()).members).toBe(25);
  });

  it('cannot come after the plan was changed, and get no account by trying', async () => {
    await join(1);
    await assign('compliance');
    await invite('ned@example.com');
    await join(26);
    await assign('standard');
    const token = vault.mail.tokenFor('ned@example.com');
    const people = () => [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === 'user');
    const before = people().length;
    expect(problemCode(await accept(vault, token, { password: PASSWORD }))).toBe(FULL.code);
    expect(people()).toHaveLength(before);
    await assign('compliance');
    expect((await accept(vault, token)).status).toBe(201);
  });
});

it('audit rows are kept for as long as the plan allows', async () => {
  const keep = (auditRetentionDays: number) => updateWorkspace(vault, owner, { auditRetentionDays });
  await expect(keep(366)).rejects.toMatchObject(FULL);
  await assign('compliance');
  await keep(2_557);
  await assign('standard');
  await updateWorkspace(vault, owner, { name: 'Still Acme' });
  await keep(1_000);
  await expect(keep(1_001)).rejects.toMatchObject(FULL);
});
