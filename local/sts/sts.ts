import { randomBytes, randomUUID } from 'node:crypto';
import { openRecords, type Records } from '../json-records.ts';
import { type Caller, callerOf } from '../kms/caller.ts';
import { xmlElement, xmlText } from '../s3/xml.ts';
import { AwsError, type StandIn, toAwsError, type WireRequest, type WireResponse } from '../stand-in.ts';
import { allows, checkPolicy } from './policy.ts';
import { readRoleArn, sessionAccessKey, sessionToken } from './session.ts';

export interface StsOptions {
  /** Where the roles live. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The account of the vault, and the role of its functions. */
  readonly accountId: string;
  readonly roleName: string;
}

/** A role of somebody's account, with its policies as JSON. */
interface RoleRecord {
  readonly arn: string;
  readonly trustPolicy: string;
  readonly permissionsPolicy: string;
}

/** Of AssumeRole (STS API Reference): characters of a session policy, and seconds of a session. */
const MAX_POLICY_LENGTH = 2_048;
const SECONDS = { least: 900, most: 43_200, unlessSet: 3_600 };

type Operation = (params: URLSearchParams, caller: Caller) => string;

/**
 * A stand-in for AWS STS, and for what of IAM it needs: roles, which their accounts make, and `AssumeRole`, which judges
 * their trust policies. The credentials say account and role, and their token what the session may do. Roles are in one file.
 */
export function createSts(options: StsOptions): StandIn {
  const roles = openRecords<RoleRecord>(options.file, ({ arn }) => arn);
  return serveQueryProtocol(options, {
    AssumeRole: (params, caller) => assumeRole(roles, params, caller, options.now()),
    CreateRole: (params, caller) => {
      const arn = ownRoleArn(params, caller);
      if (roles.get(arn) !== undefined) {
        throw new AwsError('EntityAlreadyExists', `The role ${arn} already exists.`, 409);
      }
      roles.put({
        arn,
        trustPolicy: policyIn(params, 'AssumeRolePolicyDocument'),
        permissionsPolicy: NOTHING,
      });
      return xmlElement('Role', xmlText('Arn', arn));
    },
    UpdateAssumeRolePolicy: (params, caller) => {
      const role = findRole(roles, params, caller);
      roles.put({ ...role, trustPolicy: policyIn(params, 'PolicyDocument') });
      return '';
    },
    PutRolePolicy: (params, caller) => {
      const role = findRole(roles, params, caller);
      roles.put({ ...role, permissionsPolicy: policyIn(params, 'PolicyDocument') });
      return '';
    },
  });
}

const NOTHING = JSON.stringify({ Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] });

function assumeRole(
  roles: Records<RoleRecord>,
  params: URLSearchParams,
  { accountId, principalArn, arn: callerArn }: Caller,
  now: number,
): string {
  const roleArn = required(params, 'RoleArn');
  const sessionName = required(params, 'RoleSessionName', /^[\w+=,.@-]{2,64}$/);
  const { roleName } = readRoleArn(roleArn);
  const role = roles.get(roleArn);
  const call = {
    action: 'sts:AssumeRole',
    resource: roleArn,
    principal: { accountId, arn: principalArn },
    values: { 'aws:PrincipalArn': principalArn, 'sts:ExternalId': params.get('ExternalId') ?? undefined },
  };
  if (role === undefined || !allows(role.trustPolicy, call)) {
    const message = `User: ${callerArn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
    throw new AwsError('AccessDenied', message, 403);
  }
  const sessionPolicy = params.get('Policy');
  if (sessionPolicy !== null) {
    if (sessionPolicy.length > MAX_POLICY_LENGTH) {
      throw new AwsError('ValidationError', `Policy must have at most ${MAX_POLICY_LENGTH} characters.`);
    }
    checkPolicy(sessionPolicy);
  }
  const expiresAt = now + secondsIn(params) * 1_000;
  const policies = [role.permissionsPolicy, ...(sessionPolicy === null ? [] : [sessionPolicy])];
  const assumedArn = roleArn
    .replace(':iam:', ':sts:')
    .replace(`role/${roleName}`, `assumed-role/${roleName}`);
  return (
    xmlElement(
      'AssumedRoleUser',
      xmlText('AssumedRoleId', `AROA:${sessionName}`),
      xmlText('Arn', `${assumedArn}/${sessionName}`),
    ) +
    xmlElement(
      'Credentials',
      xmlText('AccessKeyId', sessionAccessKey(roleArn)),
      xmlText('SecretAccessKey', randomBytes(20).toString('hex')),
      xmlText('SessionToken', sessionToken({ roleArn, policies, expiresAt })),
      xmlText('Expiration', new Date(expiresAt).toISOString()),
    )
  );
}

function secondsIn(params: URLSearchParams): number {
  const seconds = Number(params.get('DurationSeconds') ?? SECONDS.unlessSet);
  if (Number.isInteger(seconds) && seconds >= SECONDS.least && seconds <= SECONDS.most) return seconds;
  throw new AwsError('ValidationError', `DurationSeconds must be from ${SECONDS.least} to ${SECONDS.most}.`);
}

/** Whoever makes or changes a role does so in their own account. */
function ownRoleArn(params: URLSearchParams, { accountId }: Caller): string {
  const arn = `arn:aws:iam::${accountId}:role/${required(params, 'RoleName')}`;
  readRoleArn(arn);
  return arn;
}

function findRole(roles: Records<RoleRecord>, params: URLSearchParams, caller: Caller): RoleRecord {
  const arn = ownRoleArn(params, caller);
  const role = roles.get(arn);
  if (role === undefined) throw new AwsError('NoSuchEntity', `The role ${arn} does not exist.`, 404);
  return role;
}

function policyIn(params: URLSearchParams, name: string): string {
  const policy = required(params, name);
  checkPolicy(policy);
  return policy;
}

function required(params: URLSearchParams, name: string, form = /./s): string {
  const value = params.get(name) ?? '';
  if (form.test(value)) return value;
  throw new AwsError('ValidationError', `${name} is missing, or not of its form.`);
}

/** Serves operations over the AWS query protocol: a form names the operation, and the answer is XML (Smithy, "awsQuery"). */
function serveQueryProtocol(
  options: StsOptions,
  operations: { readonly [name: string]: Operation },
): StandIn {
  return async (request: WireRequest): Promise<WireResponse> => {
    const requestId = randomUUID();
    try {
      const params = new URLSearchParams(request.body.toString('utf8'));
      const name = params.get('Action') ?? '';
      const run = Object.hasOwn(operations, name) ? operations[name] : undefined;
      if (run === undefined) {
        throw new AwsError('InvalidAction', `This stand-in has no operation "${name}".`);
      }
      const result = xmlElement(`${name}Result`, run(params, callerOf(request, options)));
      const metadata = xmlElement('ResponseMetadata', xmlText('RequestId', requestId));
      return toResponse(200, xmlElement(`${name}Response`, result, metadata));
    } catch (cause) {
      const { status, code, message } = toAwsError(cause);
      const type = xmlText('Type', status < 500 ? 'Sender' : 'Receiver');
      const error = xmlElement('Error', type, xmlText('Code', code), xmlText('Message', message));
      return toResponse(status, xmlElement('ErrorResponse', error, xmlText('RequestId', requestId)));
    }
  };
}

function toResponse(status: number, body: string): WireResponse {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
