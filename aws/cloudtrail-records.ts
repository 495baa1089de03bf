import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import type { KeyCall } from '../core/reconciliation/key-calls.ts';
import { valueOfContext } from '../core/reconciliation/opened-value.ts';

const KMS = 'kms.amazonaws.com';
const OPERATIONS = ['Decrypt', 'ReEncrypt'] as const;
const OPERATION_NAMES: ReadonlySet<unknown> = new Set(OPERATIONS);
/** CloudTrail's files have a few megabytes; what unpacks to more than this is none of them. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
const MAX_PRINCIPAL = 300;
const MAX_KEY = 300;
const MAX_ERROR = 100;

const text = z.string();
const context = z.record(text, text).nullish();

/**
 * As far as it is looked at (CloudTrail User Guide, "CloudTrail record contents"; KMS Developer Guide, "Decrypt" and
 * "ReEncrypt"). The resources of a `ReEncrypt` are its two keys, the source first.
 */
const recordSchema = z.object({
  eventID: text.regex(/^[0-9A-Za-z-]{1,64}$/),
  eventTime: z.iso.datetime(),
  eventName: z.enum(OPERATIONS),
  errorCode: text.nullish(),
  userIdentity: z.object({
    type: text.nullish(),
    arn: text.nullish(),
    accountId: text.nullish(),
    invokedBy: text.nullish(),
    sessionContext: z.object({ sessionIssuer: z.object({ arn: text.nullish() }).nullish() }).nullish(),
  }),
  requestParameters: z
    .object({
      keyId: text.nullish(),
      encryptionContext: context,
      sourceKeyId: text.nullish(),
      sourceEncryptionContext: context,
      destinationKeyId: text.nullish(),
      destinationEncryptionContext: context,
    })
    .nullish(),
  resources: z.array(z.object({ ARN: text.nullish() })).nullish(),
});

type TrailRecord = z.infer<typeof recordSchema>;

/** What every record has, of whatever service. */
const headSchema = z.object({ eventSource: text, eventName: text });

/**
 * The calls in one log file of CloudTrail that are on one of these keys, or name a value of the vault: gzip over JSON,
 * `{"Records": […]}`.
 *
 * @returns whether the file, or a record in it that may be such a call, cannot be read.
 */
export function readTrailFile(
  bytes: Uint8Array,
  keyArns: readonly string[],
): { readonly calls: readonly KeyCall[]; readonly isDamaged: boolean } {
  const records = unpack(bytes);
  if (records === undefined) return { calls: [], isDamaged: true };
  const names: ReadonlySet<unknown> = new Set(keyArns.flatMap((arn) => [arn, keyIdOf(arn)]));
  const calls: KeyCall[] = [];
  let isDamaged = false;
  for (const record of records) {
    const head = headSchema.safeParse(record);
    if (head.success && !isKeyCall(head.data)) continue;
    const read = head.success ? recordSchema.safeParse(record) : undefined;
    if (read?.success !== true) {
      isDamaged = true;
      continue;
    }
    const call = toCall(read.data);
    if (isOnKey(read.data, names) || isOnValue(call)) calls.push(call);
  }
  return { calls, isDamaged };
}

function unpack(bytes: Uint8Array): readonly unknown[] | undefined {
  try {
    const json = gunzipSync(bytes, { maxOutputLength: MAX_FILE_BYTES }).toString('utf8');
    return z.object({ Records: z.array(z.unknown()) }).parse(JSON.parse(json)).Records;
  } catch {
    return undefined;
  }
}

function isKeyCall({ eventSource, eventName }: z.infer<typeof headSchema>): boolean {
  return eventSource === KMS && OPERATION_NAMES.has(eventName);
}

/** A refused call may name its keys in its parameters alone, by ARN or by id. */
function isOnKey({ requestParameters, resources }: TrailRecord, names: ReadonlySet<unknown>): boolean {
  const { keyId, sourceKeyId, destinationKeyId } = requestParameters ?? {};
  const named = [keyId, sourceKeyId, destinationKeyId, ...(resources ?? []).map(({ ARN }) => ARN)];
  return named.some((name) => names.has(name));
}

/** Whatever the key: only the vault makes such contexts, so this takes a value, or plants one. */
function isOnValue({ context: source, destination }: KeyCall): boolean {
  return [source, destination?.context ?? {}].some((each) => valueOfContext(each) !== undefined);
}

function toCall(record: TrailRecord): KeyCall {
  const { eventID, eventTime, eventName, errorCode, requestParameters } = record;
  const { encryptionContext, sourceEncryptionContext, destinationEncryptionContext } =
    requestParameters ?? {};
  const call = {
    eventId: eventID,
    at: Date.parse(eventTime),
    principal: principalOf(record),
    ...(typeof errorCode === 'string' ? { errorCode: bounded(errorCode, MAX_ERROR) } : {}),
  };
  if (eventName === 'Decrypt') return { ...call, operation: 'Decrypt', context: encryptionContext ?? {} };
  return {
    ...call,
    operation: 'ReEncrypt',
    context: sourceEncryptionContext ?? {},
    destination: { keyArn: destinationOf(record), context: destinationEncryptionContext ?? {} },
  };
}

/** As the caller named it, which is by ARN if it was the vault; a bare id becomes the ARN that the resources have for it. */
function destinationOf({ requestParameters, resources }: TrailRecord): string {
  const name = requestParameters?.destinationKeyId ?? '';
  const arns = (resources ?? []).map(({ ARN }) => ARN ?? '');
  return bounded(arns.find((arn) => name !== '' && keyIdOf(arn) === name) ?? name, MAX_KEY);
}

function keyIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** The role of whoever assumed one, which stays the same from session to session. */
function principalOf({ userIdentity }: TrailRecord): string {
  const { type, arn, accountId, invokedBy, sessionContext } = userIdentity;
  const name = sessionContext?.sessionIssuer?.arn ?? arn ?? invokedBy;
  return bounded(name ?? `${type ?? 'unknown'} ${accountId ?? ''}`.trim(), MAX_PRINCIPAL);
}

function bounded(long: string, maximum: number): string {
  return long.slice(0, maximum).toWellFormed();
}
