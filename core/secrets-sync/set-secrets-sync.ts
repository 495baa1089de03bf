import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { clip, MAX_DETAIL_LENGTH } from '../alerts/bounded-alert.ts';
import { create, update } from '../kernel/entity.ts';
import { invalid, VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandFeature } from '../plans/demand.ts';
import type { PlanName } from '../plans/plan.ts';
import { inOpenWorkspace, openWorkspace } from '../workspaces/in-open-workspace.ts';
import { roleFault } from './customer-role.ts';
import type { ReadingParts } from './get-secrets-sync.ts';
import { type ProofParts, proveRole } from './prove-role.ts';
import { BOOTSTRAP, type SecretsSync, type SyncSite, secretsSyncKind, targetText } from './secrets-sync.ts';

export type SettingParts = ReadingParts &
  ProofParts & { readonly clock: Pick<Clock, 'now'>; readonly defaultPlan: PlanName };

export interface SyncSettings {
  readonly namespaces: readonly string[];
  readonly roleArn?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Sets which namespaces are copied, and where to. A role of the customer's is proven first. Set once more as it is, all
 * copies are looked at once more. To another role or region, copies go from now on; those from before stay where they are.
 *
 * @throws VaultError `not_in_plan`; `invalid_request` for a role or region that cannot be meant; `receiver_refused` for a
 * role that does not let the vault in, or lets it in for anybody; `precondition_failed`; `concurrent_change`.
 */
export async function setSecretsSync(
  parts: SettingParts,
  context: RequestContext,
  settings: SyncSettings,
): Promise<SecretsSync> {
  const { principal } = context;
  const { workspaceId } = principal;
  const { store, syncSite } = parts;
  authorize(principal, 'secrets_sync:manage');
  demandFeature(await openWorkspace(store, workspaceId), parts.defaultPlan, 'secretsSync');
  checkPrecondition(context.precondition, await store.get(secretsSyncKind, workspaceId, workspaceId));
  const { namespaces, roleArn, region } = checkedSettings(settings, syncSite);
  if (roleArn !== undefined) await proveRole(parts, { workspaceId, roleArn, region });
  return inOpenWorkspace(store, workspaceId, async (stillOpen) => {
    const earlier = await store.get(secretsSyncKind, workspaceId, workspaceId);
    checkPrecondition(context.precondition, earlier);
    const now = parts.clock.now();
    const start = Math.max(now, (earlier?.start ?? 0) + 1);
    const isSameTarget = earlier?.roleArn === roleArn && earlier?.region === region;
    const content = {
      namespaces: [...namespaces],
      roleArn,
      region,
      start,
      targetStart: isSameTarget ? earlier.targetStart : start,
      updatedAt: timestamp(now),
      updatedBy: principal.id,
    };
    const { roleArn: _role, ...ownAccount } = content;
    const created = roleArn === undefined ? ownAccount : { ...ownAccount, roleArn };
    const change =
      earlier === undefined
        ? create(secretsSyncKind, { workspaceId, id: workspaceId, ...created })
        : update(secretsSyncKind, earlier, content);
    await parts.trail.commit(originOf(context), [
      {
        action: 'secrets_sync.updated',
        entity: { type: 'secrets_sync', id: workspaceId },
        result: 'success',
        detail: {
          target: targetText(syncSite, change.entity),
          namespaces: clip(namespaces.join(','), MAX_DETAIL_LENGTH),
          ...(roleArn === undefined ? {} : { roleArn }),
        },
        changes: [change, stillOpen],
      },
    ]);
    return change.entity;
  });
}

/** Where the services used have FIPS 140 endpoints. */
const FIPS_REGION = /^(us|ca)-/;
const REGION = /^[a-z]{2}(-[a-z]+){1,3}-\d{1,2}$/;

function checkedSettings({ namespaces, roleArn, region }: SyncSettings, site: SyncSite) {
  if (namespaces.includes(BOOTSTRAP)) {
    throw invalid('namespaces', `must not name "${BOOTSTRAP}": tokens of bootstrap keys lie under that name`);
  }
  if (roleArn === undefined) {
    if (region !== undefined && region !== site.region) {
      throw invalid('region', `must be ${site.region}, or go together with "roleArn"`);
    }
    return { namespaces, roleArn, region: site.region };
  }
  const fault = roleFault(roleArn, site);
  if (fault !== undefined) {
    throw new VaultError('invalid_request', 'The request is not valid. See "errors" for each fault.', {
      errors: [fault],
    });
  }
  if (region !== undefined && !REGION.test(region)) {
    throw invalid('region', 'must be the code of an AWS region, such as eu-central-1');
  }
  if (region !== undefined && site.fips && !FIPS_REGION.test(region)) {
    throw invalid(
      'region',
      'must be in the US or Canada: this vault calls FIPS endpoints only, and there are none elsewhere',
    );
  }
  return { namespaces, roleArn, region: region ?? site.region };
}
