import type { PostureCheck } from '../check.ts';

export const secretsUnchanged: PostureCheck = {
  name: 'secrets_unchanged',
  title: 'Secrets were not changed for a year',
  advice: 'Rotate them: the longer a value is in use, the more places have a copy.',
  severity: 'low',
  dueDays: 90,
  fault: ({ secrets: { unchangedForYear, active } }) =>
    unchangedForYear === 0
      ? undefined
      : `The value of ${unchangedForYear} of ${active} secrets was not changed for 365 days.`,
};
