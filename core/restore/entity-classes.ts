/**
 * What a kind means for access, which decides what becomes of an entity that does not stand as its rows say. A kind that
 * is not named here holds data.
 */
export type EntityClass =
  /** Opens something: in doubt it is closed. */
  | 'opens'
  /** Keeps something closed: in doubt it is kept, and if it is gone, made again. */
  | 'closes'
  /** Remembers a request for a while: in doubt it goes. */
  | 'passing'
  /** What tenants store and set: in doubt it is kept, and the trail says what was lost. */
  | 'data';

const CLASSES: { readonly [kind: string]: EntityClass } = {
  apiKey: 'opens',
  session: 'opens',
  refreshToken: 'opens',
  mfaChallenge: 'opens',
  passwordReset: 'opens',
  invitation: 'opens',
  authorizationCode: 'opens',
  membership: 'opens',
  user: 'opens',
  // A second factor closes the way to whoever has the password alone, but an old one opens it to whoever has that.
  mfa: 'opens',
  // It sends the trail to wherever it says.
  webhook: 'opens',
  // It copies values to wherever it says.
  secretsSync: 'opens',
  endedLogin: 'closes',
  usedSetupToken: 'closes',
  setupAttempt: 'closes',
  installation: 'closes',
  idempotency: 'passing',
  importJob: 'passing',
  sweepMark: 'passing',
};

export function classOf(kind: string): EntityClass {
  return CLASSES[kind] ?? 'data';
}
