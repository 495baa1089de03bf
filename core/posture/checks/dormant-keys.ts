import { type PostureCheck, sentence } from '../check.ts';
import { DORMANT_DAYS } from '../key-use.ts';

export const dormantKeys: PostureCheck = {
  name: 'dormant_keys',
  title: 'API keys are not used',
  advice: 'Revoke those that nobody needs: a forgotten key is missed by nobody when it is stolen.',
  severity: 'medium',
  dueDays: 30,
  fault: ({ keys: { dormant } }) =>
    dormant.count === 0
      ? undefined
      : sentence(
          dormant,
          `API key was not used for ${DORMANT_DAYS} days`,
          `API keys were not used for ${DORMANT_DAYS} days`,
        ),
};
