/** Of Lambda's context: milliseconds until the function is stopped. */
interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** What the work begun before takes at most. */
const RESERVE_MS = 60_000;

/** Whether there is time to begin something new. What was begun is finished, and the next run does the rest. */
export function timeLeft(invocation: Invocation): () => boolean {
  return () => invocation.getRemainingTimeInMillis() >= RESERVE_MS;
}
