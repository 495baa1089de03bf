import { type PostureCheck, sentence } from '../check.ts';

export const keysWithoutExpiry: PostureCheck = {
  name: 'keys_without_expiry',
  title: 'API keys never expire',
  advice:
    'Replace each of them by a key with an "expiresAt", and revoke it: a key that leaks works until somebody notices.',
  severity: 'medium',
  dueDays: 30,
  fault: ({ keys: { withoutExpiry } }) =>
    withoutExpiry.count === 0
      ? undefined
      : sentence(withoutExpiry, 'API key never expires', 'API keys never expire'),
};
