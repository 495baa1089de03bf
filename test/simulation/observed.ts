import type { Answer, Exchange } from './evidence.ts';
import type { Facts, Holder, View } from './facts.ts';
import type { SecretState, WorkspaceModel } from './model.ts';

/** An answered request of somebody who is known, with the model of the workspace. */
export interface Observed {
  readonly facts: Facts;
  readonly model: WorkspaceModel;
  readonly holder: Holder;
  readonly exchange: Exchange;
  readonly answer: Answer;
  readonly start: number;
  readonly end: number;
  readonly fail: (problem: string) => void;
}

/** Whether an answer's metadata of a secret is this state. */
export function isShown(view: View, state: SecretState): boolean {
  const { purging: _purging, deletedAt, ...plain } = state;
  const {
    createdAt,
    updatedAt,
    valueUpdatedAt,
    restorableUntil,
    deletedAt: shownDeletedAt,
    ...shown
  } = view as object as { readonly [name: string]: unknown };
  const names = new Set([...Object.keys(plain), ...Object.keys(shown)]);
  const isSame = [...names].every(
    (name) => JSON.stringify(shown[name]) === JSON.stringify(plain[name as keyof typeof plain]),
  );
  return isSame && (shownDeletedAt === undefined) === (deletedAt === undefined);
}
