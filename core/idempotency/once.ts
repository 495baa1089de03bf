import { createHash } from 'node:crypto';
import * as z from 'zod';
import { originOf, type RequestContext } from '../access/principal.ts';
import type { Action } from '../audit/event.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { type DerivedKeys, hmacHex } from '../crypto/derived-keys.ts';
import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import { type Change, create, type Kind, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';

/** Remembers for a day that a request was carried out, and what it made. Never its body: only a keyed hash of it. */
const idempotencySchema = z.strictObject({
  kind: z.literal('idempotency'),
  workspaceId: z.string(),
  /** A hash of principal, route and the client's key. */
  id: z.string(),
  revision: z.int().min(1),
  /** HMAC-SHA-256 of the input, under a key derived for this purpose. */
  inputHmac: z.string(),
  hmacKeyId: z.string(),
  resourceId: z.string(),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type IdempotencyRecord = z.infer<typeof idempotencySchema>;

export const idempotencyKind: Kind<IdempotencyRecord> = {
  name: 'idempotency',
  schema: idempotencySchema,
  expiry: (record) => record.expiresAt,
};

export interface IdempotencyParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly derivedKeys: DerivedKeys;
}

interface Request {
  /** Method and path; the same client key on another route is another request. */
  readonly route: string;
  readonly action: Action;
  readonly entityType: string;
  readonly input: object;
}

interface Ways<T> {
  /** Answers again with what an earlier, equal request made. */
  readonly replay: (resourceId: string) => Promise<T>;
  /** Does the work; its commit must contain the changes that `record` gives for the id of what is made. */
  readonly perform: (record: (resourceId: string) => Change[]) => Promise<T>;
}

/**
 * Carries out a creating request at most once for each `Idempotency-Key`. The record is a conditional put in the same
 * transaction as the work itself, so of two equal requests one commits, and the other finds its record and replays.
 *
 * @throws VaultError `idempotency_key_reused` when the key was used with another input.
 */
export async function once<T>(
  parts: IdempotencyParts,
  context: RequestContext,
  request: Request,
  ways: Ways<T>,
): Promise<T> {
  if (context.idempotencyKey === undefined) return ways.perform(() => []);
  const { workspaceId } = context.principal;
  const id = recordId(context, request.route, context.idempotencyKey);
  const replay = async (record: IdempotencyRecord): Promise<T> => {
    await refuseOtherInput(parts.derivedKeys, record, request.input);
    const result = await ways.replay(record.resourceId);
    await parts.trail.commit(originOf(context), [
      {
        action: request.action,
        entity: { type: request.entityType, id: record.resourceId },
        result: 'success',
        detail: { replayed: 'true' },
      },
    ]);
    return result;
  };

  const alive = (record: IdempotencyRecord | undefined): record is IdempotencyRecord =>
    record !== undefined && record.expiresAt > parts.clock.now();
  const earlier = await parts.store.get(idempotencyKind, workspaceId, id);
  if (alive(earlier)) return replay(earlier);
  const proof = await inputProof(parts.derivedKeys, request.input);
  try {
    return await ways.perform((resourceId) => {
      const content = { ...proof, resourceId, expiresAt: parts.clock.now() + DAY_MS };
      // The table forgets expired records at its leisure, so one may still lie there: write over it.
      return [
        earlier === undefined
          ? create(idempotencyKind, { workspaceId, id, ...content })
          : update(idempotencyKind, earlier, content),
      ];
    });
  } catch (error) {
    // An equal request may have won the race, or this one took effect although its answer was lost.
    const concurrent =
      error instanceof VaultError ? await parts.store.get(idempotencyKind, workspaceId, id) : undefined;
    if (!alive(concurrent)) throw error;
    return replay(concurrent);
  }
}

/** The record's id for one client key: a hash, so that the client may put anything into the key. */
export function recordId({ principal }: RequestContext, route: string, idempotencyKey: string): string {
  const text = canonicalJson([principal.workspaceId, principal.id, route, idempotencyKey]);
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** What proves later that an input is the same, without keeping it. */
export interface InputProof {
  readonly inputHmac: string;
  readonly hmacKeyId: string;
}

export async function inputProof(derivedKeys: DerivedKeys, input: object): Promise<InputProof> {
  const { keyId, key } = await derivedKeys.current('idempotency');
  return { inputHmac: hmacHex(key, inputText(input)), hmacKeyId: keyId };
}

/** @throws VaultError `idempotency_key_reused` */
export async function refuseOtherInput(
  derivedKeys: DerivedKeys,
  proof: InputProof,
  input: object,
): Promise<void> {
  const derived = await derivedKeys.byId('idempotency', proof.hmacKeyId);
  if (derived === undefined || hmacHex(derived.key, inputText(input)) !== proof.inputHmac) {
    throw new VaultError(
      'idempotency_key_reused',
      'This Idempotency-Key was used with another request. Use a new key for a new request.',
    );
  }
}

/** The input as canonical JSON, without the members that are `undefined`. */
function inputText(input: object): string {
  return canonicalJson(JSON.parse(JSON.stringify(input)) as Json);
}
