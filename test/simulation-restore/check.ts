import type { StoredRow } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { ApiKey } from '../../core/identity/api-key.ts';
import type { Mfa } from '../../core/identity/mfa.ts';
import type { Session } from '../../core/identity/session.ts';
import type { User } from '../../core/identity/user.ts';
import { type Entity, entityDigest } from '../../core/kernel/entity.ts';
import { allKinds } from '../../core/kinds.ts';
import type { Invitation, Membership } from '../../core/members/membership.ts';
import type { RestoreReport } from '../../core/restore/restore-deployment.ts';
import type { Secret, SecretName } from '../../core/secrets/secret.ts';
import type { Workspace } from '../../core/workspaces/workspace.ts';
import { QUICK_HASHER } from '../support/memory-services.ts';
import { SeededRandom } from '../support/random.ts';
import { verifyDeployment } from '../support/verify-deployment.ts';
import type { RestoredWorld } from './restored-world.ts';

interface RowChange {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly digest: string;
}

interface Newest extends RowChange {
  readonly row: string;
}

const REMOVED = '0'.repeat(64);
const RANKS = ['viewer', 'operator', 'admin', 'owner'];

/** All that is wrong with what a restore made, by code of its own: it reads rows as the text that they are. */
export async function checkRestored(world: RestoredWorld, report: RestoreReport): Promise<string[]> {
  return [
    ...checkRows(world),
    ...checkExplained(world),
    ...checkAccess(world),
    ...checkSecrets(world),
    ...(report.isGood
      ? []
      : [
          `the verdict is bad: ${JSON.stringify([report.samples.failures, report.verdicts.map(({ findings }) => findings.breaks)])}`,
        ]),
    ...(await checkByVerifier(world)),
  ];
}

/** Nothing that could be known is lost or altered. */
function checkRows({ history, tables }: RestoredWorld): string[] {
  return [...history.known].flatMap(([key, row]) => {
    const found = tables.rows.get(key);
    const isSame = found !== undefined && Buffer.compare(found.bytes, row.bytes) === 0;
    return isSame ? [] : [`row ${key} is lost or altered`];
  });
}

/** Every entity is just what the newest row that names it says, and every one that rows speak of is there. */
function checkExplained({ tables }: RestoredWorld): string[] {
  const newest = newestOf(tables.rows.values());
  const entities = new Map([...tables.entities.values()].map((stored) => [nameOf(stored.entity), stored]));
  const violations = [...entities].flatMap(([name, { entity, row }]) => {
    const said = newest.get(name);
    const isSaid =
      said !== undefined &&
      said.revision === entity.revision &&
      said.digest === entityDigest(entity) &&
      said.row === `${row.lane}-${row.seq}`;
    return isSaid ? [] : [`${name} is not explained`];
  });
  const missing = [...newest].flatMap(([name, { kind, digest }]) => {
    const mayGo = allKinds.get(kind)?.expiry !== undefined;
    return entities.has(name) || digest === REMOVED || mayGo ? [] : [`${name} is missing`];
  });
  return [...violations, ...missing];
}

/** Nothing that decides access is better than the newest row that could be known says. */
function checkAccess({ tables, history }: RestoredWorld): string[] {
  const newest = newestOf(history.known.values());
  const violations: string[] = [];
  const contentOf = (name: string): Entity | undefined =>
    history.contents.get(newest.get(name)?.digest ?? '');
  for (const { entity } of tables.entities.values()) {
    const told = contentOf(nameOf(entity));
    if (!isNoBetter(entity, told)) violations.push(`${nameOf(entity)} gives more than its newest row`);
  }
  const there = new Set([...tables.entities.values()].map(({ entity }) => nameOf(entity)));
  for (const [name, { kind, digest }] of newest) {
    const content = history.contents.get(digest);
    const closes = kind === 'endedLogin' || kind === 'usedSetupToken' || kind === 'installation';
    const isFactor = kind === 'mfa' && (content as Mfa | undefined)?.confirmedAt !== undefined;
    if ((closes || isFactor) && content !== undefined && !there.has(name))
      violations.push(`${name} is gone, which opens something`);
  }
  return violations;
}

/** @param told undefined for what no row speaks of, or what a row removed. */
function isNoBetter(entity: Entity, told: Entity | undefined): boolean {
  switch (entity.kind) {
    case 'apiKey':
      return (
        (entity as ApiKey).revokedAt !== undefined ||
        (told !== undefined && (told as ApiKey).revokedAt === undefined)
      );
    case 'session': {
      const session = entity as Session;
      const before = told as Session | undefined;
      if (session.endedAt !== undefined) return true;
      return (
        before !== undefined &&
        before.endedAt === undefined &&
        before.refreshTokenId === session.refreshTokenId
      );
    }
    case 'refreshToken':
      return told !== undefined && (!('usedAt' in told) || 'usedAt' in entity);
    case 'invitation': {
      const before = told as Invitation | undefined;
      return (
        (entity as Invitation).revokedAt !== undefined ||
        (before !== undefined && before.revokedAt === undefined)
      );
    }
    case 'membership': {
      const [now, before] = [entity as Membership, told as Membership | undefined];
      if (before === undefined || RANKS.indexOf(now.role) > RANKS.indexOf(before.role)) return false;
      // A group that was ever given out may be that of a session that was ended.
      return now.sessionGroup === before.sessionGroup || !now.sessionGroup.startsWith('group-');
    }
    case 'user': {
      const [now, before] = [entity as User, told as User | undefined];
      if (now.passwordHash === QUICK_HASHER.dummyHash)
        return before === undefined || now.epoch > before.epoch;
      return before !== undefined && now.passwordHash === before.passwordHash && now.epoch >= before.epoch;
    }
    case 'mfa':
      return isFactorNoBetter(entity as Mfa, told as Mfa | undefined);
    case 'workspace':
      return isWorkspaceNoBetter(entity as Workspace, told as Workspace | undefined);
    default:
      return true;
  }
}

