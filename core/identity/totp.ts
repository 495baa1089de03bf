import { HOTP, Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { Random } from '../kernel/ports.ts';

/** RFC 6238 with the parameters that every authenticator app knows. */
const ALGORITHM = 'SHA1';
const DIGITS = 6;
const PERIOD_SECONDS = 30;
/** Steps by which the clock of the app may be off, either way. */
const DRIFT_STEPS = 1;
const SECRET_BYTES = 20;
/** In modules, on each side: the quiet zone of ISO/IEC 18004. */
const QUIET_ZONE = 4;

const ISSUER = 'Lockzero';
const CODE = /^[0-9]{6}$/;

/** 20 random bytes: the 160 bits that RFC 4226 section 4 (R6) recommends. */
export function newTotpSecret(random: Random): Uint8Array {
  return random.bytes(SECRET_BYTES);
}

/** The `otpauth://totp/…` URI that an authenticator app reads. It holds the secret. */
export function totpUri(account: { readonly secret: Uint8Array; readonly email: string }): string {
  return new TOTP({
    issuer: ISSUER,
    label: account.email,
    secret: sharedSecret(account.secret),
    algorithm: ALGORITHM,
    digits: DIGITS,
    period: PERIOD_SECONDS,
  }).toString();
}

/** The URI as a QR code: an SVG document of one rectangle and one path, with nothing that runs or loads. */
export function totpQrCode(uri: string): string {
  return renderSVG(uri, { ecc: 'M', border: QUIET_ZONE });
}

export interface PresentedCode {
  readonly secret: Uint8Array;
  /** As typed. Anything but six ASCII digits is refused. */
  readonly code: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The step of the last code that was accepted; 0 when none was. */
  readonly lastStep: number;
}

/**
 * The time step that a code belongs to, to be stored as the next `lastStep`; `undefined` when the code is refused. It
 * must be of the current step or of the one before or after it (RFC 6238 section 5.2), and later than the last one
 * accepted: each code works once. Every step is compared, in constant time each.
 */
export function acceptTotp({ secret, code, now, lastStep }: PresentedCode): number | undefined {
  if (!CODE.test(code)) return undefined;
  const key = sharedSecret(secret);
  const current = TOTP.counter({ period: PERIOD_SECONDS, timestamp: now });
  const steps = Array.from({ length: 2 * DRIFT_STEPS + 1 }, (_, index) => current - DRIFT_STEPS + index);
  const matching = steps.filter((counter) => isCodeOf(key, counter, code));
  // Two steps may happen to have the same code: taking the later one uses up both.
  const step = matching.at(-1);
  return step !== undefined && step > lastStep ? step : undefined;
}

function isCodeOf(secret: Secret, counter: number, code: string): boolean {
  const parameters = { secret, algorithm: ALGORITHM, digits: DIGITS, counter, window: 0 };
  return HOTP.validate({ ...parameters, token: code }) !== null;
}

function sharedSecret(bytes: Uint8Array): Secret {
  return new Secret({ buffer: Uint8Array.from(bytes).buffer });
}
