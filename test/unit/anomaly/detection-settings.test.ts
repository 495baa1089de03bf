import * as z from 'zod';
import { allDetectors } from '../../../core/anomaly/detectors.ts';
import { detectionSettingsKind } from '../../../core/anomaly/settings.ts';
import { patchSchema } from '../../../core/anomaly/settings-schemas.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { counter } from '../../support/anomaly-world.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { alertsOf, showRows } from '../../support/raised-alerts.ts';
import type { World } from '../../support/world.ts';

let world: World & { readonly vault: MemoryVault };
beforeEach(async () => {
  world = await apiWorld();
});

const PATH = '/workspace/detection';
const get = (): Promise<ApiResponse> =>
  callApi(world.vault, { method: 'GET', path: PATH, token: world.ownerToken });
const patch = (detectors: object, headers: { readonly [name: string]: string } = {}) =>
  callApi(world.vault, {
    method: 'PATCH',
    path: PATH,
    token: world.ownerToken,
    headers,
    json: { detectors },
  });
const settingsOf = ({ json }: ApiResponse) =>
  (json as { detectors: Record<string, Record<string, unknown>> }).detectors;
const errorsOf = ({ text = '' }: ApiResponse) =>
  (JSON.parse(text) as { errors: { path: string; reason: string }[] }).errors;
const lastRow = () => rowsOf(world.vault, world.workspaceId).at(-1);
const stored = () => world.vault.store.get(detectionSettingsKind, world.workspaceId, world.workspaceId);

describe('GET /workspace/detection', () => {
  it('shows every detector with every threshold while nothing is set', async () => {
    const answer = await get();
    expect(answer.headers).toBeUndefined();
    for (const [name, { thresholds }] of allDetectors) {
      expect(settingsOf(answer)[name]).toEqual({ enabled: true, ...(thresholds.parse({}) as object) });
    }
    expect(lastRow()).toMatchObject({ action: 'detection.read', result: 'success' });
  });

  it('shows what was set, and defaults for the rest', async () => {
    await patch({ dormantKey: { days: 30 }, bruteForce: { enabled: false } });
    const answer = await get();
    expect(answer.headers).toMatchObject({ ETag: '"v1"' });
    expect(settingsOf(answer)).toMatchObject({
      dormantKey: { enabled: true, days: 30 },
      bruteForce: { enabled: false, failures: 5 },
    });
  });
});