function isFactorNoBetter(now: Mfa, before: Mfa | undefined): boolean {
  const codes = now.backupCodes.filter(({ usedAt }) => usedAt === undefined).map(({ hash }) => hash);
  if (now.confirmedAt === undefined) return before?.confirmedAt === undefined;
  if (now.lastStep === Number.MAX_SAFE_INTEGER) return codes.length === 0;
  if (before?.confirmedAt === undefined) return false;
  const good = before.backupCodes.filter(({ usedAt }) => usedAt === undefined).map(({ hash }) => hash);
  const isSameApp = Buffer.compare(now.ciphertext, before.ciphertext) === 0;
  return isSameApp && now.lastStep >= before.lastStep && codes.every((code) => good.includes(code));
}

function isWorkspaceNoBetter(now: Workspace, before: Workspace | undefined): boolean {
  if (before === undefined) return true;
  if (before.deletedAt !== undefined) return now.deletedAt !== undefined;
  return now.deletedAt !== undefined || now.policy.requireMfa || !before.policy.requireMfa;
}

/** Deleted secrets stay deleted, each has a name that finds it, and workspaces know their owners. */
function checkSecrets({ tables, history }: RestoredWorld): string[] {
  const newest = newestOf(history.known.values());
  const all = [...tables.entities.values()].map(({ entity }) => entity);
  const of = <E extends Entity>(kind: string): E[] => all.filter((entity) => entity.kind === kind) as E[];
  const names = new Map(
    of<SecretName>('secretName').map((name) => [`${name.workspaceId} ${name.id}`, name.secretId]),
  );
  const violations: string[] = [];
  for (const secret of of<Secret>('secret')) {
    const { workspaceId, id, namespace, name } = secret;
    const said = newest.get(nameOf(secret));
    const told = history.contents.get(said?.digest ?? '') as Secret | undefined;
    const isOver = told?.deletedAt !== undefined || said?.digest === REMOVED;
    if (isOver && secret.deletedAt === undefined) violations.push(`secret ${id} is back from the dead`);
    if (!secret.purging && names.get(`${workspaceId} ${namespace}/${name}`) !== id)
      violations.push(`secret ${id} is not found by its name`);
  }
  const ids = new Set(of('secret').map(({ id }) => id));
  for (const [name, id] of names) if (!ids.has(id)) violations.push(`the name ${name} finds nothing`);
  for (const { id, owners } of of<Workspace>('workspace')) {
    const found = of<Membership>('membership').filter(
      ({ workspaceId, role }) => workspaceId === id && role === 'owner',
    );
    if (
      found
        .map((member) => member.id)
        .sort()
        .join() !== [...owners].sort().join()
    )
      violations.push(`workspace ${id} has other owners than it says`);
  }
  return violations;
}

async function checkByVerifier({ tables, clock }: RestoredWorld): Promise<string[]> {
  tables.faults = async () => 'none';
  tables.answers = async () => undefined;
  const { ledger, inspector } = tables;
  const trail = createAuditTrail({ ledger, clock, random: new SeededRandom(1) });
  const violations: string[] = [];
  for await (const result of verifyDeployment({ ledger, inspector, kinds: allKinds, trail })) {
    if (result.error !== undefined) violations.push(`verifier: ${String(result.error)}`);
    for (const found of result.verification?.breaks ?? [])
      violations.push(`verifier: ${result.workspaceId} ${JSON.stringify(found)}`);
  }
  return violations;
}

/** The newest change of each entity; all changes of one stand in one lane. */
function newestOf(rows: Iterable<StoredRow>): Map<string, Newest> {
  const newest = new Map<string, Newest>();
  for (const { workspaceId, lane, seq, bytes } of [...rows].sort((a, b) => a.seq - b.seq)) {
    const { changes }: { changes: readonly RowChange[] } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    for (const change of changes)
      newest.set(nameOf({ ...change, workspaceId }), { ...change, row: `${lane}-${seq}` });
  }
  return newest;
}

function nameOf({ workspaceId, kind, id }: Pick<Entity, 'workspaceId' | 'kind' | 'id'>): string {
  return `${workspaceId} ${kind}/${id}`;
}
