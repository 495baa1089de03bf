import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unavailable } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';

/** The client for both tables. */
export function createDynamoClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(CLIENT_CONFIG));
}

/**
 * What to throw for an error of DynamoDB: after the SDK's own retries the store is not available. A request that
 * DynamoDB calls invalid is our defect, and stays what it is.
 */
export function storeUnavailable(cause: unknown): unknown {
  if (cause instanceof TypeError || errorName(cause) === 'ValidationException') return cause;
  return unavailable('The store does not answer right now. Try again.', cause);
}
