import { COOKIES as COOKIE_NAMES } from './credentials.ts';
import type { Answer, Sent } from './evidence.ts';
import { type Facts, isSuccess, jsonOf, nameOf } from './facts.ts';
import { base32 } from './totp.ts';

const MARKERS = ['PLAINTEXT-', '-TXETNIALP'] as const;

/** What would give a value away: its two ends, as they are and in base64 at each of the three alignments. */
const TRACES: readonly string[] = MARKERS.flatMap((marker) => [
  marker,
  ...[0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + marker).toString('base64');
    // The outer characters depend on the neighbours.
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  }),
]);

/** API keys and opaque tokens; access tokens; CSRF tokens and what device cookies have of them. */
const TOKENS = [
  /lz[a-z]?_[A-Za-z0-9_-]{43}/,
  /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/,
  /\br1\.[0-9a-f]{64}\b/,
] as const;

/** The members of answers that are there to tell something: by the path, if the request succeeds. */
const MEANT: readonly (readonly [path: RegExp, members: readonly string[]])[] = [
  [/\/(reveal|value)$/, ['value']],
  [/^\/setup$|^\/api-keys(\/[^/]+\/rotate)?$/, ['key']],
  [/^\/auth\/(login|mfa|refresh|session|switch-workspace)$/, ['csrfToken', 'mfaToken']],
  [/^\/auth\/step-up$/, ['csrfToken', 'accessToken', 'refreshToken']],
  [/^\/auth\/mfa\/totp$/, ['secret', 'uri', 'qrCode']],
  [/^\/auth\/mfa\/(totp\/confirm|backup-codes)$/, ['backupCodes']],
  [/^\/oauth\/token$/, ['access_token', 'refresh_token']],
];
/** Answers that set a session's cookies. */
const COOKIES = /^\/auth\/(login|mfa|refresh|step-up|switch-workspace)$/;
/** Answers that say once more to a browser that it is known. */
const DEVICES = /^\/auth\/(password|mfa\/totp\/confirm)$/;
/** The answer that sends a code back to its program. */
const REDIRECTS = /^\/oauth\/authorize$/;

/**
 * I4: no secret value, password, token, key or code in any row, entity, log or mail, nor in any answer but the one that
 * is meant to tell it. Values and passwords carry marks, so that any piece of them with an end is found; of tokens the
 * form is known; the secrets of apps and backup codes are looked for as they were told.
 */
export function checkPlaintext({ evidence, report }: Facts): void {
  const told = toldFactors(evidence.exchanges.map(({ answer }) => answer));
  const isTelling = (text: string): boolean =>
    TRACES.some((trace) => text.includes(trace)) ||
    TOKENS.some((token) => token.test(text)) ||
    told.some((secret) => text.includes(secret));
  const stored = [
    ...evidence.rows.map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
    ...evidence.commits.flatMap(({ stored: all }) => all.map(({ entity }) => fieldTexts(entity))),
  ].join('\n');
  if (isTelling(stored)) report('I4', 'there is plaintext in the tables');
  if (isTelling(evidence.logs.join('\n'))) report('I4', 'there is plaintext in the log');
  // A mail tells the link that it is for, and nothing else.
  const mails = evidence.mails.map(({ text }) => text.replace(/\?token=lz[ip]_[\w-]{43}\n/, ''));
  if (isTelling(mails.join('\n'))) report('I4', 'there is plaintext in a mail');
  for (const exchange of evidence.exchanges) {
    const { sent, answer } = exchange;
    if (answer === undefined) continue;
    if (isTelling(unaskedFor(sent, answer)))
      report('I4', `${nameOf(exchange)} tells plaintext that nobody asked for`);
  }
}

/** What was told of second factors, in each form that it might be kept in. */
function toldFactors(answers: readonly (Answer | undefined)[]): string[] {
  return answers.filter(isSuccess).flatMap((answer) => {
    const { secret, backupCodes = [] } = jsonOf(answer);
    const codes = backupCodes.flatMap((code) => [code, code.replaceAll('-', '')]);
    if (secret === undefined || !/^[A-Z2-7]{32}$/.test(secret)) return codes;
    const bytes = base32(secret);
    const forms = (['latin1', 'hex', 'base64', 'base64url'] as const).map((form) => bytes.toString(form));
    return [secret, ...forms, ...codes];
  });
}

/** An answer without what it is there to tell. */
function unaskedFor({ path }: Sent, answer: Answer): string {
  const { location = '', ...headers } = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const isYes = answer.status < 400;
  const redirect = isYes && REDIRECTS.test(path) ? location.replace(/\bcode=lzc_[\w-]{43}/, '') : location;
  const cookies = isYes ? answer.cookies.filter((cookie) => !isMeant(path, cookie)) : answer.cookies;
  const members = isYes ? MEANT.filter(([paths]) => paths.test(path)).flatMap(([, names]) => names) : [];
  const text =
    members.length === 0
      ? answer.text
      : JSON.stringify(jsonOf(answer), (name, value) => (members.includes(name) ? undefined : value));
  return [text, JSON.stringify(headers), redirect, ...cookies].join('\n');
}

function isMeant(path: string, cookie: string): boolean {
  return COOKIES.test(path) || (DEVICES.test(path) && cookie.startsWith(`${COOKIE_NAMES.device}=`));
}

function fieldTexts(entity: object): string {
  const texts = Object.values(entity).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value),
  );
  return texts.join('\n');
}
