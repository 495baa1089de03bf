import type { Envelope, ValueName } from '../crypto/envelope.ts';
import type { Change } from '../kernel/entity.ts';
import type { MigrationPosition } from './key-migration.ts';

/** The part of an envelope that a move to another key changes. */
export type Wrapping = Pick<Envelope, 'wrappedKey' | 'keyArn'>;

/** A sealed value that lies under another key than it should. */
export interface WrappedValue {
  readonly name: ValueName;
  readonly envelope: Envelope;
  /** The change that puts it under another key; refused if it was changed or removed since it was read. */
  readonly under: (wrapping: Wrapping) => Change;
}

/** What a walk finds at one place. */
export interface Found {
  readonly values: readonly WrappedValue[];
  /** Secrets or people that were looked at, with this place as the last one. */
  readonly looked: number;
  /** Ids of secrets of which the versions cannot be read. */
  readonly unreadable: readonly string[];
  /** Once all values found so far are dealt with, the walk goes on from here. */
  readonly position: MigrationPosition;
}
