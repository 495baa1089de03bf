import { rewrapValue } from '../crypto/envelope.ts';
import type { KeyService } from '../crypto/key-service.ts';
import { concurrently } from '../kernel/concurrently.ts';
import type { Change } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { WrappedValue } from './wrapped-value.ts';

/** Calls to the key service at the same time. */
const WIDTH = 10;
/** A key that refused so many values one after the other is asked for no other one in this run. */
const MAX_REFUSALS = 20;

/** How often each key refused a value since it last moved one, by ARN. */
export type Refusals = Map<string, number>;

export interface Rewrapped {
  readonly changes: readonly Change[];
  /** What cannot be moved: the keys refuse it, or its wrapped key is damaged. */
  readonly blocked: readonly WrappedValue[];
  /** The key service did not answer: there are values of which nothing is known. */
  readonly failure?: VaultError;
}

/**
 * Has the key service put the data keys of some values under another key: one `kms:ReEncrypt` for each, and no plaintext.
 * Nothing is stored: until its change is committed, a value lies under its former key, which goes on working. A crash
 * leaves nothing behind but calls that have to be made again.
 */
export async function rewrapValues(
  keys: Pick<KeyService, 'reEncrypt'>,
  values: readonly WrappedValue[],
  keyArn: string,
  refusals: Refusals,
): Promise<Rewrapped> {
  const outcomes = await concurrently(values, WIDTH, async (value) => {
    const { keyArn: from } = value.envelope;
    if ((refusals.get(from) ?? 0) >= MAX_REFUSALS) return { blocked: value };
    try {
      const { wrappedKey } = await rewrapValue(keys, value.name, value.envelope, keyArn);
      refusals.delete(from);
      return { change: value.under({ wrappedKey, keyArn }) };
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      if (error.code === 'unavailable') return { failure: error };
      // A damaged value says nothing about its key.
      if (error.code === 'key_unavailable') refusals.set(from, (refusals.get(from) ?? 0) + 1);
      return { blocked: value };
    }
  });
  const failure = outcomes.find((outcome) => outcome.failure !== undefined)?.failure;
  return {
    changes: outcomes.flatMap(({ change }) => change ?? []),
    blocked: outcomes.flatMap(({ blocked }) => blocked ?? []),
    ...(failure === undefined ? {} : { failure }),
  };
}
