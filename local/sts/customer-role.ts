import { customerAccessKey } from '../kms/caller.ts';

export interface CustomerRole {
  readonly accountId: string;
  readonly roleName: string;
  /** As the vault hands them out. */
  readonly trustPolicy: object;
  readonly permissionsPolicy: object;
}

/**
 * Makes a role in a customer's account, or gives one of that name these policies, as its administrator does with the
 * documents that the vault hands out. Gives the ARN.
 *
 * @param endpoint where the stand-in of STS is served.
 */
export async function putCustomerRole(
  endpoint: string,
  { accountId, roleName, trustPolicy, permissionsPolicy }: CustomerRole,
): Promise<string> {
  const ask = async (action: string, params: Record<string, string>, known: readonly number[] = []) => {
    const { ok, status } = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `AWS4-HMAC-SHA256 Credential=${customerAccessKey(accountId)}/` },
      body: new URLSearchParams({ Action: action, RoleName: roleName, ...params }),
    });
    if (!ok && !known.includes(status))
      throw new Error(`${action} of ${roleName} was answered with ${status}.`);
  };
  const trust = JSON.stringify(trustPolicy);
  await ask('CreateRole', { AssumeRolePolicyDocument: trust }, [409]);
  await ask('UpdateAssumeRolePolicy', { PolicyDocument: trust });
  await ask('PutRolePolicy', { PolicyName: 'lockzero', PolicyDocument: JSON.stringify(permissionsPolicy) });
  return `arn:aws:iam::${accountId}:role/${roleName}`;
}
