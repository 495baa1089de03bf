import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Credentials } from '@aws-sdk/client-sts';
import { copyPolicy } from '../core/secrets-sync/customer-role.ts';
import {
  CopyRefused,
  type CustomerSecrets,
  type SecretsAccount,
  type SyncFault,
} from '../core/secrets-sync/customer-secrets.ts';
import { type SyncSite, type SyncTarget, targetAccount } from '../core/secrets-sync/secrets-sync.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';
import { createSecretsAccount } from './secrets-account.ts';

/** The shortest that STS gives: longer than any run. */
const SESSION_SECONDS = 900;

/** Errors of STS that mean: the role does not let the vault in (STS API Reference, "AssumeRole"). */
const REFUSALS: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException']);

/**
 * The `CustomerSecrets` port on AWS STS and Secrets Manager. A session in a customer's account has the workspace's id as its
 * external id, and a policy of its own: whatever the role may do besides, the session reaches the workspace's names alone.
 * In the vault's own account, the rights of the function's role count.
 */
export function createCustomerSecrets(site: SyncSite): CustomerSecrets {
  return {
    async open(target) {
      const { roleArn, region, workspaceId } = target;
      const session =
        roleArn === undefined
          ? {}
          : { credentials: await sessionFor(roleArn, workspaceId, sessionPolicy(site, target), workspaceId) };
      return secretsAccount(region, session);
    },

    async letsIn(roleArn, externalId) {
      try {
        // A session that may do nothing: all there is to learn is whether there is one.
        await sessionFor(roleArn, externalId, NOTHING, 'proof');
        return true;
      } catch (error) {
        if (error instanceof CopyRefused && error.fault === 'role_refused') return false;
        throw error;
      }
    },
  };
}

const NOTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});

function sessionPolicy(site: SyncSite, target: SyncTarget): string {
  const place = { accountId: targetAccount(site, target), region: target.region };
  return JSON.stringify(copyPolicy(site, target.workspaceId, place));
}

async function secretsAccount(
  region: string,
  session: { readonly credentials?: SessionCredentials },
): Promise<SecretsAccount> {
  // Loaded here, because most requests need no secret of Secrets Manager, and loading this client takes long.
  const sdk = await import('@aws-sdk/client-secrets-manager');
  const client: SecretsManagerClient = new sdk.SecretsManagerClient({ ...CLIENT_CONFIG, region, ...session });
  return createSecretsAccount(sdk, client);
}

interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

async function sessionFor(
  roleArn: string,
  externalId: string | undefined,
  policy: string,
  name: string,
): Promise<SessionCredentials> {
  const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts');
  const client = new STSClient(CLIENT_CONFIG);
  try {
    const { Credentials: credentials } = await client.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        // Shown in the customer's CloudTrail.
        RoleSessionName: `lockzero-${name}`,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
        Policy: policy,
        DurationSeconds: SESSION_SECONDS,
      }),
    );
    return readCredentials(credentials);
  } catch (error) {
    throw error instanceof CopyRefused ? error : translated(error);
  } finally {
    client.destroy();
  }
}

function readCredentials(credentials: Credentials | undefined): SessionCredentials {
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
  } = credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw new CopyRefused('unavailable', 'The token service gave an answer without credentials. Try again.');
  }
  return { accessKeyId, secretAccessKey, sessionToken };
}

function translated(cause: unknown): CopyRefused {
  const name = errorName(cause);
  const fault: SyncFault = REFUSALS.has(name) ? 'role_refused' : 'unavailable';
  return new CopyRefused(
    fault,
    fault === 'role_refused'
      ? 'The role does not let the vault in.'
      : 'The token service does not answer right now. Try again.',
    cause,
  );
}
