import { callerOf, type VaultPrincipal } from '../kms/caller.ts';
import { AwsError, type WireRequest } from '../stand-in.ts';
import { allows } from './policy.ts';

/** What a session of a role may do, as its token carries it. No stand-in keeps secrets, so nothing signs it. */
export interface Session {
  readonly roleArn: string;
  /** The policy documents that all have to allow a call: the role's own, and the session's. */
  readonly policies: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Whoever calls a service, in which region, and what they may do there. */
export interface SessionCaller {
  readonly accountId: string;
  readonly region: string;
  /** Throws AccessDeniedException. */
  demand(action: string, resource: string): void;
}

/** What stands in the place of an access key: account and role. */
export function sessionAccessKey(roleArn: string): string {
  const { accountId, roleName } = readRoleArn(roleArn);
  return `session-${accountId}-${roleName}`;
}

export function sessionToken(session: Session): string {
  return Buffer.from(JSON.stringify(session)).toString('base64url');
}

const SCOPE = /Credential=[^/,\s]{1,128}\/\d{8}\/([a-z0-9-]{1,32})\//;

/**
 * Tells callers by the `Authorization` header and the session token (AWS Signature Version 4), whose signature no stand-in
 * verifies. What comes with a token has the rights of its session; anybody else has all rights in their own account. Throws
 * ExpiredTokenException.
 */
export function sessionCallerOf(
  request: WireRequest,
  vault: VaultPrincipal & { readonly region: string; readonly now: () => number },
): SessionCaller {
  const { accountId } = callerOf(request, vault);
  const region = SCOPE.exec(request.headers['authorization'] ?? '')?.[1] ?? vault.region;
  const token = request.headers['x-amz-security-token'];
  if (token === undefined) return { accountId, region, demand: () => undefined };
  const session = readSession(token);
  if (session.expiresAt <= vault.now()) {
    throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired.');
  }
  return {
    accountId: readRoleArn(session.roleArn).accountId,
    region,
    demand: (action, resource) => {
      if (session.policies.every((policy) => allows(policy, { action, resource, values: {} }))) return;
      throw new AwsError(
        'AccessDeniedException',
        `${session.roleArn} is not authorized to perform: ${action} on resource: ${resource}.`,
      );
    },
  };
}

function readSession(token: string): Session {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Session;
  } catch {
    throw new AwsError('UnrecognizedClientException', 'The security token is none of this stand-in.');
  }
}

/** The account and the name in the ARN of a role without a path. Throws ValidationError for any other text. */
export function readRoleArn(roleArn: string): { readonly accountId: string; readonly roleName: string } {
  const [, accountId, roleName] = /^arn:aws:iam::(\d{12}):role\/([\w+=.@-]{1,64})$/.exec(roleArn) ?? [];
  if (accountId !== undefined && roleName !== undefined) return { accountId, roleName };
  throw new AwsError('ValidationError', 'The ARN must be that of a role without a path.');
}
