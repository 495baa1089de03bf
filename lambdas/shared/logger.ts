import { Logger } from '@aws-lambda-powertools/logger';

/** Structured logs, one line an event. What goes in: ids, codes, counts, times. Never a body, a value, a key or a token. */
export const logger = new Logger();
