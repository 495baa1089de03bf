import * as z from 'zod';
import { ROLES } from '../../access/role.ts';
import { networkOf } from '../../identity/network.ts';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import type { Observation } from '../observation.ts';
import { opensValue } from '../secret-use.ts';
import { counted, keepRow, spanOf } from '../sentences.ts';

const usesSchema = z.int().min(1).max(100_000);

const thresholdsSchema = z.strictObject({
  /** So long after a change, use of secrets belongs to it. */
  minutes: z.int().min(1).max(120).default(30),
  /** So many uses by a member whose role was raised, */
  raisedUses: usesSchema.default(5),
  /** by a key that was just made, from another network than its maker's, */
  newKeyUses: usesSchema.default(50),
  /** by whoever changed a webhook or the detection, */
  unwatchedUses: usesSchema.default(10),
  /** and within the hour before a member leaves or a new key is revoked. */
  leavingUses: usesSchema.default(50),
});

export type PermissionChangeThresholds = z.infer<typeof thresholdsSchema>;

/** Of each kind and actor one is kept; of more than so many, the oldest key that was made is forgotten first. */
const MAX_CHANGES = 100;
const MAX_ACTORS = 300;
const ROWS_SHOWN = 10;

const idSchema = z.string().max(300);

const changeSchema = z.strictObject({
  kind: z.enum(['role_raised', 'key_made', 'watch_changed']),
  /** Whose uses belong to it. */
  actorId: idSchema,
  at: z.int().min(0),
  /** Of whoever made the change. */
  network: z.string().max(64),
  what: z.string().max(100),
  uses: z.int().min(0),
  /** The change and the last uses; empty once it was told of. */
  rows: z.array(z.string().max(40)).max(ROWS_SHOWN),
});

type RightsChange = z.infer<typeof changeSchema>;

const stateSchema = z.strictObject({
  changes: z.array(changeSchema).max(MAX_CHANGES),
  /** The half hour of the newest use, counted since the epoch. */
  half: z.int().min(0),
  /** Who used secrets in it and in the one before: how often, and the row of the last use. */
  users: z.record(
    idSchema,
    z.strictObject({ now: z.int().min(0), before: z.int().min(0), row: z.string().max(40) }),
  ),
  userCount: z.int().min(0).max(MAX_ACTORS),
});

export type PermissionChangeState = z.infer<typeof stateSchema>;

const MINUTE_MS = 60_000;
const HALF_HOUR_MS = 30 * MINUTE_MS;
/** So long a key counts as new when it is revoked. */
const NEW_KEY_MS = 24 * 60 * MINUTE_MS;
/** An export tells of all secrets at once. */
const EXPORT_USES = 10;

/**
 * Rights were changed right before secrets were used by them, or right after. `docs/detection/permission-change.md` has
 * the rules.
 */
export const permissionChange: Detector<PermissionChangeState, PermissionChangeThresholds> = {
  scope: 'workspace',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['minutes'],
  initial: () => ({ changes: [], half: 0, users: {}, userCount: 0 }),

  observe(state, row, thresholds) {
    if (row.result !== 'success') return NOTHING;
    const uses = opensValue(row) ? 1 : row.action === 'secret.exported' ? EXPORT_USES : 0;
    if (uses > 0) {
      countUses(state, row, uses);
      return state.changes.length === 0 ? NOTHING : usesAfterChange(state, row, uses, thresholds);
    }
    const change = changeBy(state, row);
    if (change !== undefined) remember(state, change, thresholds);
    return leaving(state, row, thresholds);
  },
};

function countUses(state: PermissionChangeState, { at, actor, id }: Observation, uses: number): void {
  const half = Math.floor(at / HALF_HOUR_MS);
  if (half > state.half) beginHalfHour(state, half);
  const user = state.users[actor.id];
  if (user !== undefined) {
    user.now += uses;
    user.row = id;
  } else if (state.userCount < MAX_ACTORS) {
    state.users[actor.id] = { now: uses, before: 0, row: id };
    state.userCount += 1;
  }
}

function beginHalfHour(state: PermissionChangeState, half: number): void {
  const kept = half === state.half + 1 ? Object.entries(state.users) : [];
  const users = kept.flatMap(([id, { now, row }]) =>
    now === 0 ? [] : [[id, { now: 0, before: now, row }] as const],
  );
  state.half = half;
  state.users = Object.fromEntries(users);
  state.userCount = users.length;
}

function usesAfterChange(
  state: PermissionChangeState,
  row: Observation,
  uses: number,
  thresholds: PermissionChangeThresholds,
): readonly Sighting[] {
  let found: Sighting | undefined;
  for (const change of state.changes) {
    if (change.actorId !== row.actor.id || change.rows.length === 0) continue;
    if (row.at - change.at > thresholds.minutes * MINUTE_MS) continue;
    if (change.kind === 'key_made' && networkOf(row.ip) === change.network) continue;
    change.uses += uses;
    keepUse(change.rows, row.id);
    if (change.uses < usesAllowed(change, thresholds)) continue;
    found ??= afterChange(change, row, thresholds);
    change.rows = [];
  }
  return found === undefined ? NOTHING : [found];
}

/** The change stays the first. */
function keepUse(rows: string[], id: string): void {
  const [change = ''] = rows.splice(0, 1);
  keepRow(rows, id, ROWS_SHOWN - 1);
  rows.unshift(change);
}

