import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { type RecordedEvent, recordedEvent, tripwire } from '../../../core/detection/tripwires.ts';
import { watchRows } from '../../../core/detection/watch-rows.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { alertsOf, showRows } from '../../support/raised-alerts.ts';

const event = (rest: Partial<RecordedEvent>): RecordedEvent => ({
  workspaceId: 'ws_1',
  id: '0-7',
  actor: { type: 'api_key', id: 'key_1' },
  action: 'secret.read',
  entity: { type: 'secret', id: 'sec_1' },
  result: 'success',
  ip: '203.0.113.7',
  detail: {},
  ...rest,
});

const OPENED = { action: 'secret.revealed', detail: { version: '2', namespace: 'prod', decoy: 'true' } };
const HONEYPOT = {
  action: 'authentication.failed',
  result: 'denied',
  actor: { type: 'anonymous', id: '-' },
  entity: { type: 'api_key', id: 'key_2' },
  detail: { reason: 'honeypot' },
};
const REPEATS = {
  ...HONEYPOT,
  actor: { type: 'system', id: 'tally' },
  entity: { type: 'workspace', id: 'ws_1' },
  ip: '-',
  detail: {
    reason: 'honeypot',
    keyId: 'key_2',
    sourceIp: '198.51.100.1',
    repeats: '8',
    minute: '2026-01-01T00:00:00.000Z',
  },
};

const KEY_ARN = 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001';
const KEY_GONE = { code: 'key_unavailable', keyArn: KEY_ARN, version: '2' };

const CHANNEL = { type: 'webhook', id: 'wh_1' };

