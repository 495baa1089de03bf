import { randomUUID } from 'node:crypto';
import { type Caller, callerOf } from '../kms/caller.ts';
import type { StandIn, WireRequest, WireResponse } from '../stand-in.ts';
import type { TrailRecord, TrailWriter } from './trail-writer.ts';

export interface RecordOptions {
  readonly trail: Pick<TrailWriter, 'record'>;
  readonly region: string;
  /** The account whose trail it is. */
  readonly accountId: string;
  /** The name of the role that the functions have. */
  readonly roleName: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const TARGET = /^TrentService\.(Decrypt|ReEncrypt)$/;

type Json = Readonly<Record<string, unknown>>;

/**
 * The KMS stand-in, with a record of each `Decrypt` and `ReEncrypt` as the trail of one account has them: all calls of its
 * principals, refused ones and those on keys of others included, and what others did with its keys; not what they were
 * refused (KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail").
 */
export function recordKeyCalls(kms: StandIn, options: RecordOptions): StandIn {
  return async (request) => {
    const eventName = TARGET.exec(request.headers['x-amz-target'] ?? '')?.[1];
    const response = await kms(request);
    if (eventName === undefined) return response;
    const call = toCall(eventName, request, response, options);
    if (concerns(call, options.accountId)) options.trail.record(recordOf(call, options));
    return response;
  };
}

interface Call {
  readonly eventName: string;
  readonly caller: Caller;
  readonly input: Json;
  readonly output: Json;
  readonly isRefused: boolean;
  /** Of the keys, as far as they are known by their ARNs. Of a `ReEncrypt`, the source comes first. */
  readonly arns: readonly string[];
}

function toCall(
  eventName: string,
  request: WireRequest,
  response: WireResponse,
  options: RecordOptions,
): Call {
  const input = parse(request.body);
  const output = parse(response.body);
  const isRefused = response.status !== 200;
  const names = isRefused
    ? [input['SourceKeyId'] ?? input['KeyId'], input['DestinationKeyId']]
    : [output['SourceKeyId'], output['KeyId']];
  const arns = names.filter((name) => typeof name === 'string').filter((name) => name.startsWith('arn:'));
  return { eventName, caller: callerOf(request, options), input, output, isRefused, arns };
}

function concerns({ caller, isRefused, arns }: Call, accountId: string): boolean {
  return caller.accountId === accountId || (!isRefused && arns.some((arn) => accountOf(arn) === accountId));
}

function recordOf(call: Call, { region, accountId, now }: RecordOptions): TrailRecord {
  const { eventName, caller, input, output, isRefused, arns } = call;
  return {
    eventVersion: '1.11',
    eventID: randomUUID(),
    // To the second, without its fraction.
    eventTime: `${new Date(now()).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName,
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    managementEvent: true,
    readOnly: true,
    awsRegion: region,
    recipientAccountId: accountId,
    userIdentity: identityOf(caller, accountId),
    requestParameters: parametersOf(eventName, input),
    responseElements: null,
    ...(isRefused ? { errorCode: errorCodeOf(output['__type']), errorMessage: output['message'] } : {}),
    resources: arns.map((ARN) => ({ accountId: accountOf(ARN), type: 'AWS::KMS::Key', ARN })),
  };
}

/** What answers call AccessDeniedException, CloudTrail calls AccessDenied. */
function errorCodeOf(type: unknown): unknown {
  return type === 'AccessDeniedException' ? 'AccessDenied' : type;
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

/** The ciphertext is none of a record's business. */
function parametersOf(eventName: string, input: Json): Json {
  if (eventName === 'Decrypt') {
    return {
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      keyId: input['KeyId'],
      encryptionContext: input['EncryptionContext'],
    };
  }
  return {
    sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    sourceKeyId: input['SourceKeyId'],
    sourceEncryptionContext: input['SourceEncryptionContext'],
    destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    destinationKeyId: input['DestinationKeyId'],
    destinationEncryptionContext: input['DestinationEncryptionContext'],
  };
}

/** Of a caller from elsewhere, the trail of a key's account has no more than whose they are. */
function identityOf({ type, arn, accountId, accessKeyId, principalArn }: Caller, trailAccount: string): Json {
  if (accountId !== trailAccount) return { type: 'AWSAccount', principalId: accountId, accountId };
  const identity = { type, arn, accountId, accessKeyId };
  const name = principalArn.slice(principalArn.lastIndexOf('/') + 1);
  switch (type) {
    case 'Root':
      return identity;
    case 'IAMUser':
      return { ...identity, userName: name };
    case 'AssumedRole': {
      const sessionIssuer = { type: 'Role', arn: principalArn, accountId, userName: name };
      return { ...identity, sessionContext: { sessionIssuer } };
    }
  }
}

function parse(body: string | Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}
