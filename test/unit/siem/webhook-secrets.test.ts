import { hkdfSync } from 'node:crypto';
import { createDerivedKeys } from '../../../core/crypto/derived-keys.ts';
import {
  newSigningSecret,
  openCredential,
  SecretUnavailable,
  sealCredential,
  signingKey,
  signingSecretText,
} from '../../../core/siem/webhook-secrets.ts';
import { SeededRandom } from '../../support/random.ts';

const ROOT = 'r'.repeat(43);
const keysWith = (current: string, ...known: string[]) =>
  createDerivedKeys(async () => ({
    current,
    secrets: new Map([current, ...known].map((id) => [id, `${ROOT}${id}`])),
  }));
const keys = keysWith('1');
const WEBHOOK = { workspaceId: 'ws_1', id: 'wh_1', url: 'https://siem.example.com/events?x=1' };
const secretOf = async (webhook: { workspaceId: string; id: string }, version = 1, derived = keys) =>
  signingSecretText(await signingKey(derived, webhook, { version, keyId: '1' }));

describe('a signing secret', () => {
  it('derives from the root secret as it always did: receivers have it', async () => {
    const purpose = hkdfSync('sha256', `${ROOT}1`, '', 'lockzero/v1/webhook-signing', 32);
    const expected = Buffer.from(hkdfSync('sha256', Buffer.from(purpose), '', 'ws_1/wh_1/1', 32));
    expect(await secretOf(WEBHOOK)).toBe(`whsec_${expected.toString('base64')}`);
    expect(await secretOf(WEBHOOK)).toBe('whsec_G+/gybPLl0sFltAb5lAbVeC/jA5jN43yfshJduIgja0=');
  });

  it('is another one for each workspace, webhook and version', async () => {
    const secrets = await Promise.all([
      secretOf(WEBHOOK),
      secretOf({ ...WEBHOOK, workspaceId: 'ws_2' }),
      secretOf({ ...WEBHOOK, id: 'wh_2' }),
      secretOf(WEBHOOK, 2),
    ]);
    expect(new Set(secrets).size).toBe(4);
  });

  it('survives a rotation of the root secret, as long as the earlier one is kept', async () => {
    expect(await newSigningSecret(keysWith('2', '1'), 1)).toEqual({ version: 1, keyId: '2' });
    expect(await secretOf(WEBHOOK, 1, keysWith('2', '1'))).toBe(await secretOf(WEBHOOK));
    await expect(secretOf(WEBHOOK, 1, keysWith('2'))).rejects.toThrow(SecretUnavailable);
  });
});

describe('a credential', () => {
  const parts = { derivedKeys: keys, random: new SeededRandom(1) };
  const seal = (credential = 't0ken') => sealCredential(parts, WEBHOOK, credential);

  it('is had back, wherever at its receiver it goes', async () => {
    const sealed = await seal();
    expect(sealed).toMatch(/^1\.[A-Za-z0-9_-]+$/);
    expect(await openCredential(keys, WEBHOOK, sealed)).toBe('t0ken');
    expect(await openCredential(keys, { ...WEBHOOK, url: 'https://siem.example.com/' }, sealed)).toBe(
      't0ken',
    );
    expect(await openCredential(keysWith('2', '1'), WEBHOOK, sealed)).toBe('t0ken');
    expect(await seal()).not.toBe(sealed);
  });

  it.each([
    ['another workspace', { workspaceId: 'ws_2' }],
    ['another webhook', { id: 'wh_2' }],
    ['another host', { url: 'https://thief.example.net/events' }],
    ['another port', { url: 'https://siem.example.com:8443/events' }],
    ['no TLS', { url: 'http://siem.example.com/events' }],
  ])('is not had for %s', async (_, change) => {
    const sealed = await seal();
    await expect(openCredential(keys, { ...WEBHOOK, ...change }, sealed)).rejects.toThrow(SecretUnavailable);
  });

  it('is not had when anything of it is changed, or its root secret is gone', async () => {
    const sealed = await seal();
    const spoiled = [`${sealed.slice(0, -3)}AAA`, sealed.slice(0, 20), '1.', '', 'x', `2${sealed.slice(1)}`];
    for (const one of spoiled) {
      await expect(openCredential(keys, WEBHOOK, one)).rejects.toThrow(SecretUnavailable);
    }
    await expect(openCredential(keysWith('2'), WEBHOOK, sealed)).rejects.toThrow(SecretUnavailable);
  });
});
