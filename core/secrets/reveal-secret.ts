import type { RequestContext } from '../access/principal.ts';
import { findVersion } from './find-secret.ts';
import { openRecorded } from './open-version.ts';
import type { ValueParts } from './parts.ts';
import type { Secret } from './secret.ts';

export interface RevealedSecret {
  readonly secret: Secret;
  readonly version: number;
  readonly value: string;
}

/** The value of a secret, by default the current version. Costs one read, one audit row and one `kms:Decrypt`. */
export async function revealSecret(
  parts: ValueParts,
  context: RequestContext,
  input: { readonly id: string; readonly version?: number | undefined },
): Promise<RevealedSecret> {
  const found = await findVersion(parts.store, context, 'secret:reveal', input.id, input.version);
  const value = await openRecorded(parts, context, found, 'secret.revealed');
  return { secret: found.secret, version: found.version.version, value };
}
