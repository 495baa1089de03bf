import type { AuditTrail } from '../audit/trail.ts';
import type { DerivedKeys } from '../crypto/derived-keys.ts';
import type { KeyService } from '../crypto/key-service.ts';
import type { DeploymentKeys } from '../encryption-keys/wrapping-key.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { AccessTokenParts } from './access-token.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import type { BreachedPasswords } from './breached-passwords.ts';
import type { MailSender } from './mail.ts';
import type { PasswordHasher } from './passwords.ts';

/** What the use cases around people work with; each takes of it what it needs. */
export interface IdentityParts extends AccessTokenParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  readonly bookkeeping: Bookkeeping;
  readonly derivedKeys: DerivedKeys;
  readonly keys: KeyService;
  readonly deploymentKeys: DeploymentKeys;
  readonly hasher: PasswordHasher;
  readonly breached: BreachedPasswords;
  readonly mail: MailSender;
}
