import type { Answer, Exchange } from './evidence.ts';
import type { Facts, Holder, View } from './facts.ts';
import type { KeyState, SecretState, WorkspaceModel } from './model.ts';
import type { PeopleModel } from './model-people.ts';

/** An answered request of somebody who is known, with the model of the workspace. */
export interface Observed {
  readonly facts: Facts;
  readonly model: WorkspaceModel;
  readonly people: PeopleModel;
  readonly holder: Holder;
  readonly exchange: Exchange;
  readonly answer: Answer;
  readonly start: number;
  readonly end: number;
  readonly fail: (problem: string) => void;
}

/** What the caller may do; of a person, by the role that they have at that moment. */
export type Rights = Pick<KeyState, 'role' | 'namespaces'>;

export function rightsAt({ model, people, holder }: Observed, step: number): Rights | undefined {
  if (holder.type === 'api_key') return model.keys.at(holder.id, step);
  return rightsOf(people.roles.at(`${holder.workspaceId}/${holder.id}`, step));
}

/** All that the caller's rights were between two steps. */
export function rightsDuring({ model, people, holder, start, end }: Observed): (Rights | undefined)[] {
  if (holder.type === 'api_key') return model.keys.during(holder.id, start, end);
  return people.roles.during(`${holder.workspaceId}/${holder.id}`, start, end).map(rightsOf);
}

function rightsOf(role: string | undefined): Rights | undefined {
  return role === undefined ? undefined : { role, namespaces: ['*'] };
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
