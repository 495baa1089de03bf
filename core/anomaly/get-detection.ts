import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Store } from '../kernel/store.ts';
import { allDetectors } from './detectors.ts';
import { type DetectionSettings, type DetectionView, readSettings, viewSettings } from './settings.ts';

export interface Detection {
  /** What is stored; absent while all is as it is by default. */
  readonly stored: DetectionSettings | undefined;
  readonly detectors: DetectionView;
}

/** How the workspace's detectors are set, with the defaults where it said nothing. */
export async function getDetection(
  { store, trail }: { readonly store: Store; readonly trail: AuditTrail },
  context: RequestContext,
): Promise<Detection> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'detection:read');
  const stored = await readSettings(store, workspaceId);
  await trail.commit(originOf(context), [
    { action: 'detection.read', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  return { stored, detectors: viewSettings(allDetectors, stored?.detectors ?? {}) };
}
