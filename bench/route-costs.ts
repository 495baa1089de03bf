import { startDynamoDbLocal } from '../local/dynamodb-local.ts';
import { openCountedVault } from './support/counted-vault.ts';
import { measureRouteCosts, routeCostTable } from './support/route-costs.ts';

/** Prints the table of AWS calls and capacity units per route: counted, so it is the same on every machine. */
const database = await startDynamoDbLocal();
try {
  const counted = await openCountedVault(database.endpoint);
  try {
    console.log(routeCostTable(await measureRouteCosts(counted)));
  } finally {
    await counted.close();
  }
} finally {
  await database.stop();
}
