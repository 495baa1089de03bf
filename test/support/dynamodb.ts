import { type DynamoDbLocal, JavaMissingError, startDynamoDbLocal } from '../../local/dynamodb-local.ts';
import { requireJava } from '../../local/java.ts';

const START_LIMIT_MS = 90_000;

/**
 * A `describe` over an empty DynamoDB Local of its own, in memory. Where Java is missing its tests are skipped and
 * the reason printed, so that tests which need no store still run; under `CI` they fail instead.
 */
export function describeWithDynamoDb(name: string, define: (getEndpoint: () => string) => void): void {
  const missing = findMissingJava();
  if (missing !== undefined && !process.env['CI']) {
    process.stderr.write(`Skipped "${name}": ${missing.message}\n`);
    describe.skip(name, () => define(() => ''));
    return;
  }
  describe(name, () => {
    let database: DynamoDbLocal | undefined;
    beforeAll(async () => {
      database = await startDynamoDbLocal();
    }, START_LIMIT_MS);
    afterAll(() => database?.stop());
    define(() => {
      if (database === undefined) throw new Error('The endpoint is known once beforeAll has run.');
      return database.endpoint;
    });
  });
}

function findMissingJava(): JavaMissingError | undefined {
  try {
    requireJava();
    return undefined;
  } catch (error) {
    if (error instanceof JavaMissingError) return error;
    throw error;
  }
}