describe('PATCH /workspace/detection', () => {
  it('changes what it names, stores no more than that, and records the names', async () => {
    await patch({ dormantKey: { days: 30 } });
    const answer = await patch({ volume: { enabled: false, factor: 2.5 } });
    expect(settingsOf(answer)).toMatchObject({
      dormantKey: { days: 30 },
      volume: { enabled: false, factor: 2.5 },
    });
    expect((await stored())?.detectors).toEqual({
      dormantKey: { days: 30 },
      volume: { enabled: false, factor: 2.5 },
    });
    expect(lastRow()).toMatchObject({
      action: 'detection.updated',
      detail: { fields: 'volume.enabled,volume.factor', disabled: 'volume' },
      changes: [{ kind: 'detectionSettings', revision: 2 }],
    });
  });

  it('takes a field back to its default with null', async () => {
    await patch({ dormantKey: { days: 30, enabled: false } });
    const answer = await patch({ dormantKey: { days: null, enabled: null } });
    expect(settingsOf(answer)['dormantKey']).toEqual({ enabled: true, days: 90 });
    expect((await stored())?.detectors).toEqual({});
  });

  it('changes only the revision that If-Match names', async () => {
    expect(problemCode(await patch({ volume: { enabled: false } }, { 'If-Match': '"v1"' }))).toBe(
      'precondition_failed',
    );
    expect((await patch({ volume: { enabled: false } })).headers).toMatchObject({ ETag: '"v1"' });
    expect((await patch({ volume: { enabled: true } }, { 'If-Match': '"v1"' })).status).toBe(200);
    expect(problemCode(await patch({ volume: { enabled: false } }, { 'If-Match': '"v1"' }))).toBe(
      'precondition_failed',
    );
  });

  it.each([
    [{ volumes: { enabled: false } }, 'detectors.volumes', 'is not a known field'],
    [{ volume: { fator: 2 } }, 'detectors.volume.fator', 'is not a known field'],
    [{ volume: { enabled: 'no' } }, 'detectors.volume.enabled', expect.any(String)],
    [{ dormantKey: { days: -1 } }, 'detectors.dormantKey.days', expect.any(String)],
    [{ dormantKey: { days: 1.5 } }, 'detectors.dormantKey.days', expect.any(String)],
    [{ volume: 5 }, 'detectors.volume', expect.any(String)],
  ])('refuses %j and says why', async (detectors, path, reason) => {
    const answer = await patch(detectors);
    expect(answer.status).toBe(400);
    expect(errorsOf(answer)).toEqual([{ path, reason }]);
    expect(await stored()).toBeUndefined();
  });

  it.each([{}, { volume: {} }])('refuses %j, which changes nothing', async (detectors) => {
    expect(problemCode(await patch(detectors))).toBe('invalid_request');
  });

  it('takes each threshold of each detector, at its default', async () => {
    for (const [name, { thresholds }] of allDetectors) {
      const fields = thresholds.parse({}) as object;
      expect(settingsOf(await patch({ [name]: fields }))[name]).toEqual({ enabled: true, ...fields });
    }
    const row = lastRow();
    expect(row?.detail['fields']?.length).toBeLessThanOrEqual(512);
  });

  it('names as many fields as fit into an event', async () => {
    const all = Object.fromEntries(
      [...allDetectors].map(([name, { thresholds }]) => [
        name,
        { enabled: false, ...(thresholds.parse({}) as object) },
      ]),
    );
    expect((await patch(all)).status).toBe(200);
    expect(lastRow()?.detail['fields']).toMatch(/^volume\.enabled,.*[a-zA-Z],and \d+ more$/);
    expect(lastRow()?.detail['fields']?.length).toBeLessThanOrEqual(512);
    expect(lastRow()?.detail['disabled']).toBe([...allDetectors.keys()].join(','));
  });

  it('that makes detectors notice less says in its row by how much, and is an alert', async () => {
    await patch({
      volume: { enabled: false, factor: 100, recurrences: 3 },
      bruteForce: { windowMinutes: 1 },
    });
    expect(lastRow()?.detail['weakened']).toBe(
      'volume.enabled true to false,volume.factor 2 to 100,bruteForce.windowMinutes 10 to 1',
    );
    await showRows(world.vault);
    const [alert] = await alertsOf(world.vault, world.workspaceId);
    expect(alert).toMatchObject({
      alertKind: 'detection_weakened',
      tier: 'warning',
      seen: expect.stringContaining('volume.factor 2 to 100, bruteForce.windowMinutes 10 to 1.'),
      detail: { disabled: 'volume' },
    });
  });

  it('that goes back to a default which notices less is one as well, and one that notices more is none', async () => {
    await patch({ dormantKey: { days: 30 }, offHours: { usualShare: 0.2 } });
    expect(lastRow()?.detail['weakened']).toBeUndefined();
    await patch({ dormantKey: { days: null } });
    expect(lastRow()?.detail['weakened']).toBe('dormantKey.days 30 to 90');
  });

  it('counts of two at once only one', async () => {
    const answers = await Promise.all([
      patch({ volume: { enabled: false } }),
      patch({ bruteForce: { enabled: false } }),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });
});

it('every detector names thresholds of its own as weaker the lower they are', () => {
  for (const { thresholds, weakerWhenLower = [] } of allDetectors.values())
    expect(Object.keys(thresholds.parse({}) as object)).toEqual(expect.arrayContaining([...weakerWhenLower]));
});

it('every detector has thresholds that a patch can name one by one', () => {
  const schema = patchSchema(new Map([['counter', counter('actor')]]));
  expect(schema.parse({ counter: { step: 2 } })).toEqual({ counter: { step: 2 } });
  const odd = { ...counter('actor'), thresholds: z.number() };
  expect(() => patchSchema(new Map([['odd', odd]]))).toThrow(TypeError);
});
