import type { RequestContext } from '../../core/access/principal.ts';
import { decodeRow } from '../../core/audit/row.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { EncryptionContext } from '../../core/crypto/key-service.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { allowanceOf } from '../../core/reconciliation/allowance.ts';
import { mayMake } from '../../core/reconciliation/call-roles.ts';
import type { KeyCall } from '../../core/reconciliation/key-calls.ts';
import { valueKey } from '../../core/reconciliation/opened-value.ts';
import type { DayOutcome } from '../../core/reconciliation/reconcile-day.ts';
import { reconcileDeployment } from '../../core/reconciliation/reconcile-deployment.ts';
import { reconciliationStateSchema } from '../../core/reconciliation/reconciliation-state.ts';
import { createSecret } from '../../core/secrets/create-secret.ts';
import { putValue } from '../../core/secrets/put-value.ts';
import { revealSecret } from '../../core/secrets/reveal-secret.ts';
import { revealSecrets } from '../../core/secrets/reveal-secrets.ts';
import { rollbackSecret } from '../../core/secrets/rollback-secret.ts';
import { API_ROLE, REWRAPPER_ROLE, VAULT_ROLES } from '../support/call-log.ts';
import { MemoryJobState } from '../support/memory-job-state.ts';
import { keysOfDeployment, VAULT_KEY_ARN } from '../support/memory-keys.ts';
import { changeKeys } from './customer.ts';
import { deliverAll } from './trail-model.ts';
import { CUSTOMER_KEYS, type Mutant, SimulatedVault, type Trouble, WORKSPACES } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ACTORS = 4;
const OPERATIONS = 7;
const SECRETS = 2;

/** Ways around the vault. */
export const CRIMES = [
  'the same second',
  'a minute later',
  'another version',
  'another secret',
  'another principal',
  'a key of a customer',
  'a move by another principal',
  'a move to a foreign key',
  'a move out of the reach of a customer',
  'a move into another context',
  'after midnight',
] as const;
export type Crime = (typeof CRIMES)[number];

export const INSIDER = 'arn:aws:iam::000000000000:user/insider';
const FOREIGN_KEY = 'arn:aws:kms:us-east-1:999999999999:key/foreign';

export interface HistoryOptions {
  readonly trouble: Trouble;
  readonly crimes?: readonly Crime[];
  readonly mutant?: Mutant;
}

export interface History {
  /** What was decrypted or moved past the vault, by value. */
  readonly committed: ReadonlyMap<string, number>;
  /** What the alerts of `decrypt_without_row` say, by value. */
  readonly reported: ReadonlyMap<string, number>;
  /** Calls that rows allow and that nobody made, by value: what a crime can hide behind. */
  readonly spare: ReadonlyMap<string, number>;
  /** Calls that only the row of a retry accounts for, by value. */
  readonly repeated: ReadonlyMap<string, number>;
  /** Calls by somebody else, as they were made and as the alerts of `decrypt_by_stranger` tell them. */
  readonly strange: { readonly made: number; readonly told: number };
  readonly alerts: readonly Alert[];
  /** The last outcome of each day. */
  readonly outcomes: ReadonlyMap<string, DayOutcome>;
  readonly honestCalls: number;
}

interface Stage {
  readonly vault: SimulatedVault;
  readonly owners: readonly RequestContext[];
  /** `[owner, secret]`, each with two versions. */
  readonly secrets: readonly (readonly [owner: RequestContext, id: string])[];
}

/** An hour around midnight in which people open secrets, and somebody may go around the vault; then three mornings. */
export async function playHistory(seed: number, options: HistoryOptions): Promise<History> {
  const { trouble, crimes = [], mutant = {} } = options;
  const vault = new SimulatedVault(seed, mutant);
  const stage = await setStage(vault);
  return vault.time.run(
    (async () => {
      await vault.time.sleep(DAY - HOUR / 2);
      vault.trouble = trouble;
      const actors = Array.from({ length: ACTORS }, () => act(stage));
      const committing = crimes.map((crime) => commit(stage, crime));
      const criminal = Promise.all(committing);
      await Promise.all([...actors, bringKeys(stage), criminal]);
      const made = await criminal;
      vault.trouble = 'none';
      deliverAll(vault.log, vault.calls, vault.random);
      const result = await reconcile(stage, mutant);
      const { repeated, calls } = vault;
      const byStrangers = calls.filter((call) => !mayMake(VAULT_ROLES, call)).length;
      const strange = { made: byStrangers, told: toldOfStrangers(result.alerts) };
      const committed = countByValue(made);
      return { committed, repeated, strange, ...result, ...countSpare(vault, made) };
    })(),
  );
}

