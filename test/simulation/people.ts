import type { Answer, Sent } from './evidence.ts';
import type { Client } from './team.ts';
import { totpCode, totpStep } from './totp.ts';

/** Somebody with an e-mail address, and what they remember. */
export interface Person {
  readonly email: string;
  password: string;
  /** One that they asked for without hearing whether it holds. */
  uncertainPassword?: string | undefined;
  userId?: string;
  /** In base32, as their app has it. */
  totpSecret?: string | undefined;
  backupCodes: string[];
  /** What was shown before: if it was accepted, whatever the answer said, it must not be again. */
  readonly spentCodes: string[];
  readonly browsers: Browser[];
}

export const ORIGIN = 'https://vault.example.com';
const ACCESS = '__Host-lockzero_access';
const REFRESH = '__Host-lockzero_refresh';
/** Shorter than a step-up is good for, so that most are renewed in time. */
const STEP_UP_MS = 4 * 60_000;

/** A browser of somebody's: keeps its cookies, and sends the CSRF token and its origin with every mutation. */
export class Browser {
  readonly person: Person;
  readonly cookies = new Map<string, string>();
  /** Cookies as they were before a refresh or a step-up replaced them. */
  readonly stale: { readonly cookies: ReadonlyMap<string, string>; readonly at: number }[] = [];
  csrfToken: string | undefined;
  sessionId: string | undefined;
  steppedUpAt = Number.NEGATIVE_INFINITY;

  constructor(person: Person) {
    this.person = person;
  }

  get isLoggedIn(): boolean {
    return this.cookies.has(REFRESH);
  }

  forgetSession(): void {
    this.cookies.delete(ACCESS);
    this.cookies.delete(REFRESH);
  }

  headers(method: Sent['method'], cookies: ReadonlyMap<string, string> = this.cookies): Sent['headers'] {
    const pairs = [...cookies].map(([name, value]) => `${name}=${value}`);
    return {
      ...(pairs.length === 0 ? {} : { cookie: pairs.join('; ') }),
      ...(method === 'GET' ? {} : { origin: ORIGIN }),
      ...(method === 'GET' || this.csrfToken === undefined ? {} : { 'x-csrf-token': this.csrfToken }),
    };
  }

  /** Takes the cookies of an answer, and what its JSON tells of the session. */
  keep(answer: Answer | undefined, now: number): void {
    if (answer === undefined || answer.cookies.length === 0) return;
    if (this.isLoggedIn) this.stale.push({ cookies: new Map(this.cookies), at: now });
    for (const cookie of answer.cookies) {
      const [pair = '', ...attributes] = cookie.split('; ');
      const name = pair.slice(0, pair.indexOf('='));
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(name.length + 1));
    }
    const { session, csrfToken, user } = viewOf(answer);
    if (session === undefined || user === undefined) return;
    if (!this.person.browsers.includes(this)) this.person.browsers.push(this);
    this.person.userId = user.id;
    if (session.id !== this.sessionId) this.steppedUpAt = Number.NEGATIVE_INFINITY;
    this.sessionId = session.id;
    this.csrfToken = csrfToken;
  }
}

/** What answers about people may tell. */
export interface PersonView {
  readonly user?: { readonly id: string; readonly email: string };
  readonly workspace?: { readonly id: string };
  readonly workspaces?: readonly { readonly id: string }[];
  readonly session?: { readonly id: string };
  readonly csrfToken?: string;
  readonly mfaToken?: string;
  readonly secret?: string;
  readonly backupCodes?: readonly string[];
  readonly code?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly tokens?: { readonly accessToken: string; readonly refreshToken: string };
  readonly items?: readonly { readonly id: string; readonly userId: string }[];
}

/** The JSON of an answer; nothing for answers without. */
export function viewOf(answer: Answer | undefined): PersonView {
  return answer?.text.startsWith('{') ? (JSON.parse(answer.text) as PersonView) : {};
}

export function newPerson(client: Client, email = `${client.hex(4)}@mail.example`): Person {
  return { email, password: client.world.secretText(), backupCodes: [], spentCodes: [], browsers: [] };
}

