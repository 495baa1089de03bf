import { clip } from '../alerts/bounded-alert.ts';
import { readRow } from '../audit/build-rows.ts';
import { type AuditEvent, eventId, type Origin, type RowPosition } from '../audit/event.ts';
import type { StoredRow } from '../audit/ledger.ts';
import { networkOf } from '../identity/network.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Alert } from './alert.ts';

/** An event as it stands in the trail. */
export interface RecordedEvent {
  readonly workspaceId: string;
  /** `<lane>-<seq>` */
  readonly id: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly entity: { readonly type: string; readonly id: string };
  readonly result: string;
  readonly ip: string;
  readonly detail: { readonly [key: string]: string };
}

/** An event that was just committed. */
export function recordedEvent(
  { workspaceId, actor, ip }: Origin,
  { action, entity, result, detail = {} }: AuditEvent,
  position: RowPosition,
): RecordedEvent {
  return { workspaceId, id: eventId(position), actor, action, entity, result, ip, detail };
}

/** The event of a row, named by the row's key; `undefined` for bytes that cannot be read: the verifier tells of those. */
export function eventOfRow(row: StoredRow): RecordedEvent | undefined {
  const content = readRow(row);
  if (content === undefined) return undefined;
  const { actor, action, entity, result, ip, detail } = content;
  return { workspaceId: row.workspaceId, id: eventId(row), actor, action, entity, result, ip, detail };
}

/** The alert that an event by itself gives reason for, whatever came before it; nearly always none. */
export function tripwire(event: RecordedEvent): Alert | undefined {
  switch (event.action) {
    case 'authentication.failed':
      return event.detail['reason'] === 'honeypot' ? honeypotUsed(event) : undefined;
    case 'secret.revealed':
    case 'secret.rollback_requested':
      return event.detail['decoy'] === 'true' && event.result === 'success'
        ? decoyRevealed(event)
        : keyUnavailable(event);
    case 'session.reuse_detected':
    case 'oauth.code_reused':
      // The platform's trail only says that everything of the login ends; the workspace's says whose it was.
      return event.workspaceId === PLATFORM_WORKSPACE ? undefined : credentialReplayed(event);
    case 'owner.recovered':
      return ownerRecovered(event);
    case 'detection.updated':
      return detectionWeakened(event);
    case 'webhook.updated':
    case 'webhook.deleted':
      return channelSilenced(event);
    case 'secrets_sync.updated':
      return secretsSyncChanged(event);
    case 'encryption_key.changed':
      return encryptionKeyChanged(event);
    default:
      return keyUnavailable(event);
  }
}

/** The first try of a minute names the key as its entity; the row that tells of the repeats, in its detail. */
function honeypotUsed(event: RecordedEvent): Alert | undefined {
  const { entity, detail } = event;
  const keyId = entity.type === 'api_key' ? entity.id : detail['keyId'];
  if (keyId === undefined) return undefined;
  const ip = detail['sourceIp'] ?? event.ip;
  const { repeats, minute } = detail;
  return {
    ...about(event, `api_key ${keyId} from ${networkOf(ip)}`),
    tier: 'critical',
    kind: 'honeypot_used',
    seen:
      repeats === undefined
        ? `Somebody tried the honeypot key ${keyId} from ${ip}.`
        : `Somebody tried the honeypot key ${keyId} from ${ip} ${repeats} more times in the minute from ${minute}.`,
    usual: 'Nobody ever uses it: it lies where only an intruder looks.',
    detail: { keyId, ip, ...(repeats === undefined ? {} : { repeats }) },
  };
}

function decoyRevealed(event: RecordedEvent): Alert {
  const { entity, actor, ip, action, detail } = event;
  const { namespace = '', version = '' } = detail;
  return {
    ...about(event, `secret ${entity.id}`),
    tier: 'critical',
    kind: 'decoy_revealed',
    seen: `The ${actor.type} ${actor.id} opened version ${version} of the decoy secret ${entity.id} in ${namespace} from ${ip}.`,
    usual: 'Nobody has a reason to open it: nothing uses its value.',
    detail: { secretId: entity.id, namespace, version, action, actorType: actor.type, actorId: actor.id, ip },
  };
}

function credentialReplayed(event: RecordedEvent): Alert {
  const { entity, action, detail } = event;
  const ip = detail['sourceIp'] ?? event.ip;
  const what = action === 'oauth.code_reused' ? 'An authorization code' : 'A refresh token';
  return {
    ...about(event, `${entity.type} ${entity.id}`),
    tier: 'warning',
    kind: 'credential_replayed',
    seen: `${what} of the ${entity.type} ${entity.id} came a second time, from ${ip}; every session of that login is ended.`,
    usual: 'It is used once, by the one who got it.',
    detail: { action, ip },
  };
}

