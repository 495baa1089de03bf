import { type PostureCheck, sentence } from '../check.ts';
import { isWithoutPeople } from '../facts.ts';

export const ownerKeys: PostureCheck = {
  name: 'owner_keys',
  title: 'API keys have the role owner',
  advice:
    'Give machines the least role that does, limited to their namespaces, and revoke these keys. Keys need no step-up.',
  severity: 'high',
  dueDays: 14,
  // Where there are no people, one key has to act for the workspace.
  fault: ({ keys: { owners }, members }) =>
    owners.count <= (isWithoutPeople({ members }) ? 1 : 0)
      ? undefined
      : sentence(owners, 'API key has the role owner', 'API keys have the role owner'),
};
