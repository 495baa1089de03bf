import { createHash } from 'node:crypto';
import { toResult } from '../../../lambdas/api/http/result.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { callApi } from '../../support/call-api.ts';
import { memoryVault, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  decide,
  EMAIL,
  oauthWorld,
  openConsent,
  REQUEST,
  submit,
  switchMfaOn,
} from '../oauth/oauth-world.ts';

/** Every page there is. */
async function allPages(): Promise<readonly (readonly [name: string, page: ApiResponse])[]> {
  const { vault } = await oauthWorld();
  const get = (path: string, query = {}) => callApi(vault, { method: 'GET', path, query });
  const stranger = new Browser(vault);
  const person = await loggedIn(vault, EMAIL);
  const login = await get('/oauth/authorize', REQUEST);
  const consent = await openConsent(person);
  const refused = await decide(person, 'perhaps');
  await switchMfaOn(vault, person);
  const mfa = await submit(stranger, '/oauth/login', { ...REQUEST, email: EMAIL, password: PASSWORD });
  return [
    ['login', login],
    ['consent', consent],
    ['refused', refused],
    ['mfa', mfa],
    ['untrusted', await get('/oauth/authorize', { client_id: 'x' })],
    ['invitation', await get('/accept-invitation', { token: 'lzi_x' })],
    ['reset', await get('/reset-password', { token: 'lzp_x' })],
    ['link incomplete', await get('/reset-password')],
  ];
}

it('every page has a policy that allows its one style by hash, its forms, and nothing else', async () => {
  for (const [name, { headers = {}, text = '' }] of await allPages()) {
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect({ name, policy: headers['Content-Security-Policy'] }).toEqual({
      name,
      policy: expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'( http:\/\/127\.0\.0\.1:51004)?; frame-ancestors 'none'; base-uri 'none'$/,
      ),
    });
    expect(headers['Content-Security-Policy']).toContain(`'sha256-${hash}'`);
    expect(headers['Content-Type']).toBe('text/html; charset=utf-8');
  }
});

it('no page has a script, a handler, a style of its own or anything from elsewhere', async () => {
  for (const [name, { text = '' }] of await allPages()) {
    expect({
      name,
      found: /<script|\son\w+=|\sstyle=|<img|<link|<iframe|https?:\/\/(?!127\.0\.0\.1)/i.exec(text),
    }).toEqual({ name, found: null });
  }
});

it('every page keeps the headers of all answers, and its address from other origins', async () => {
  for (const [, page] of await allPages()) {
    expect(toResult(page, 'request-1').headers).toMatchObject({
      'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      // Not no-referrer: with that, browsers hide the origin of forms.
      'Referrer-Policy': 'same-origin',
    });
  }
});

it('every page is valid in its frame: language, title, one heading, a label for each field', async () => {
  for (const [name, { text = '' }] of await allPages()) {
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect({ name, headings: text.match(/<h1>/g)?.length }).toEqual({ name, headings: 1 });
    const [, heading] = /<h1>(.*)<\/h1>/.exec(text) ?? [];
    expect(text).toContain(`<title>${heading} · Lockzero</title>`);
    const fields = [...text.matchAll(/<input id="(\w+)"/g)].map(([, id]) => id);
    const labels = [...text.matchAll(/<label for="(\w+)"/g)].map(([, id]) => id);
    expect({ name, labels }).toEqual({ name, labels: fields });
  }
});

it('passwords are masked, password managers know each field, and nothing keeps from pasting', async () => {
  const pages = new Map(await allPages());
  const inputs = (name: string) =>
    [...(pages.get(name)?.text ?? '').matchAll(/<input id=[^>]*>/g)].join('\n');
  expect(inputs('login')).toMatch(/type="email" autocomplete="username"/);
  expect(inputs('login')).toMatch(/type="password" autocomplete="current-password"/);
  expect(inputs('mfa')).toMatch(/autocomplete="one-time-code"/);
  expect(inputs('reset')).toMatch(/type="password" autocomplete="new-password"/);
  expect(inputs('invitation')).toMatch(/type="password" autocomplete="new-password"/);
  for (const { text } of pages.values()) expect(text).not.toMatch(/maxlength|readonly|pattern=/);
});

it('X7 a hostile workspace name is text on the page', async () => {
  const vault = memoryVault();
  const setup = { setupToken: SETUP_TOKEN, workspaceName: `<img src=x onerror="a()">` };
  const owner = { email: EMAIL, password: PASSWORD };
  await callApi(vault, { method: 'POST', path: '/setup', json: { ...setup, ...owner } });
  const page = await openConsent(await loggedIn(vault, EMAIL));
  expect(page.text).toContain('&lt;img src=x onerror=&quot;a()&quot;&gt;');
});
