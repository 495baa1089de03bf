import type { PostureCheck } from '../check.ts';
import { isWithoutPeople } from '../facts.ts';

export const singleOwner: PostureCheck = {
  name: 'single_owner',
  title: 'The workspace has fewer than two owners',
  advice:
    'Give a second person the role owner: if the only one is away or locked out, nobody can act for the workspace.',
  severity: 'medium',
  dueDays: 30,
  fault: ({ members }) =>
    members.owner > 1 || isWithoutPeople({ members })
      ? undefined
      : `${members.owner === 1 ? 'One person is' : 'Nobody is'} an owner of the workspace.`,
};
