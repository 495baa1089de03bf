import type { PostureCheck } from '../check.ts';
import { isWithoutPeople } from '../facts.ts';

export const mfaNotRequired: PostureCheck = {
  name: 'mfa_not_required',
  title: 'The workspace does not demand a second factor',
  advice: 'Let the policy of the workspace demand it: PATCH /workspace with "policy": {"requireMfa": true}.',
  severity: 'medium',
  dueDays: 30,
  fault: ({ requiresMfa, members }) => {
    if (requiresMfa || isWithoutPeople({ members })) return undefined;
    const { withoutMfa } = members;
    return `The policy demands no second factor; ${withoutMfa} ${withoutMfa === 1 ? 'member has' : 'members have'} none.`;
  },
};