describe('an event that is alarming by itself', () => {
  it.each<[string, Partial<RecordedEvent>, string]>([
    ['a honeypot key', HONEYPOT, 'critical honeypot_used api_key key_2 from 203.0.113.7'],
    [
      'one from an address of IPv6, of which everybody has many',
      { ...HONEYPOT, ip: '2001:db8:1:2:3:4:5:6' },
      'critical honeypot_used api_key key_2 from 2001:db8:1:2::/64',
    ],
    ['its repeats', REPEATS, 'critical honeypot_used api_key key_2 from 198.51.100.1'],
    ['a decoy that is revealed', OPENED, 'critical decoy_revealed secret sec_1'],
    [
      'a decoy that is opened for a rollback',
      { ...OPENED, action: 'secret.rollback_requested' },
      'critical decoy_revealed secret sec_1',
    ],
    [
      'a refresh token that was used before',
      { action: 'session.reuse_detected', entity: { type: 'session', id: 'ses_1' } },
      'warning credential_replayed session ses_1',
    ],
    [
      'an authorization code that was used before',
      { action: 'oauth.code_reused', entity: { type: 'session', id: 'ses_1' } },
      'warning credential_replayed session ses_1',
    ],
    [
      'an owner by the setup token',
      { action: 'owner.recovered', entity: { type: 'workspace', id: 'ws_1' } },
      'critical owner_recovered workspace ws_1',
    ],
    [
      'detectors that are turned off',
      { action: 'detection.updated', detail: { weakened: 'volume.enabled true to false' } },
      'warning detection_weakened api_key key_1',
    ],
    [
      'a channel of alerts that is deleted',
      { action: 'webhook.deleted', entity: CHANNEL, detail: { feed: 'alerts' } },
      'warning detection_weakened webhook wh_1',
    ],
    [
      'a channel of alerts that is paused',
      {
        action: 'webhook.updated',
        entity: CHANNEL,
        detail: { feed: 'alerts', fields: 'state', state: 'paused' },
      },
      'warning detection_weakened webhook wh_1',
    ],
    [
      'a channel of alerts that goes elsewhere',
      { action: 'webhook.updated', entity: CHANNEL, detail: { feed: 'alerts', fields: 'name,url' } },
      'warning detection_weakened webhook wh_1',
    ],
    [
      'a value that stays closed for its key',
      { action: 'secret.revealed', result: 'failure', detail: KEY_GONE },
      `critical key_unavailable key ${KEY_ARN}`,
    ],
    [
      'the same in the middle of a rollback, of a decoy',
      { action: 'secret.rollback_requested', result: 'failure', detail: { ...KEY_GONE, decoy: 'true' } },
      `critical key_unavailable key ${KEY_ARN}`,
    ],
    [
      'the same where values go into the Secrets Manager of the customer',
      { action: 'secret.synced', result: 'failure', detail: KEY_GONE },
      `critical key_unavailable key ${KEY_ARN}`,
    ],
    [
      'a value that cannot be stored',
      {
        action: 'secret.created',
        result: 'failure',
        detail: { code: 'key_unavailable', keyArn: KEY_ARN, route: 'POST /secrets' },
      },
      `critical key_unavailable key ${KEY_ARN}`,
    ],
    [
      'a key that wraps all values from now on',
      {
        action: 'encryption_key.changed',
        entity: { type: 'workspace', id: 'ws_1' },
        detail: { keyArn: KEY_ARN, previousKeyArn: KEY_ARN },
      },
      `warning encryption_key_changed key ${KEY_ARN}`,
    ],
    [
      'values that are copied elsewhere from now on',
      {
        action: 'secrets_sync.updated',
        entity: { type: 'secrets_sync', id: 'ws_1' },
        detail: { target: '111122223333 us-east-1', namespaces: 'prod,staging' },
      },
      'warning secrets_sync_changed target 111122223333 us-east-1',
    ],
  ])('%s', (_, rest, expected) => {
    const alert = tripwire(event(rest));
    expect(`${alert?.tier} ${alert?.kind} ${alert?.subject}`).toBe(expected);
    expect(alert).toMatchObject({ workspaceId: 'ws_1', rows: ['0-7'], occurrence: '0-7' });
    expect([alert?.seen, alert?.usual]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/\.$/)]);
    expect(Object.keys(alert?.detail ?? {}).length).toBeLessThanOrEqual(7);
  });

  it('is told of with how often it was repeated', () => {
    expect(tripwire(event(REPEATS))).toMatchObject({
      seen: expect.stringContaining('8 more times'),
      detail: { keyId: 'key_2', ip: '198.51.100.1', repeats: '8' },
    });
  });

  it('gives an alert that says who opened what, and nothing of the value', () => {
    expect(tripwire(event(OPENED))?.detail).toEqual({
      secretId: 'sec_1',
      namespace: 'prod',
      version: '2',
      action: 'secret.revealed',
      actorType: 'api_key',
      actorId: 'key_1',
      ip: '203.0.113.7',
    });
  });
});

describe('nothing is alarming about', () => {
  it.each<[string, Partial<RecordedEvent>]>([
    ['another key that fails', { ...HONEYPOT, detail: { reason: 'revoked' } }],
    ['many sources', { ...HONEYPOT, detail: { reason: 'many_sources' } }],
    [
      'a key that was refused',
      {
        action: 'encryption_key.changed',
        result: 'failure',
        detail: { code: 'key_refused', keyArn: KEY_ARN },
      },
    ],
    [
      'a value that stays closed as the service does not answer',
      { action: 'secret.revealed', result: 'failure', detail: { code: 'unavailable', keyArn: KEY_ARN } },
    ],
    [
      'a request that says so and names no key, for another row does',
      { action: 'secret.revealed', result: 'failure', detail: { code: 'key_unavailable' } },
    ],
    ['a look at the key', { action: 'encryption_key.read', detail: { keyArn: KEY_ARN } }],
    ['any other secret', { ...OPENED, detail: { version: '1', namespace: 'prod' } }],
    ['a decoy that could not be opened, of which a row before tells', { ...OPENED, result: 'failure' }],
    ['a list of decoys', { action: 'secret.listed', detail: { decoy: 'true' } }],
    [
      'what the platform notes of a login that ends',
      { action: 'session.reuse_detected', workspaceId: PLATFORM_WORKSPACE },
    ],
    ['detectors that notice more', { action: 'detection.updated', detail: { fields: 'volume.factor' } }],
    ['a webhook of audit events', { action: 'webhook.deleted', entity: CHANNEL, detail: { feed: 'audit' } }],
    [
      'a channel of alerts that gets another name',
      { action: 'webhook.updated', entity: CHANNEL, detail: { feed: 'alerts', fields: 'name' } },
    ],
    [
      'a channel that the vault itself pauses',
      {
        action: 'webhook.updated',
        actor: { type: 'system', id: 'deliverer' },
        entity: CHANNEL,
        detail: { feed: 'alerts', state: 'paused' },
      },
    ],
    [
      'a refusal to delete one',
      { action: 'webhook.deleted', entity: CHANNEL, result: 'denied', detail: { feed: 'alerts' } },
    ],
    ['an alert', { action: 'alert.raised', detail: { kind: 'honeypot_used' } }],
  ])('%s', (_, rest) => {
    expect(tripwire(event(rest))).toBeUndefined();
  });
});