async function setStage(vault: SimulatedVault): Promise<Stage> {
  const owners = await vault.open();
  const parts = vault.instance();
  const secrets: [RequestContext, string][] = [];
  for (const owner of owners) {
    for (let index = 0; index < SECRETS; index += 1) {
      const input = { namespace: 'prod', name: `secret-${index}`, value: 'one' };
      const { id } = await createSecret(parts, owner, input);
      await putValue(parts, owner, id, 'two');
      secrets.push([owner, id]);
    }
  }
  return { vault, owners, secrets };
}

/** Somebody with some requests, each answered by an instance that nobody else uses at that moment. */
async function act({ vault, secrets }: Stage): Promise<void> {
  const { random, time } = vault;
  for (let operation = 0; operation < OPERATIONS; operation += 1) {
    await time.sleep(random.below(8 * MINUTE));
    const [owner, id] = secrets[random.below(secrets.length)] ?? secrets[0] ?? failed();
    const parts = vault.instance();
    const own = secrets.filter(([each]) => each === owner).map(([, each]) => each);
    const work = [
      () => revealSecret(parts, owner, { id }),
      () => revealSecret(parts, owner, { id, version: 1 }),
      () => revealSecrets(parts, owner, { ids: own }),
      () => rollbackSecret(parts, owner, { id, version: 1 }),
    ][random.below(4)];
    // A request that fails is the caller's to repeat.
    await work?.().catch(() => undefined);
  }
}

/** The first workspace is that of a customer with keys of its own. */
async function bringKeys({ vault, owners, secrets }: Stage): Promise<void> {
  const [owner = failed()] = owners;
  const own = secrets.filter(([each]) => each === owner).map(([, id]) => id);
  await changeKeys(vault, owner, own);
}

function failed(): never {
  throw new Error('The stage has secrets.');
}

const contextOf = (owner: RequestContext, secretId: string, version: number): EncryptionContext => ({
  secretId,
  version: String(version),
  workspaceId: owner.principal.workspaceId,
});

/** The owner whose secrets a crime is about, where it is not about whomever. */
const VICTIMS: ReadonlyMap<Crime, number> = new Map([
  ['a key of a customer', 0],
  ['a move out of the reach of a customer', 2],
]);

/** Does its worst at some moment of the hour; most kinds follow an honest reveal. */
async function commit({ vault, owners, secrets }: Stage, crime: Crime): Promise<KeyCall> {
  const { random, time } = vault;
  const midnight = Math.ceil(time.now() / DAY) * DAY;
  // What hides after midnight follows a reveal of the last moments before it.
  await time.sleep(
    crime === 'after midnight' ? midnight - time.now() - random.below(5_000) : random.below(50 * MINUTE),
  );
  const victim = VICTIMS.get(crime);
  const victims = victim === undefined ? secrets : secrets.filter(([each]) => each === owners[victim]);
  const [owner, id] = victims[random.below(victims.length)] ?? failed();
  const parts = vault.instance();
  const { version } = await revealSecret(parts, owner, { id }).catch(() => ({ version: 2 }));
  if (crime === 'a minute later') await time.sleep(MINUTE);
  if (crime === 'after midnight') await time.sleep(Math.max(0, midnight - time.now()));
  const context =
    crime === 'another version'
      ? contextOf(owner, id, 9)
      : crime === 'another secret'
        ? contextOf(owner, `sec_${'f'.repeat(32)}`, 1)
        : contextOf(owner, id, version);
  const keyArn = crime === 'a key of a customer' ? CUSTOMER_KEYS[0] : VAULT_KEY_ARN;
  return vault.carryOut(keyArn, context, doneBy(crime, context));
}

