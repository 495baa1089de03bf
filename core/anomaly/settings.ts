import * as z from 'zod';
import type { AuditRow } from '../audit/row.ts';
import type { Kind } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type Overrides, overridesSchema } from './anomaly-states.ts';
import type { Detectors } from './detectors.ts';

/**
 * What a workspace tuned. Only that is stored: where a workspace says nothing, a better default is in effect at once.
 */
const detectionSettingsSchema = z.strictObject({
  kind: z.literal('detectionSettings'),
  workspaceId: z.string(),
  /** The workspace's own id: there is one. */
  id: z.string(),
  revision: z.int().min(1),
  detectors: overridesSchema,
});

export type DetectionSettings = z.infer<typeof detectionSettingsSchema>;

export const detectionSettingsKind: Kind<DetectionSettings> = {
  name: 'detectionSettings',
  schema: detectionSettingsSchema,
};

/** The settings of a workspace; `undefined` while it has the defaults. */
export function readSettings(store: Store, workspaceId: string): Promise<DetectionSettings | undefined> {
  return store.get(detectionSettingsKind, workspaceId, workspaceId);
}

/**
 * The settings to judge by. What somebody spoiled in the table counts for nothing, and must not stop the watch: the
 * guard tells of it.
 */
export async function readSettingsInEffect(
  store: Store,
  workspaceId: string,
): Promise<Pick<DetectionSettings, 'revision' | 'detectors'>> {
  try {
    return (await readSettings(store, workspaceId)) ?? NOTHING_SET;
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return NOTHING_SET;
    throw error;
  }
}

const NOTHING_SET = { revision: 0, detectors: {} } as const;

/** The revision that a row gave the settings; `undefined` for nearly all rows, which did not change them. */
export function settingsRevision({
  action,
  changes,
}: Pick<AuditRow, 'action' | 'changes'>): number | undefined {
  if (action !== 'detection.updated') return undefined;
  return changes.find(({ kind }) => kind === detectionSettingsKind.name)?.revision;
}

/** How one detector is set. */
export interface DetectorSettings {
  /** One that is off still learns, so that it knows what is usual once it is on again. */
  readonly enabled: boolean;
  /** As the detector's own schema gives them. */
  readonly thresholds: unknown;
}

/**
 * How all detectors are set, defaults filled in. What was stored once and does not fit a detector any more counts for
 * nothing: an old threshold must not turn a detector off.
 */
export function effectiveSettings(
  detectors: Detectors,
  overrides: Overrides,
): ReadonlyMap<string, DetectorSettings> {
  return new Map(
    [...detectors].map(([name, detector]) => {
      const { enabled = true, ...set } = overrides[name] ?? {};
      const parsed = detector.thresholds.safeParse(set);
      const thresholds = parsed.success ? parsed.data : detector.thresholds.parse({});
      return [name, { enabled: enabled !== false, thresholds }];
    }),
  );
}

/** All settings as people see them: by detector, `enabled` and the thresholds. */
export type DetectionView = { readonly [detector: string]: { readonly [field: string]: unknown } };

export function viewSettings(detectors: Detectors, overrides: Overrides): DetectionView {
  const settings = effectiveSettings(detectors, overrides);
  return Object.fromEntries(
    [...settings].map(([name, { enabled, thresholds }]) => [
      name,
      { enabled, ...z.record(z.string(), z.unknown()).parse(thresholds) },
    ]),
  );
}
