import { type DynamoDbLocal, startDynamoDbLocal } from '../../local/dynamodb-local.ts';
import { describeWithJava } from './java.ts';

const START_LIMIT_MS = 90_000;

/** A `describe` over an empty DynamoDB Local of its own, in memory. Needs Java, see {@link describeWithJava}. */
export function describeWithDynamoDb(name: string, define: (getEndpoint: () => string) => void): void {
  describeWithJava(name, () => {
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
