import { unavailable } from '../core/kernel/errors.ts';
import type { WitnessClient } from '../core/witness/ask-witnesses.ts';
import { readBody } from './read-body.ts';

const TIMEOUT_MS = 5_000;
/** An answer is a few signature lines, or one number. */
const MAX_ANSWER_BYTES = 16_384;

/** The `WitnessClient` port over HTTPS. Redirects are not followed: the operator named the witness's address. */
export function createWitnessClient(): WitnessClient {
  return {
    async addCheckpoint(url, body) {
      try {
        const response = await fetch(`${url.replace(/\/+$/, '')}/add-checkpoint`, {
          method: 'POST',
          headers: { 'Content-Type': 'text/plain; charset=utf-8' },
          body,
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const answer = await readBody(response, MAX_ANSWER_BYTES);
        return { status: response.status, body: answer.toString('utf8') };
      } catch (cause) {
        throw unavailable('The witness does not answer right now. Try again.', cause);
      }
    },
  };
}
