import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import type { KeyCall } from '../core/reconciliation/key-calls.ts';

const KMS = 'kms.amazonaws.com';
const OPERATIONS = ['Decrypt', 'ReEncrypt'] as const;
const OPERATION_NAMES: ReadonlySet<unknown> = new Set(OPERATIONS);
/** CloudTrail's files have a few megabytes; what unpacks to more than this is none of them. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
const MAX_PRINCIPAL = 300;
const MAX_ERROR = 100;

const text = z.string();
const context = z.record(text, text).nullish();

/** As far as it is looked at (CloudTrail User Guide, "CloudTrail record contents"; KMS Developer Guide, "Decrypt"). */
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
  requestParameters: z.object({ encryptionContext: context, sourceEncryptionContext: context }).nullish(),
});

type TrailRecord = z.infer<typeof recordSchema>;

/** What every record has, of whatever service. */
const headSchema = z.object({ eventSource: text, eventName: text });
const keysSchema = z.object({
  requestParameters: z.object({ keyId: z.unknown().optional() }).nullish(),
  resources: z.array(z.object({ ARN: z.unknown().optional() })).nullish(),
});

/**
 * The calls on a key in one log file of CloudTrail: gzip over JSON, `{"Records": […]}`.
 *
 * @returns whether the file, or a record in it that may be such a call, cannot be read.
 */
export function readTrailFile(
  bytes: Uint8Array,
  keyArn: string,
): { readonly calls: readonly KeyCall[]; readonly isDamaged: boolean } {
  const records = unpack(bytes);
  if (records === undefined) return { calls: [], isDamaged: true };
  const calls: KeyCall[] = [];
  let isDamaged = false;
  for (const record of records) {
    const head = headSchema.safeParse(record);
    if (head.success && !isKeyCall(head.data)) continue;
    const keys = keysSchema.safeParse(record);
    if (head.success && keys.success && !isOnKey(keys.data, keyArn)) continue;
    const call = head.success && keys.success ? recordSchema.safeParse(record) : undefined;
    if (call?.success) calls.push(toCall(call.data));
    else isDamaged = true;
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

/**
 * A refused call may name the key in its parameters alone, by ARN or by id. Of a `ReEncrypt`, both keys are among the
 * resources.
 */
function isOnKey({ requestParameters, resources }: z.infer<typeof keysSchema>, keyArn: string): boolean {
  const names: readonly unknown[] = [keyArn, keyArn.slice(keyArn.lastIndexOf('/') + 1)];
  return names.includes(requestParameters?.keyId) || (resources ?? []).some(({ ARN }) => ARN === keyArn);
}

function toCall(record: TrailRecord): KeyCall {
  const { eventID, eventTime, eventName, errorCode, requestParameters } = record;
  const { encryptionContext, sourceEncryptionContext } = requestParameters ?? {};
  return {
    eventId: eventID,
    at: Date.parse(eventTime),
    operation: eventName,
    principal: principalOf(record),
    context: (eventName === 'Decrypt' ? encryptionContext : sourceEncryptionContext) ?? {},
    ...(typeof errorCode === 'string' ? { errorCode: bounded(errorCode, MAX_ERROR) } : {}),
  };
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
