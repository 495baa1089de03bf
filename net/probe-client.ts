import { unavailable } from '../core/kernel/errors.ts';
import type { ProbeClient } from '../core/probe/probe-client.ts';
import { readBody } from './read-body.ts';

/** API Gateway answers within 29 seconds; what takes half as long is a failure already. */
const TIMEOUT_MS = 15_000;
/** The largest answer of a step, a broken verification, is far smaller. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The `ProbeClient` port over HTTP.
 *
 * @param baseUrl of the API, with or without a slash at its end.
 * @param timeoutMs for the whole answer.
 */
export function createProbeClient(baseUrl: string, timeoutMs = TIMEOUT_MS): ProbeClient {
  const base = baseUrl.replace(/\/+$/, '');
  return {
    async send({ method, path, token, json }) {
      try {
        const response = await fetch(base + path, {
          method,
          headers: {
            'User-Agent': 'lockzero-probe',
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
            ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          },
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        });
        const body = await readBody(response, MAX_ANSWER_BYTES);
        return { status: response.status, json: parse(body.toString('utf8')) };
      } catch (cause) {
        throw unavailable('The API does not answer.', cause);
      }
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
