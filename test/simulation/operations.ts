import { accountOperations } from './operations-account.ts';
import { auditOperations } from './operations-audit.ts';
import { keyOperations } from './operations-keys.ts';
import { loginOperations } from './operations-login.ts';
import { memberOperations } from './operations-members.ts';
import { programOperations } from './operations-programs.ts';
import { secretOperations } from './operations-secrets.ts';
import type { Client } from './team.ts';

/** Something that a client does, with one request or a few. */
export interface Operation {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  /** Gives `true` when it came to what it is about; where that is a matter of course, nothing. */
  readonly run: (client: Client) => Promise<unknown>;
}

/** What people do: each says whether it came to what it is about. */
export const peopleOperations: readonly Operation[] = [
  ...loginOperations,
  ...accountOperations,
  ...memberOperations,
  ...programOperations,
];

export const operations: readonly Operation[] = [
  ...secretOperations,
  ...keyOperations,
  ...auditOperations,
  ...peopleOperations,
];

export function drawOperation(client: Client, from: readonly Operation[]): Operation {
  let rest = client.below(from.reduce((sum, { weight }) => sum + weight, 0));
  for (const operation of from) {
    rest -= operation.weight;
    if (rest < 0) return operation;
  }
  throw new RangeError('The weights do not add up.');
}