/** Sends a request from a browser, which keeps what comes back. */
export async function browse(
  client: Client,
  browser: Browser,
  method: Sent['method'],
  path: string,
  rest: Partial<Sent> = {},
): Promise<Answer | undefined> {
  const headers = { ...browser.headers(method), ...rest.headers };
  const answer = await client.exchange({ method, path, ip: client.address(), ...rest, headers });
  browser.keep(answer, client.world.scheduler.now);
  // Most who are told that their session is over log in anew the next time.
  if (viewOf(answer).code === 'unauthenticated' && client.chance(70)) browser.forgetSession();
  return answer;
}

/** A login with all that the person remembers, both steps if there are two. */
export async function logIn(client: Client, browser: Browser): Promise<Answer | undefined> {
  const answer = await firstStep(client, browser);
  const { mfaToken } = viewOf(answer);
  return mfaToken === undefined
    ? answer
    : secondStep(client, browser, mfaToken, factorOf(client, browser.person));
}

/** The password; if it is refused, the one that may hold in its place. */
export async function firstStep(client: Client, browser: Browser): Promise<Answer | undefined> {
  const { person } = browser;
  const tell = () =>
    browse(client, browser, 'POST', '/auth/login', {
      body: { email: person.email, password: person.password },
    });
  const answer = await tell();
  const { uncertainPassword } = person;
  if (answer?.status !== 401 || uncertainPassword === undefined) return answer;
  person.uncertainPassword = person.password;
  person.password = uncertainPassword;
  return tell();
}

export type Factor = { readonly code: string } | { readonly backupCode: string };

export async function secondStep(
  client: Client,
  browser: Browser,
  mfaToken: string,
  factor: Factor,
): Promise<Answer | undefined> {
  const answer = await browse(client, browser, 'POST', '/auth/mfa', { body: { mfaToken, ...factor } });
  noteShown(browser.person, factor);
  return answer;
}

function noteShown(person: Person, proof: Factor | { readonly password: string }): void {
  if (!('password' in proof)) person.spentCodes.push(...Object.values(proof));
}

/** What the person's app shows now; of somebody without one, something made up. */
export function factorOf({ world }: Client, { totpSecret }: Person): { readonly code: string } {
  return { code: totpSecret === undefined ? '000000' : totpCode(totpSecret, totpStep(world.scheduler.now)) };
}

/** A browser of one of the team's people with a session, as far as they know; at times a new one. */
export async function signedIn(
  client: Client,
  person = client.pick(client.team.people),
): Promise<Browser | undefined> {
  if (person === undefined) return undefined;
  const known = client.pick(person.browsers.filter(({ isLoggedIn }) => isLoggedIn));
  if (known !== undefined && client.chance(80)) return known;
  const browser = client.pick(person.browsers.filter(({ isLoggedIn }) => !isLoggedIn)) ?? new Browser(person);
  await logIn(client, browser);
  return browser.isLoggedIn ? browser : undefined;
}

/** One that has just shown once more who uses it, too. */
export async function steppedUp(client: Client, person?: Person): Promise<Browser | undefined> {
  const browser = await signedIn(client, person);
  if (browser === undefined) return undefined;
  const { now } = client.world.scheduler;
  if (now - browser.steppedUpAt > STEP_UP_MS)
    await stepUp(client, browser, { password: browser.person.password });
  return browser;
}

export async function stepUp(
  client: Client,
  browser: Browser,
  proof: Factor | { readonly password: string },
): Promise<Answer | undefined> {
  const { now } = client.world.scheduler;
  const answer = await browse(client, browser, 'POST', '/auth/step-up', { body: proof });
  noteShown(browser.person, proof);
  if (answer?.status === 200) browser.steppedUpAt = now;
  return answer;
}

/** The token in the newest link of this kind that was mailed to somebody. */
export function linkTo({ world }: Client, email: string, prefix: 'lzi' | 'lzp'): string | undefined {
  const pattern = new RegExp(`token=(${prefix}_[A-Za-z0-9_-]{43})`);
  const tokens = world.evidence.mails.flatMap(({ to, text }) =>
    to === email ? (pattern.exec(text)?.[1] ?? []) : [],
  );
  return tokens.at(-1);
}

/** Whoever was told yes knows it; whoever was told nothing, or that the vault has its troubles, does not. */
export function learnPassword(person: Person, password: string, status: number | undefined): void {
  if (status === 204 || status === 201) {
    person.password = password;
    person.uncertainPassword = undefined;
  } else if (status === undefined || status >= 401) person.uncertainPassword = password;
}
