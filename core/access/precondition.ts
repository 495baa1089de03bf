import type { Entity } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Precondition } from './principal.ts';

/**
 * Refuses a write whose precondition does not hold for the current state (RFC 9110 section 13.2.2).
 *
 * @param current the entity as it is, or `undefined` if there is none.
 * @throws VaultError `precondition_failed`
 */
export function checkPrecondition(precondition: Precondition | undefined, current: Entity | undefined): void {
  const { ifMatch, ifNoneMatch } = precondition ?? {};
  if (ifMatch !== undefined && !matches(ifMatch, current)) {
    throw failed(
      current === undefined
        ? 'If-Match names a revision, but there is nothing here yet.'
        : `This has changed: it is now at "v${current.revision}". Read it again, then retry with that ETag.`,
    );
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, current)) {
    throw failed('If-None-Match asks for a state that is not there: this exists already.');
  }
}

export function matches(revisions: readonly number[] | '*', current: Entity | undefined): boolean {
  if (current === undefined) return false;
  return revisions === '*' || revisions.includes(current.revision);
}

function failed(detail: string): VaultError {
  return new VaultError('precondition_failed', detail);
}
