import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditEvent } from '../audit/event.ts';
import { OpeningFailed } from '../crypto/key-service.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { type ErrorCode, invalid, VaultError } from '../kernel/errors.ts';
import { findVersion } from './find-secret.ts';
import {
  type DecryptedText,
  decrypt,
  type OpenedVersion,
  openEvent,
  openFailed,
  openRetried,
  tellOfDecoy,
} from './open-version.ts';
import type { ValueParts } from './parts.ts';
import type { RevealedSecret } from './reveal-secret.ts';
import { selectSecrets } from './select-secrets.ts';

/** Limits of one bulk reveal: secrets, and bytes of all their values together. */
export const MAX_BULK_SECRETS = 50;
export const MAX_BULK_BYTES = 4 * 1024 * 1024;
const WIDTH = 10;

export interface BulkReveal {
  readonly items: readonly RevealedSecret[];
  /** The secrets that could not be revealed, each with the reason. */
  readonly errors: readonly { readonly id: string; readonly code: ErrorCode; readonly detail: string }[];
}

/**
 * The values of many secrets, named by ids or by their namespace. Each gets an audit row of its own, and all rows
 * stand before the first value is decrypted. One secret's fault does not keep the others back. Each decoy among them
 * raises an alert of its own meanwhile.
 */
export async function revealSecrets(
  parts: ValueParts,
  context: RequestContext,
  input: { readonly ids: readonly string[] } | { readonly namespace: string },
): Promise<BulkReveal> {
  authorize(context.principal, 'secret:reveal', 'namespace' in input ? input.namespace : undefined);
  const ids = 'ids' in input ? [...new Set(input.ids)] : await idsIn(parts, context, input.namespace);

  const looked = await concurrently(ids, WIDTH, (id) =>
    outcome(() => findVersion(parts.store, context, 'secret:reveal', id)),
  );
  const found = looked.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const size = found.reduce((bytes, { version }) => bytes + version.ciphertext.length, 0);
  if (size > MAX_BULK_BYTES) {
    throw invalid(
      '',
      `these secrets have ${size} bytes together, more than the ${MAX_BULK_BYTES} of one answer`,
    );
  }
  const events = found.map((version) => openEvent(version, 'secret.revealed'));
  const [, ...positions] = await parts.trail.commit(originOf(context), [
    summary(context, found.length, ids.length),
    ...events,
    ...looked.flatMap(({ error }, index) =>
      error === undefined ? [] : [refusedEvent(ids[index] ?? '', error)],
    ),
  ]);

  const telling = found.map(async (version, index) => {
    const event = events[index];
    if (event !== undefined) await tellOfDecoy(parts, context, version, event, positions[index]);
  });
  const decrypted = await concurrently(found, WIDTH, (version) => outcome(() => decrypt(parts, version)));
  await Promise.all(telling);
  const opened = fitted(decrypted);
  const failures = found.flatMap((version, index) => {
    const error = opened[index]?.error;
    return error === undefined ? [] : [{ version, error }];
  });
  const afterwards = [
    ...failures.map(({ version, error }) => openFailed(version, 'secret.revealed', error)),
    ...found.flatMap((version, index) => openRetried(version, opened[index]?.value?.attempts ?? 1)),
  ];
  if (afterwards.length > 0) await parts.trail.commit(originOf(context), afterwards);
  return {
    items: found.flatMap((version, index) => revealed(version, opened[index]?.value?.value)),
    errors: [
      ...looked.flatMap(({ error }, index) =>
        error === undefined ? [] : [{ id: ids[index] ?? '', ...problem(error) }],
      ),
      ...failures.map(({ version, error }) => ({ id: version.secret.id, ...problem(error) })),
    ],
  };
}

/** Lambda answers with at most 6 MB: the body as a JSON string, so that its values are escaped twice. */
const MAX_ANSWER_BYTES = 5_500_000;

/** Holds back the values that would make the answer too long to be sent. */
function fitted(opened: readonly Outcome<DecryptedText>[]): readonly Outcome<DecryptedText>[] {
  let size = 0;
  return opened.map((one) => {
    if (one.value === undefined) return one;
    size += Buffer.byteLength(JSON.stringify(JSON.stringify(one.value.value)));
    if (size <= MAX_ANSWER_BYTES) return one;
    const detail = 'This value does not fit into the answer beside the others. Reveal it alone.';
    return { error: new OpeningFailed(new VaultError('payload_too_large', detail), one.value.attempts) };
  });
}

async function idsIn(
  { store }: ValueParts,
  { principal }: RequestContext,
  namespace: string,
): Promise<string[]> {
  const page = await selectSecrets(store, principal, { namespace }, { limit: MAX_BULK_SECRETS });
  if (page.next !== undefined) {
    throw invalid(
      'namespace',
      `holds more than ${MAX_BULK_SECRETS} secrets; list them and reveal them by "ids" in groups`,
    );
  }
  return page.items.map((secret) => secret.id);
}

function summary({ principal }: RequestContext, revealing: number, asked: number): AuditEvent {
  return {
    action: 'secret.bulk_revealed',
    entity: { type: 'workspace', id: principal.workspaceId },
    result: revealing === asked ? 'success' : 'failure',
    detail: { asked: String(asked), revealing: String(revealing) },
  };
}

function refusedEvent(id: string, { code }: VaultError): AuditEvent {
  return {
    action: 'secret.revealed',
    entity: { type: 'secret', id },
    result: code === 'forbidden' ? 'denied' : 'failure',
    detail: { code },
  };
}

function revealed({ secret, version }: OpenedVersion, value: string | undefined): RevealedSecret[] {
  return value === undefined ? [] : [{ secret, version: version.version, value }];
}

interface Outcome<T> {
  readonly value?: T;
  readonly error?: VaultError;
}

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof VaultError) return { error };
    throw error;
  }
}

function problem({ code, message }: VaultError): { readonly code: ErrorCode; readonly detail: string } {
  return { code, detail: message };
}
