import { callApi } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import { ADA, enrolMfa, MINUTE, peopleWorld, totpCode } from './world.ts';

let vault: MemoryVault;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
});

/** What a notice of a controlled system has to say. */
const SAID = [
  /controlled system/i,
  /all access is monitored, logged and audited/i,
  /unauthorized use is prohibited/i,
];

function expectNotice(text: unknown): void {
  for (const sentence of SAID) expect(text).toMatch(sentence);
}

describe('I8: login shows the notice of a controlled system', () => {
  it('before it, to anybody', async () => {
    const { status, json } = await callApi(vault, { method: 'GET', path: '/auth/notice' });
    expect(status).toBe(200);
    expectNotice((json as { notice: string }).notice);
  });

  it('in its answer, and in the answers of both steps of a login with MFA', async () => {
    const browser = new Browser(vault);
    expectNotice((await browser.logIn(ADA)).body['notice']);
    const { secret } = await enrolMfa(vault, await loggedIn(vault, ADA));
    vault.clock.advance(MINUTE);
    const { body } = await browser.logIn(ADA);
    expectNotice(body['notice']);
    const step = { mfaToken: body['mfaToken'], code: totpCode(vault, secret) };
    expectNotice((await browser.post('/auth/mfa', step)).body['notice']);
  });
});