function ownerRecovered(event: RecordedEvent): Alert {
  const { entity, ip } = event;
  return {
    ...about(event, `${entity.type} ${entity.id}`),
    tier: 'critical',
    kind: 'owner_recovered',
    seen: `The operator's setup token was used from ${ip} to make somebody an owner.`,
    usual: 'It is used once, when the vault is set up.',
    detail: { ip },
  };
}

/** Whoever has an admin's session and means to use it turns off first what would tell of it. */
function detectionWeakened(event: RecordedEvent): Alert | undefined {
  const { actor, ip, result, detail } = event;
  const { weakened, disabled = '' } = detail;
  if (weakened === undefined || result !== 'success') return undefined;
  const changes = clip(weakened.replaceAll(',', ', '), 350);
  return {
    ...about(event, `${actor.type} ${actor.id}`),
    tier: 'warning',
    kind: 'detection_weakened',
    seen: `The ${actor.type} ${actor.id} made the detectors notice less, from ${ip}: ${changes}.`,
    usual: 'An admin tunes them now and then, and the others know why.',
    detail: { weakened, disabled, ip },
  };
}

/** The other way to have values where the vault's rows do not reach. */
function secretsSyncChanged(event: RecordedEvent): Alert | undefined {
  const { actor, ip, result, detail } = event;
  const { target = '', namespaces = '' } = detail;
  if (result !== 'success') return undefined;
  return {
    ...about(event, `target ${target}`),
    tier: 'warning',
    kind: 'secrets_sync_changed',
    seen: `The ${actor.type} ${actor.id} has secrets copied to ${target} from now on, from ${ip}. Namespaces: ${clip(namespaces, 200) || 'none'}.`,
    usual: 'An owner sets this up once, and the others know why.',
    detail: { target, namespaces, ip },
  };
}

/** What of a channel decides whether, and to whom, it tells of an alert. */
const TELLING: ReadonlySet<string> = new Set(['url', 'preset', 'minTier', 'credential']);

/** The other way to keep an alert from people. A channel that the vault itself stops has an alert of its own. */
function channelSilenced(event: RecordedEvent): Alert | undefined {
  const { actor, entity, ip, action, result, detail } = event;
  if (detail['feed'] !== 'alerts' || result !== 'success' || actor.type === 'system') return undefined;
  const fields = (detail['fields'] ?? '').split(',').filter((field) => TELLING.has(field));
  const isPaused = detail['state'] === 'paused';
  if (action === 'webhook.updated' && fields.length === 0 && !isPaused) return undefined;
  const done =
    action === 'webhook.deleted' ? 'deleted' : isPaused ? 'paused' : `changed ${fields.join(', ')} of`;
  return {
    ...about(event, `webhook ${entity.id}`),
    tier: 'warning',
    kind: 'detection_weakened',
    seen: `The ${actor.type} ${actor.id} ${done} the channel ${entity.id}, which tells people of alerts, from ${ip}.`,
    usual: 'An admin moves a channel now and then, and the others know why.',
    detail: { action, ip },
  };
}

/** A value stayed closed for its key, or could not be stored: of an event that names the key, and of no other. */
function keyUnavailable(event: RecordedEvent): Alert | undefined {
  const { action, entity, result, detail } = event;
  const { code, keyArn, version } = detail;
  if (code !== 'key_unavailable' || keyArn === undefined || result !== 'failure') return undefined;
  return {
    ...about(event, `key ${keyArn}`),
    tier: 'critical',
    kind: 'key_unavailable',
    seen: `${version === undefined ? 'A value could not be stored' : `Version ${version} of the ${entity.type} ${entity.id} could not be opened`}: its key ${keyArn} is disabled, deleted or lets the vault in no longer.`,
    usual: 'The key opens whatever lies under it. Nothing is lost as long as it comes back.',
    detail: { keyArn, action },
  };
}

/** Whoever has an owner's session can have all values lie under a key that only they have. */
function encryptionKeyChanged(event: RecordedEvent): Alert | undefined {
  const { actor, ip, result, detail } = event;
  const { keyArn = '', previousKeyArn = '' } = detail;
  if (result !== 'success') return undefined;
  return {
    ...about(event, `key ${keyArn}`),
    tier: 'warning',
    kind: 'encryption_key_changed',
    seen: `The ${actor.type} ${actor.id} had the key ${keyArn} wrap all secrets from now on, in place of ${previousKeyArn}, from ${ip}.`,
    usual: 'An owner changes the key once in a long while, and the others know why.',
    detail: { keyArn, previousKeyArn, ip },
  };
}

/** One event, one occurrence: whoever is shown it again raises nothing new. */
function about({ workspaceId, id }: RecordedEvent, subject: string) {
  return { workspaceId, subject, rows: [id], occurrence: id } as const;
}
