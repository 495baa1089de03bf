import middy from '@middy/core';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { VaultError } from '../../core/kernel/errors.ts';
import { addCheckpoint } from '../../core/witness/add-checkpoint.ts';
import { composeWitness } from '../shared/compose-witness.ts';
import { logger } from '../shared/logger.ts';

const witness = composeWitness();

/** A checkpoint with its proof has a few kilobytes; more is no checkpoint. */
const MAX_BODY_CHARACTERS = 65_536;
const PLAIN = 'text/plain; charset=utf-8';

/** A witness behind a function URL: `POST /add-checkpoint` of C2SP tlog-witness, and nothing else. */
export const handler = middy(async (event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> => {
  if (event.rawPath !== '/add-checkpoint')
    return answer(404, 'This is a witness: POST to /add-checkpoint.\n');
  if (event.requestContext.http.method !== 'POST') {
    return { ...answer(405, 'Use POST.\n'), headers: { 'Content-Type': PLAIN, Allow: 'POST' } };
  }
  if ((event.body?.length ?? 0) > MAX_BODY_CHARACTERS) return answer(413, 'The request is too large.\n');
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8').toString('utf8');
  try {
    const { status, contentType, body: text } = await addCheckpoint(witness, body);
    logger.info('Answered a log', { status });
    return { ...answer(status, text), headers: { 'Content-Type': contentType } };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    logger.error('A checkpoint could not be witnessed', { code: error.code });
    return answer(503, 'The witness cannot answer right now. Try again.\n');
  }
});

function answer(statusCode: number, body: string) {
  return { statusCode, headers: { 'Content-Type': PLAIN }, body };
}
