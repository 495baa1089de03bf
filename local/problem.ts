import type { APIGatewayProxyResult } from 'aws-lambda';
import { toResult } from '../lambdas/api/http/result.ts';

/** An answer that no function gave: what the edge refuses, or says instead of a function that failed. */
export interface EdgeProblem {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  /** Whole seconds. */
  readonly retryAfter?: number;
}

export const RATE_LIMITED: EdgeProblem = {
  status: 429,
  title: 'Too Many Requests',
  code: 'rate_limited',
  detail: 'This address sends more requests than a minute allows. Wait a minute.',
  retryAfter: 60,
};

export const TOO_LARGE: EdgeProblem = {
  status: 413,
  title: 'Content Too Large',
  code: 'payload_too_large',
  detail: 'The request body is larger than the vault accepts.',
};

export const CRASHED: EdgeProblem = {
  status: 502,
  title: 'Bad Gateway',
  code: 'internal',
  detail: 'The request failed inside the vault. Quote the requestId to its operator.',
};

/** A problem document (RFC 9457) with the headers that every answer has. */
export function problemResult(
  { retryAfter, ...problem }: EdgeProblem,
  requestId: string,
): APIGatewayProxyResult {
  const headers = {
    'Content-Type': 'application/problem+json',
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
  };
  const text = JSON.stringify({ type: 'about:blank', ...problem, requestId });
  return toResult({ status: problem.status, headers, text }, requestId);
}
