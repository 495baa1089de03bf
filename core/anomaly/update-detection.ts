import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import type { Overrides } from './anomaly-states.ts';
import { allDetectors } from './detectors.ts';
import type { Detection } from './get-detection.ts';
import { detectionSettingsKind, effectiveSettings, readSettings, viewSettings } from './settings.ts';
import type { DetectionPatch } from './settings-schemas.ts';
import { weakenedSettings } from './weakened-settings.ts';

/** What a member of an event's detail holds. */
const MAX_DETAIL = 512;

/**
 * Tunes the detectors; what the patch does not name stays as it is. What happened before the change is still judged by
 * the settings of then: turning detectors off hides nothing afterwards.
 *
 * @throws VaultError `invalid_request` for thresholds that do not go together; `precondition_failed`;
 * `concurrent_change`.
 */
export async function updateDetection(
  { store, trail }: { readonly store: Store; readonly trail: AuditTrail },
  context: RequestContext,
  patch: DetectionPatch,
): Promise<Detection> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'detection:manage');
  return inOpenWorkspace(store, workspaceId, async (stillOpen) => {
    const stored = await readSettings(store, workspaceId);
    checkPrecondition(context.precondition, stored);
    const detectors = merged(stored?.detectors ?? {}, patch);
    refuseUnfit(detectors);
    const changed =
      stored === undefined
        ? create(detectionSettingsKind, { workspaceId, id: workspaceId, detectors })
        : update(detectionSettingsKind, stored, { detectors });
    const weakened = weakenedSettings(allDetectors, stored?.detectors ?? {}, detectors);
    const off = [...effectiveSettings(allDetectors, detectors)].filter(([, { enabled }]) => !enabled);
    await trail.commit(originOf(context), [
      {
        action: 'detection.updated',
        entity: { type: 'workspace', id: workspaceId },
        result: 'success',
        detail: {
          fields: listed(fieldsOf(patch)),
          disabled: listed(off.map(([name]) => name)),
          ...(weakened.length === 0 ? {} : { weakened: listed(weakened) }),
        },
        changes: [changed, stillOpen],
      },
    ]);
    return { stored: changed.entity, detectors: viewSettings(allDetectors, detectors) };
  });
}

/** Only what differs from no setting at all is kept: `null` takes a field away. */
function merged(before: Overrides, patch: DetectionPatch): Overrides {
  const names = new Set([...Object.keys(before), ...Object.keys(patch)]);
  const all = [...names].map((name) => {
    const fields = Object.entries({ ...before[name], ...patch[name] });
    const set = fields.flatMap(([field, value]) =>
      value === undefined || value === null ? [] : [[field, value] as const],
    );
    return [name, Object.fromEntries(set)] as const;
  });
  return Object.fromEntries(all.filter(([, fields]) => Object.keys(fields).length > 0));
}

/** Each field is within its bounds; together they may still make no sense. */
function refuseUnfit(overrides: Overrides): void {
  const errors = [...allDetectors].flatMap(([name, detector]) => {
    const { enabled: _enabled, ...set } = overrides[name] ?? {};
    const issues = detector.thresholds.safeParse(set).error?.issues ?? [];
    return issues.map(({ path, message }) => ({
      path: ['detectors', name, ...path.map(String)].join('.'),
      reason: message,
    }));
  });
  if (errors.length === 0) return;
  throw new VaultError('invalid_request', 'The request is not valid. See "errors" for each fault.', {
    errors,
  });
}

function fieldsOf(patch: DetectionPatch): string[] {
  return Object.entries(patch).flatMap(([name, fields = {}]) =>
    Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [`${name}.${field}`])),
  );
}

/** Names with commas between them. Where not all have room, the last one says how many others there are. */
function listed(names: readonly string[]): string {
  const whole = names.join(',');
  if (whole.length <= MAX_DETAIL) return whole;
  let text = '';
  for (const [index, name] of names.entries()) {
    const rest = `,and ${names.length - index} more`;
    if (text.length + 1 + name.length + rest.length > MAX_DETAIL) return text + rest;
    text = text === '' ? name : `${text},${name}`;
  }
  return text;
}
