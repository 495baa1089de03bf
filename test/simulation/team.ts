import { send, sendAgain } from './client.ts';
import type { Answer, Sent } from './evidence.ts';
import type { Person } from './people.ts';
import type { World } from './world.ts';

/** What the members of a workspace know together: what they made, and what they were told. */
export interface Team {
  readonly workspaceId: string;
  /** Never revoked, rotated or handed to anybody: whoever looks at the workspace in the end needs it. */
  readonly auditor: KnownKey;
  readonly keys: KnownKey[];
  readonly secrets: KnownSecret[];
  readonly people: Person[];
  /** Programs that people let act for them. */
  readonly apps: App[];
  /** Requests with an `Idempotency-Key` that were sent before. */
  readonly sent: Sent[];
  readonly cursors: { readonly path: string; readonly token: string; readonly cursor: string }[];
}

export interface KnownKey {
  readonly id: string;
  readonly token: string;
}

/** An OAuth client with the tokens that it was told last. */
export interface App {
  accessToken: string;
  refreshToken: string;
}

export interface KnownSecret {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
}

export const NAMESPACES = ['app', 'db', 'ci'] as const;
export const NAMES = ['API_KEY', 'PASSWORD', 'DSN', 'TOKEN', 'SALT'] as const;
const ADDRESSES = ['198.51.100.1', '198.51.100.2', '203.0.113.9'] as const;

/** One member of a team, or a stranger: sends one request after the other. */
export class Client {
  readonly world: World;
  readonly team: Team;
  readonly others: readonly Team[];

  constructor(world: World, team: Team, others: readonly Team[]) {
    this.world = world;
    this.team = team;
    this.others = others;
  }

  below(bound: number): number {
    return this.world.random.below(bound);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  choose<T>(from: readonly [T, ...T[]]): T {
    return this.pick(from) ?? from[0];
  }

  /** A fresh id or key that nobody has. */
  hex(bytes: number): string {
    return Buffer.from(this.world.random.bytes(bytes)).toString('hex');
  }

  address(): string {
    return this.choose(ADDRESSES);
  }

  namespace(): string {
    return this.choose(NAMESPACES);
  }

  /** A secret that the team has heard of, or one that does not exist. */
  secret(): KnownSecret {
    return this.pick(this.team.secrets) ?? this.absentSecret();
  }

  absentSecret(): KnownSecret {
    return { id: `sec_${this.hex(16)}`, namespace: this.namespace(), name: 'ABSENT' };
  }

  foreignSecret(): KnownSecret {
    return this.pick(this.others.flatMap(({ secrets }) => secrets)) ?? this.absentSecret();
  }

  /** Most often a key that may do much. */
  token(): string {
    return this.chance(40) ? this.team.auditor.token : (this.pick(this.team.keys) ?? this.team.auditor).token;
  }

  /** A request of this team: with this token, or with some member's key or session. */
  request(method: Sent['method'], path: string, rest: Partial<Sent> = {}, token?: string): Sent {
    const headers = token === undefined ? this.#credentials(method) : { authorization: `Bearer ${token}` };
    return { method, path, ip: this.address(), ...rest, headers: { ...headers, ...rest.headers } };
  }

  /** In some requests those of a person: of a browser, or of a program that acts for somebody. */
  #credentials(method: Sent['method']): Sent['headers'] {
    const isPerson = this.chance(25);
    const browser = this.pick(this.team.people.flatMap(({ browsers }) => browsers));
    if (isPerson && browser?.isLoggedIn) return browser.headers(method);
    const app = isPerson ? this.pick(this.team.apps) : undefined;
    return { authorization: `Bearer ${app?.accessToken ?? this.token()}` };
  }

  /** Sends, retries while the outcome is unknown, and gives the JSON of an answer that says yes. */
  async ask(sent: Sent): Promise<Record<string, unknown> | undefined> {
    if (sent.headers['idempotency-key'] !== undefined) this.team.sent.push(sent);
    return successJson(await this.exchange(sent));
  }

  /** Sends, and most often retries while the outcome is unknown. */
  exchange(sent: Sent): Promise<Answer | undefined> {
    const patient = this.chance(80);
    return (patient ? sendAgain : send)(this.world, sent);
  }

  /** Sends, and takes what comes for an answer. */
  once(sent: Sent): Promise<Answer | undefined> {
    return send(this.world, sent);
  }

  /** With a key of its own in two cases of three. */
  idempotency(): { readonly [name: string]: string } {
    return this.chance(66) ? { 'idempotency-key': this.hex(6) } : {};
  }

  /** Sometimes a demand on the revision: that of an early state, or any. */
  ifMatch(): { readonly [name: string]: string } {
    return this.chance(25) ? { 'if-match': this.chance(20) ? '*' : `"v${1 + this.below(4)}"` } : {};
  }

  learnSecret(json: Record<string, unknown> | undefined): void {
    if (json === undefined) return;
    const { id, namespace, name } = json;
    if (typeof id !== 'string' || this.team.secrets.some((known) => known.id === id)) return;
    this.team.secrets.push({ id, namespace: String(namespace), name: String(name) });
  }

  learnKey(json: Record<string, unknown> | undefined): void {
    if (json === undefined) return;
    const { id, key } = json;
    if (typeof id === 'string' && typeof key === 'string') this.team.keys.push({ id, token: key });
  }

  learnCursor(sent: Sent, json: Record<string, unknown> | undefined): void {
    const cursor = json?.['nextCursor'];
    const token = sent.headers['authorization']?.slice('Bearer '.length);
    if (typeof cursor === 'string' && token !== undefined)
      this.team.cursors.push({ path: sent.path, token, cursor });
  }
}

function successJson(answer: Answer | undefined): Record<string, unknown> | undefined {
  if (answer === undefined || answer.status >= 300 || !answer.text.startsWith('{')) return undefined;
  return JSON.parse(answer.text) as Record<string, unknown>;
}