function usesAllowed({ kind }: RightsChange, thresholds: PermissionChangeThresholds): number {
  switch (kind) {
    case 'role_raised':
      return thresholds.raisedUses;
    case 'key_made':
      return thresholds.newKeyUses;
    case 'watch_changed':
      return thresholds.unwatchedUses;
  }
}

function afterChange(
  { kind, at, what, uses, rows }: RightsChange,
  row: Observation,
  thresholds: PermissionChangeThresholds,
): Sighting {
  return {
    // Nobody turns off the light by chance before they take something.
    tier: kind === 'watch_changed' ? 'critical' : 'warning',
    kind: 'use_around_permission_change',
    subject: `${row.actor.type} ${row.actor.id}`,
    seen: `${counted(uses, 'use')} of secrets from ${row.ip} within ${spanOf(row.at - at)} after ${what}.`,
    usual: `Fewer than ${usesAllowed({ kind } as RightsChange, thresholds)} within ${counted(thresholds.minutes, 'minute')} of such a change are let pass.`,
    rows: [...rows],
    detail: { change: kind, uses: String(uses) },
  };
}

/** The change of rights that a row tells of, if uses may follow that belong to it. */
function changeBy(
  { changes }: PermissionChangeState,
  { action, actor, entity, detail, at, id, ip }: Observation,
): RightsChange | undefined {
  const change = { at, network: networkOf(ip), uses: 0, rows: [id] };
  switch (action) {
    case 'member.role_changed':
      return isRaised(detail)
        ? {
            ...change,
            kind: 'role_raised',
            actorId: entity.id,
            what: `its role was raised from ${detail['from']} to ${detail['to']}`,
          }
        : undefined;
    case 'api_key.created':
      return { ...change, kind: 'key_made', actorId: entity.id, what: 'it was made' };
    case 'api_key.rotated': {
      // The successor of a key in use is no new one, and has its profile; that of a new key is as new as that.
      const made = changes.find(({ kind, actorId }) => kind === 'key_made' && actorId === entity.id);
      const { successor } = detail;
      return made && successor !== undefined
        ? { ...made, actorId: successor, rows: [...made.rows] }
        : undefined;
    }
    case 'webhook.updated':
    case 'webhook.deleted':
    case 'detection.updated':
      return { ...change, kind: 'watch_changed', actorId: actor.id, what: `it caused ${action}` };
    default:
      return undefined;
  }
}

function isRaised({ from, to }: Observation['detail']): boolean {
  return rankOf(to) > rankOf(from);
}

function rankOf(role: string | undefined): number {
  return (ROLES as readonly (string | undefined)[]).indexOf(role);
}

/** A change that is made again goes on with the uses since the first: neither many changes nor many keys hide one. */
function remember(
  state: PermissionChangeState,
  change: RightsChange,
  { minutes }: PermissionChangeThresholds,
): void {
  const isSame = ({ kind, actorId }: RightsChange) => kind === change.kind && actorId === change.actorId;
  const before = state.changes.find(isSame);
  const goesOn =
    before !== undefined && before.rows.length > 0 && change.at - before.at <= minutes * MINUTE_MS;
  const kept = state.changes.filter((one) => !isSame(one) && change.at - one.at <= NEW_KEY_MS);
  const { uses, rows } = goesOn ? before : change;
  state.changes = [...kept, { ...change, uses, rows }];
  if (state.changes.length <= MAX_CHANGES) return;
  const oldestKey = state.changes.findIndex(({ kind }) => kind === 'key_made');
  state.changes.splice(Math.max(0, oldestKey), 1);
}

/** Heavy use, and then a member goes or is lowered, a key revokes itself, or one that was made for it is revoked. */
function leaving(
  state: PermissionChangeState,
  row: Observation,
  { leavingUses }: PermissionChangeThresholds,
): readonly Sighting[] {
  const { action, actor, entity, detail, at, id } = row;
  const isOver =
    action === 'member.removed' ||
    (action === 'member.role_changed' && rankOf(detail['to']) < rankOf(detail['from'])) ||
    (action === 'api_key.revoked' && (actor.id === entity.id || isNewKey(state, row)));
  if (!isOver || at - state.half * HALF_HOUR_MS > 2 * HALF_HOUR_MS) return NOTHING;
  const user = Object.hasOwn(state.users, entity.id) ? state.users[entity.id] : undefined;
  const uses = user === undefined ? 0 : user.now + user.before;
  if (user === undefined || uses < leavingUses) return NOTHING;
  return [
    {
      tier: 'warning',
      kind: 'use_around_permission_change',
      subject: `${entity.type} ${entity.id}`,
      seen: `${counted(uses, 'use')} of secrets in about the last hour before ${action}, which ${actor.id === entity.id ? 'it caused itself' : `${actor.type} ${actor.id} caused`}.`,
      usual: `Fewer than ${leavingUses} in the last hour of a member or of a key made the same day are let pass.`,
      rows: [user.row, id],
      detail: { change: action, uses: String(uses) },
    },
  ];
}

function isNewKey({ changes }: PermissionChangeState, { entity, at }: Observation): boolean {
  return changes.some(
    (change) => change.kind === 'key_made' && change.actorId === entity.id && at - change.at <= NEW_KEY_MS,
  );
}
