import { randomUUID } from 'node:crypto';
import type { StandIn, WireRequest, WireResponse } from '../stand-in.ts';
import type { TrailRecord, TrailWriter } from './trail-writer.ts';

export interface RecordOptions {
  readonly trail: Pick<TrailWriter, 'record'>;
  readonly region: string;
  readonly accountId: string;
  /** The name of the role that the functions have; whoever shows another access key than `local` is a user of that name. */
  readonly roleName: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The access key that the functions show on a laptop. */
const FUNCTIONS_KEY = 'local';
const TARGET = /^TrentService\.(Decrypt|ReEncrypt)$/;

type Json = Readonly<Record<string, unknown>>;

/** The KMS stand-in, with a record of each `Decrypt` and `ReEncrypt`, refused ones included, as CloudTrail has them. */
export function recordKeyCalls(kms: StandIn, options: RecordOptions): StandIn {
  return async (request) => {
    const eventName = TARGET.exec(request.headers['x-amz-target'] ?? '')?.[1];
    const response = await kms(request);
    if (eventName !== undefined) options.trail.record(recordOf(eventName, request, response, options));
    return response;
  };
}

function recordOf(
  eventName: string,
  request: WireRequest,
  response: WireResponse,
  options: RecordOptions,
): TrailRecord {
  const input = parse(request.body);
  const output = parse(response.body);
  const isRefused = response.status !== 200;
  const { region, accountId } = options;
  const arns = isRefused
    ? [input['SourceKeyId'] ?? input['KeyId'], input['DestinationKeyId']]
    : [output['SourceKeyId'], output['KeyId']];
  return {
    eventVersion: '1.11',
    eventID: randomUUID(),
    // To the second, without its fraction.
    eventTime: `${new Date(options.now()).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName,
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    managementEvent: true,
    readOnly: true,
    awsRegion: region,
    recipientAccountId: accountId,
    userIdentity: identityOf(request, options),
    requestParameters: parametersOf(eventName, input),
    responseElements: null,
    ...(isRefused ? { errorCode: output['__type'], errorMessage: output['message'] } : {}),
    resources: arns
      .filter((arn) => typeof arn === 'string')
      .map((ARN) => ({ accountId, type: 'AWS::KMS::Key', ARN })),
  };
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

/** Whoever signed the request, by the access key in its `Authorization` header (AWS Signature Version 4). */
function identityOf({ headers }: WireRequest, { accountId, roleName }: RecordOptions): Json {
  const accessKeyId =
    /Credential=([^/,\s]{1,128})\//.exec(headers['authorization'] ?? '')?.[1] ?? 'anonymous';
  if (accessKeyId !== FUNCTIONS_KEY) {
    const arn = `arn:aws:iam::${accountId}:user/${accessKeyId}`;
    return { type: 'IAMUser', arn, accountId, accessKeyId, userName: accessKeyId };
  }
  const issuer = `arn:aws:iam::${accountId}:role/${roleName}`;
  return {
    type: 'AssumedRole',
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/local`,
    accountId,
    accessKeyId,
    sessionContext: { sessionIssuer: { type: 'Role', arn: issuer, accountId, userName: roleName } },
  };
}

function parse(body: string | Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}