describe('the rows that the guard is shown', () => {
  let vault: MemoryVault;
  beforeEach(() => {
    vault = memoryVault();
  });
  const commit = (workspaceId: string, rest: typeof HONEYPOT | typeof REPEATS) => {
    const { action, entity, detail } = rest;
    return vault.trail.commit(systemOrigin(workspaceId), [
      { action: action as 'authentication.failed', entity, result: 'denied', detail },
    ]);
  };

  it('raise one alert for what happens again and again, counted once for each row', async () => {
    await commit('ws_1', HONEYPOT);
    await commit('ws_1', HONEYPOT);
    await showRows(vault);
    await showRows(vault);
    expect(await alertsOf(vault, 'ws_1')).toMatchObject([
      {
        alertKind: 'honeypot_used',
        count: 2,
        occurrences: [{ name: '0-1' }, { name: '0-2' }],
        rows: ['0-2'],
      },
    ]);
  });

  it('are told of in the platform’s trail if their workspace is none', async () => {
    await commit('ws_1', HONEYPOT);
    const [row] = vault.tables.lane({ workspaceId: 'ws_1', lane: 0 });
    if (row === undefined) throw new Error('There is no row.');
    const raised: Alert[] = [];
    const alerts = { raise: async (alert: Alert) => void raised.push(alert) };
    await watchRows({ ledger: vault.ledger, alerts }, [
      { table: 'audit', op: 'added', row: { ...row, workspaceId: 'ws_nobody' } },
      { table: 'audit', op: 'added', row: { ...row, workspaceId: '', seq: 0 } },
      { table: 'audit', op: 'added', row: { ...row, bytes: Uint8Array.of(1) } },
    ]);
    expect(raised.map(({ workspaceId }) => workspaceId)).toEqual([PLATFORM_WORKSPACE, PLATFORM_WORKSPACE]);
  });

  it('have to be shown again when the tables cannot be read', async () => {
    await commit('ws_1', HONEYPOT);
    vault.tables.faults = async () => 'before';
    await expect(showRows(vault)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('and the request that wrote one name the same event', async () => {
    const origin = systemOrigin('ws_1');
    const written = {
      action: 'owner.recovered',
      entity: { type: 'workspace', id: 'ws_1' },
      result: 'success',
    } as const;
    const [position] = await vault.trail.commit(origin, [written]);
    if (position === undefined) throw new Error('There is no row.');
    const byRequest = tripwire(recordedEvent(origin, written, position));
    const raised: Alert[] = [];
    await watchRows(
      { ledger: vault.ledger, alerts: { raise: async (alert) => void raised.push(alert) } },
      [...vault.tables.rows.values()].map((row) => ({ table: 'audit', op: 'added', row }) as const),
    );
    expect(raised).toEqual([byRequest]);
  });
});
