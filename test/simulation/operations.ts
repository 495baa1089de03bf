import { auditOperations } from './operations-audit.ts';
import { keyOperations } from './operations-keys.ts';
import { secretOperations } from './operations-secrets.ts';
import type { Client } from './team.ts';

/** Something that a client does, with one request or a few. */
export interface Operation {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  readonly run: (client: Client) => Promise<void>;
}

export const operations: readonly Operation[] = [...secretOperations, ...keyOperations, ...auditOperations];

const TOTAL = operations.reduce((sum, { weight }) => sum + weight, 0);

export function drawOperation(client: Client): Operation {
  let rest = client.below(TOTAL);
  for (const operation of operations) {
    rest -= operation.weight;
    if (rest < 0) return operation;
  }
  throw new RangeError('The weights do not add up.');
}
