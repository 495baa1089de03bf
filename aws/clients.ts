/**
 * How every AWS client of the vault waits and retries: the SDK's standard mode with two attempts, and time limits
 * that leave room for a request's few calls within API Gateway's 29 seconds. A request that timed out may have taken effect; whoever
 * writes must be able to send it again.
 */
export const CLIENT_CONFIG = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
} as const;

/** The name of an AWS SDK error, such as `ThrottlingException`; empty for anything else. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
