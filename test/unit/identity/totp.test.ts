import fc from 'fast-check';
import { HOTP, Secret, TOTP, URI } from 'otpauth';
import { acceptTotp, newTotpSecret, totpQrCode, totpUri } from '../../../core/identity/totp.ts';
import { fromHex } from '../../support/bytes.ts';
import { SeededRandom } from '../../support/random.ts';

const SECRET = new Uint8Array(Buffer.from('12345678901234567890'));
const STEP = 37_037_037;
const NOW = STEP * 30_000;

function codeOf(step: number, secret: Uint8Array = SECRET): string {
  return HOTP.generate({ secret: new Secret({ buffer: Uint8Array.from(secret).buffer }), counter: step });
}

/** RFC 6238 appendix B, SHA-1: seconds, and the code of eight digits, of which ours are the last six. */
describe('codes of RFC 6238 appendix B', () => {
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at %i s', (seconds, published) => {
    const code = published.slice(2);
    const step = Math.floor(seconds / 30);
    expect(acceptTotp({ secret: SECRET, code, now: seconds * 1_000, lastStep: 0 })).toBe(step);
  });
});

describe('I3: a code', () => {
  const accept = (step: number, now = NOW, lastStep = 0) =>
    acceptTotp({ secret: SECRET, code: codeOf(step), now, lastStep });

  it.each([
    [-2, undefined],
    [-1, STEP - 1],
    [0, STEP],
    [1, STEP + 1],
    [2, undefined],
  ])('that is %i steps off', (drift, expected) => {
    expect(accept(STEP + drift)).toBe(expected);
    expect(accept(STEP + drift, NOW + 29_999)).toBe(expected);
  });

  it('works once, and uses up the ones before it', () => {
    expect(accept(STEP, NOW, STEP - 1)).toBe(STEP);
    expect(accept(STEP, NOW, STEP)).toBeUndefined();
    expect(accept(STEP - 1, NOW, STEP)).toBeUndefined();
    expect(accept(STEP + 1, NOW, STEP)).toBe(STEP + 1);
    expect(accept(STEP + 1, NOW, STEP + 5)).toBeUndefined();
  });

  it('is used up in both steps when two steps have the same', () => {
    const secret = fromHex(`${'0'.repeat(34)}14d800`);
    const now = 1_000_000 * 30_000;
    const code = codeOf(999_999, secret);
    expect(codeOf(1_000_001, secret)).toBe(code);
    expect(acceptTotp({ secret, code, now, lastStep: 0 })).toBe(1_000_001);
    expect(acceptTotp({ secret, code, now, lastStep: 1_000_001 })).toBeUndefined();
  });

  const right = codeOf(STEP);
  it.each([
    '',
    right.slice(1),
    `0${right}`,
    `${right}\n`,
    ` ${right}`,
    `${right.slice(0, 3)} ${right.slice(3)}`,
    right.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x0660 + Number(digit))),
    '1e5000',
    '-12345',
  ])('is six digits and nothing else: not %j', (code) => {
    expect(acceptTotp({ secret: SECRET, code, now: NOW, lastStep: 0 })).toBeUndefined();
  });

  it('is refused unless it is one of the three', () => {
    const valid = new Set([codeOf(STEP - 1), codeOf(STEP), codeOf(STEP + 1)]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), (value) => {
        const code = String(value).padStart(6, '0');
        const accepted = acceptTotp({ secret: SECRET, code, now: NOW, lastStep: 0 }) !== undefined;
        expect(accepted).toBe(valid.has(code));
      }),
    );
  });
});

describe('enrolment', () => {
  const secret = newTotpSecret(new SeededRandom(7));
  const uri = totpUri({ secret, email: 'ada+vault@example.com' });

  it('makes secrets of 20 bytes, from the random source', () => {
    expect(secret).toEqual(new SeededRandom(7).bytes(20));
  });

  it('I3: gives an otpauth:// URI that an authenticator app takes', () => {
    expect(uri).toMatch(/^otpauth:\/\/totp\/Lockzero:ada%2Bvault%40example\.com\?/);
    const app = URI.parse(uri);
    if (!(app instanceof TOTP)) throw new Error('This is not a TOTP URI.');
    expect(app).toMatchObject({
      issuer: 'Lockzero',
      label: 'ada+vault@example.com',
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    });
    const code = app.generate({ timestamp: NOW });
    expect(acceptTotp({ secret, code, now: NOW, lastStep: 0 })).toBe(STEP);
  });

  it('reads the secret where it lies in a larger buffer', () => {
    const view = Uint8Array.from([9, ...secret, 9]).subarray(1, 21);
    expect(totpUri({ secret: view, email: 'ada+vault@example.com' })).toBe(uri);
  });

  const SVG =
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 (\d+) \1"><rect fill="white" width="\1" height="\1"\/><path fill="black" d="(?:M\d+,\d+h10v10h-10z)+"\/><\/svg>$/;

  it.each([
    'ada+vault@example.com',
    '"><script>alert(1)</script>"@example.com',
    `${'a'.repeat(64)}@${'b'.repeat(189)}`,
  ])('I3: draws a QR code with nothing executable in it: %j', (email) => {
    expect(totpQrCode(totpUri({ secret, email }))).toMatch(SVG);
  });

  it('draws different codes for different secrets', () => {
    const other = totpUri({ secret: SECRET, email: 'ada+vault@example.com' });
    expect(totpQrCode(other)).not.toBe(totpQrCode(uri));
    expect(totpQrCode(uri)).toBe(totpQrCode(uri));
  });
});
