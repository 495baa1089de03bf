import { RefusedChanges } from '../../core/audit/append.ts';
import { type AuditEvent, type Origin, PRINCIPAL_LANE, STRANGER_LANE } from '../../core/audit/event.ts';
import { laneOpened, strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import { type Change, create, remove, update } from '../../core/kernel/entity.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { namespaceKind } from '../../core/namespaces/namespace.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import type { Intent } from './evidence.ts';
import type { JobParts } from './process.ts';
import type { LogWorld, Role } from './world.ts';

export const WORKSPACE = `ws_${'5'.repeat(32)}`;

const NAMESPACES = ['red', 'green'] as const;
const MACHINE: Origin = {
  workspaceId: WORKSPACE,
  lane: PRINCIPAL_LANE,
  actor: { type: 'api_key', id: 'key_1' },
  ip: '203.0.113.7',
  userAgent: 'curl/8.9.1',
};

/** What a writer wants to be recorded; for changes it looks first, and may find that there is nothing to do. */
type Plan = (parts: JobParts) => Promise<{ readonly origin: Origin; readonly events: readonly AuditEvent[] }>;

/** Makes the workspace. */
export function found(world: LogWorld, role: Role): Promise<void> {
  const now = timestamp(world.scheduler.now);
  const subject = { type: 'workspace', id: WORKSPACE };
  return carryOut(world, role, async () => ({
    origin: systemOrigin(WORKSPACE, 'setup'),
    events: [
      {
        action: 'workspace.created',
        entity: subject,
        result: 'success',
        changes: [newWorkspace(WORKSPACE, 'Acme', now)],
      },
      laneOpened(WORKSPACE, STRANGER_LANE),
    ],
  }));
}

/** Machines read. */
export function read(world: LogWorld, role: Role, count: number, secret: number): Promise<void> {
  const event: AuditEvent = {
    action: 'secret.revealed',
    entity: { type: 'secret', id: `sec_${secret}` },
    result: 'success',
  };
  return carryOut(world, role, async () => ({ origin: MACHINE, events: Array(count).fill(event) }));
}

/** Somebody without a key tries one. */
export function knock(world: LogWorld, role: Role): Promise<void> {
  const origin = strangerOrigin(WORKSPACE, '198.51.100.1', 'nmap é"\\');
  const subject = { type: 'workspace', id: WORKSPACE };
  return carryOut(world, role, async () => ({
    origin,
    events: [{ action: 'authentication.failed', entity: subject, result: 'denied' }],
  }));
}

/** A machine makes a namespace, closes it, opens it again, or deletes it. */
export function change(world: LogWorld, role: Role, name: number, isFinal: boolean): Promise<void> {
  const id = NAMESPACES[name % NAMESPACES.length] ?? NAMESPACES[0];
  return carryOut(world, role, async ({ store, clock }) => {
    const before = await store.get(namespaceKind, WORKSPACE, id);
    const createdAt = timestamp(clock.now());
    const content = { workspaceId: WORKSPACE, id, state: 'open' as const, createdAt, createdBy: 'key_1' };
    const state = before?.state === 'open' ? ('closing' as const) : ('open' as const);
    const entity = { type: 'namespace', id };
    const told = (action: AuditEvent['action'], made: Change): AuditEvent => ({
      action,
      entity,
      result: 'success',
      changes: [made],
    });
    if (before === undefined)
      return { origin: MACHINE, events: [told('namespace.created', create(namespaceKind, content))] };
    if (isFinal)
      return { origin: MACHINE, events: [told('namespace.deleted', remove(namespaceKind, before))] };
    const action = state === 'open' ? 'namespace.reopened' : 'namespace.closed';
    return { origin: MACHINE, events: [told(action, update(namespaceKind, before, { state }))] };
  });
}

/** A writer does this and that, by chance. */
export async function writeAtRandom(world: LogWorld, role: Role, count: number): Promise<void> {
  const { random, scheduler } = world;
  for (let left = count; left > 0; left -= 1) {
    const what = random.below(10);
    if (what < 5) await read(world, role, 1 + (what === 0 ? random.below(4) : 0), random.below(5));
    else if (what < 7) await knock(world, role);
    else await change(world, role, random.below(2), random.below(3) === 0);
    await scheduler.turn(random.below(3) === 0 ? random.below(30_000) : 0);
  }
}

async function carryOut(world: LogWorld, role: Role, plan: Plan): Promise<void> {
  const { evidence } = world;
  const process = world.process(role);
  const intents: Intent[] = [];
  const outcome = await process.run(async () => {
    const { origin, events } = await plan(process.parts);
    const { workspaceId, lane } = origin;
    for (const _event of events) {
      intents.push({
        token: `t${evidence.intents.length + intents.length}`,
        workspaceId,
        lane,
        outcome: 'unknown',
      });
    }
    evidence.intents.push(...intents);
    return process.parts.trail.commit(
      origin,
      events.map((event, index) => ({
        ...event,
        detail: { ...event.detail, token: intents[index]?.token ?? '' },
      })),
    );
  });
  if (outcome.status === 'done') {
    for (const [index, intent] of intents.entries()) {
      const position = outcome.value[index];
      Object.assign(intent, { outcome: 'recorded', ...(position && { position }) });
    }
  }
  if (outcome.status !== 'failed') return;
  const { error } = outcome;
  if (error instanceof RefusedChanges) for (const intent of intents) intent.outcome = 'refused';
  else if (!(error instanceof VaultError) || error.code !== 'unavailable')
    evidence.complaints.push(`${role}: ${String(error)}`);
}
