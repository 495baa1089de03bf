import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { entityJson } from '../../../core/kernel/entity.ts';
import { answerErrors } from '../../../lambdas/api/http/answer-errors.ts';
import { logRequest } from '../../../lambdas/api/http/log-request.ts';
import { readRequest } from '../../../lambdas/api/http/request.ts';
import { toResult } from '../../../lambdas/api/http/result.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { serve } from '../../../lambdas/api/serve.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { apiEvent } from '../../support/call-api.ts';
import { PUBLIC_URL } from '../../support/memory-vault.ts';
import { PASSWORD } from '../../support/people.ts';
import { ADA, MINUTE, OTHER_PASSWORD, peopleWorld, SECOND, totpCode } from './world.ts';

type Body = Record<string, unknown>;

/** One person's story over the handler as it is deployed, with all that was secret in it. */
async function story() {
  const { vault } = await peopleWorld();
  const logged: string[] = [];
  for (const level of ['info', 'warn', 'error'] as const) {
    jest.spyOn(logger, level).mockImplementation((...line) => {
      logged.push(JSON.stringify(line));
    });
  }
  const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(logRequest())
    .use(answerErrors())
    .handler(async (event) => {
      const request = readRequest(event);
      return toResult(await serve(vault, routes, request), request.id);
    });
  const secrets = new Set<string>();
  const cookies = new Map<string, string>();
  let csrfToken: string | undefined;
  const keep = (text: unknown): string => {
    secrets.add(String(text));
    return String(text);
  };
  const send = async (method: string, path: string, json?: unknown): Promise<Body> => {
    const headers = {
      Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      Origin: PUBLIC_URL,
      ...(csrfToken === undefined ? {} : { 'X-CSRF-Token': csrfToken }),
    };
    const call = { method, path, headers };
    const event = apiEvent(json === undefined ? call : { ...call, json });
    const result = await handler(event, {} as Context);
    for (const cookie of result.multiValueHeaders?.['Set-Cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(String(cookie)) ?? [];
      if (value !== '') cookies.set(name, keep(value));
    }
    const body = (result.body === '' ? {} : JSON.parse(result.body)) as Body;
    if (typeof body['csrfToken'] === 'string') csrfToken = keep(body['csrfToken']);
    return body;
  };
  const post = (path: string, json?: unknown) => send('POST', path, json);

  const wrong = keep('Wrong-Horse-1-Typewriter');
  await post('/auth/login', { email: ADA, password: wrong });
  await post('/auth/login', { email: ADA, password: keep(PASSWORD) });
  await post('/auth/step-up', { password: wrong });
  await post('/auth/step-up', { password: PASSWORD });
  const secret = keep((await post('/auth/mfa/totp'))['secret']);
  await post('/auth/mfa/totp/confirm', { code: keep(totpCode(vault, secret)) });
  const { backupCodes } = await post('/auth/mfa/backup-codes');
  for (const code of backupCodes as string[]) keep(code);
  vault.clock.advance(MINUTE);
  const { mfaToken } = await post('/auth/login', { email: ADA, password: PASSWORD });
  await post('/auth/mfa', { mfaToken: keep(mfaToken), code: keep(totpCode(vault, secret, 9)) });
  await post('/auth/mfa', { mfaToken, backupCode: keep('9-zzzzz-zzzzz') });
  await post('/auth/mfa', { mfaToken, backupCode: (backupCodes as string[])[4] });
  await post('/auth/refresh');
  vault.clock.advance(30 * SECOND);
  await post('/auth/step-up', { code: keep(totpCode(vault, secret)) });
  await post('/auth/password/forgot', { email: ADA });
  await post('/auth/password', { currentPassword: PASSWORD, newPassword: keep(OTHER_PASSWORD) });
  await post('/auth/password/forgot', { email: ADA });
  const token = keep(vault.mail.tokenFor(ADA));
  const third = keep('Third-Horse-9-Paperclip');
  await post('/auth/password/reset', { token, newPassword: keep('short-one') });
  await post('/auth/password/reset', { token, newPassword: third });
  await post('/auth/login', { email: ADA, password: third, unknownField: keep('misplaced-hunter2') });
  await send('GET', '/secrets');

  const rows = [...vault.tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString('utf8'));
  const entities = [...vault.tables.entities.values()].map(({ entity }) =>
    JSON.stringify(entityJson(entity)),
  );
  return { secrets: [...secrets], totpSecret: secret, rows, entities, logged };
}

/** Six digits occur in hashes by chance, so what is beside a code matters. */
const holds = (text: string, secret: string): boolean =>
  /^\d{6}$/.test(secret)
    ? new RegExp(`(?<![\\w.:-])${secret}(?![\\w.:-])`).test(text)
    : text.includes(secret);

/** That the story went as it should. */
const STEPS = [
  'authentication.failed',
  'authentication.succeeded',
  'authentication.stepped_up',
  'session.refreshed',
  'user.mfa_enabled',
  'user.totp_used',
  'user.backup_code_used',
  'user.backup_codes_replaced',
  'user.password_changed',
  'user.password_reset',
];

afterEach(() => jest.restoreAllMocks());

it('A4: no password, token or code is in any row, log or stored entity', async () => {
  const { secrets, totpSecret, rows, entities, logged } = await story();
  expect(secrets.length).toBeGreaterThan(30);
  for (const step of STEPS) expect(rows.join('\n')).toContain(`"action":"${step}"`);
  expect([entities.length > 10, logged.length]).toEqual([true, 20]);
  for (const [place, texts] of Object.entries({ rows, entities, logged })) {
    const found = secrets.filter((secret) => texts.some((text) => holds(text, secret)));
    expect({ place, found }).toEqual({ place, found: [] });
  }
  // The TOTP secret is not there in another spelling either.
  const bytes = Buffer.from(base32(totpSecret));
  const stored = [...rows, ...entities, ...logged].join('\n');
  for (const spelling of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
    expect(stored).not.toContain(spelling);
  }
});

function base32(text: string): Uint8Array {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Uint8Array.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