/** By whom, and how, if not by the role of the API with a `Decrypt`. */
function doneBy(crime: Crime, context: EncryptionContext): Partial<KeyCall> {
  const move = { operation: 'ReEncrypt', principal: REWRAPPER_ROLE } as const;
  const changed = { ...context, secretId: `sec_${'d'.repeat(32)}` };
  switch (crime) {
    case 'another principal':
      return { principal: INSIDER };
    case 'a move by another principal':
      return { ...move, principal: INSIDER, destination: { keyArn: VAULT_KEY_ARN, context } };
    case 'a move to a foreign key':
      return { ...move, destination: { keyArn: FOREIGN_KEY, context } };
    case 'a move out of the reach of a customer':
      return { ...move, destination: { keyArn: VAULT_KEY_ARN, context } };
    case 'a move into another context':
      return { ...move, destination: { keyArn: VAULT_KEY_ARN, context: changed } };
    default:
      return { principal: API_ROLE };
  }
}

function countByValue(calls: readonly KeyCall[]): ReadonlyMap<string, number> {
  const values = Map.groupBy(calls, ({ context }) => valueKey(context as EncryptionContext));
  return new Map([...values].map(([value, each]) => [value, each.length]));
}

async function reconcile({ vault }: Stage, mutant: Mutant) {
  const { tables, time, random, log } = vault;
  const ledger = mutant.ledger?.(tables.ledger) ?? tables.ledger;
  const alerts: Alert[] = [];
  const parts = {
    ledger,
    store: mutant.store?.(tables.store) ?? tables.store,
    clock: time,
    trail: createAuditTrail({ ledger: tables.ledger, clock: time, random }),
    keyCalls: mutant.calls?.(log, vault) ?? log,
    roles: mutant.roles ?? VAULT_ROLES,
    deploymentKeys: keysOfDeployment(),
    states: new MemoryJobState(tables, reconciliationStateSchema),
    alerts: { raise: async (alert: Alert) => void alerts.push(alert) },
  };
  const outcomes = new Map<string, DayOutcome>();
  const morning = Math.ceil(time.now() / DAY) * DAY - DAY + 3.5 * HOUR;
  for (let day = 0; day < 3; day += 1) {
    await time.sleep(Math.max(0, morning + day * DAY - time.now()));
    for await (const { day: name, outcome } of reconcileDeployment(parts, () => true))
      outcomes.set(name, outcome);
  }
  return { alerts, outcomes, reported: reportedBy(alerts) };
}

/** The number that the last alert about each value and day tells. */
function reportedBy(alerts: readonly Alert[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { kind, subject, workspaceId, detail } of alerts) {
    const [, secretId = '', version = ''] = /^secret (\S+) version (\d+)$/.exec(subject) ?? [];
    if (kind === 'decrypt_without_row')
      last.set(`${valueKey({ workspaceId, secretId, version })} ${detail['day']}`, Number(detail['calls']));
  }
  const reported = new Map<string, number>();
  for (const [key, calls] of last) {
    const [value = ''] = key.split(' ');
    reported.set(value, (reported.get(value) ?? 0) + calls);
  }
  return reported;
}

function toldOfStrangers(alerts: readonly Alert[]): number {
  const last = new Map<string, number>();
  for (const { kind, subject, detail } of alerts)
    if (kind === 'decrypt_by_stranger') last.set(`${subject} ${detail['day']}`, Number(detail['calls']));
  return [...last.values()].reduce((sum, calls) => sum + calls, 0);
}

/** By the rows as they lie in the table, and by what the key service knows of itself. */
function countSpare({ tables, calls }: SimulatedVault, crimes: readonly KeyCall[]) {
  const spare = new Map<string, number>();
  const count = (value: string, change: number): void =>
    void spare.set(value, (spare.get(value) ?? 0) + change);
  for (const { bytes, workspaceId } of tables.rows.values()) {
    const allowance = (WORKSPACES as readonly string[]).includes(workspaceId)
      ? allowanceOf(decodeRow(bytes))
      : undefined;
    if (allowance !== undefined) count(allowance.value, allowance.calls);
  }
  const honest = calls.filter((call) => call.errorCode === undefined && !crimes.includes(call));
  for (const { context, operation } of honest)
    if (operation === 'Decrypt') count(valueKey(context as EncryptionContext), -1);
  return { spare, honestCalls: honest.length };
}
