import { type PostureCheck, sentence } from '../check.ts';

export const ownersWithoutMfa: PostureCheck = {
  name: 'owners_without_mfa',
  title: 'Owners have no second factor',
  advice:
    'Have each of these owners set up a second factor, or give them a lower role. A password alone opens all.',
  severity: 'high',
  dueDays: 7,
  fault: ({ members: { ownersWithoutMfa: owners } }) =>
    owners.count === 0
      ? undefined
      : sentence(owners, 'owner has no second factor', 'owners have no second factor'),
};
