import { createHash } from 'node:crypto';
import type { StoredRow } from '../../core/audit/ledger.ts';
import { setCookieOf, tokenOf } from './credentials.ts';
import type { Answer, Evidence, Exchange } from './evidence.ts';

/** An audit row as the checker reads it, with nothing of the vault's own code. */
export interface Row {
  readonly ws: string;
  readonly lane: number;
  readonly seq: number;
  readonly ts: string;
  readonly prev: string;
  readonly nonce: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly entity: { readonly type: string; readonly id: string };
  readonly changes: readonly RowChange[];
  readonly result: string;
  readonly detail: { readonly [name: string]: string };
  readonly ip: string;
  readonly ua: string;
  readonly stored: StoredRow;
  /** The stored bytes as text, and all that JSON makes of it. */
  readonly text: string;
  readonly fields: object;
  /** The scheduler's step at which it was written; -1 if nobody saw that. */
  readonly step: number;
  /** The exchange that caused it, if it was one. */
  readonly exchange: number | undefined;
}

export interface RowChange {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly digest: string;
}

/** Who a token belongs to, as far as anybody was told. */
export interface Holder {
  readonly type: 'api_key' | 'user';
  readonly id: string;
  readonly workspaceId: string;
  /** Of a session's tokens: the session, and the row with which they were made. */
  readonly session?: { readonly id: string; readonly issued: Row };
}

/** What the checks have in common. */
export interface Facts {
  readonly evidence: Evidence;
  /** By workspace, lane and number. */
  readonly rows: readonly Row[];
  readonly rowsOfExchange: ReadonlyMap<number, readonly Row[]>;
  readonly holders: ReadonlyMap<string, Holder>;
  /** Reports a violation: the invariant, and what is wrong. */
  readonly report: (invariant: string, sentence: string) => void;
}

export function gatherFacts(evidence: Evidence, report: Facts['report']): Facts {
  const steps = new Map<string, number>();
  for (const { step, rows } of evidence.commits) for (const row of rows) steps.set(rowName(row), step);
  const rows = [...evidence.rows]
    .map((stored) => readRow(stored, steps.get(rowName(stored)) ?? -1, report))
    .filter((row) => row !== undefined)
    .sort((a, b) => (a.ws === b.ws ? a.lane - b.lane || a.seq - b.seq : a.ws < b.ws ? -1 : 1));
  const rowsOfExchange = Map.groupBy(
    rows.filter((row) => row.exchange !== undefined),
    (row) => row.exchange ?? -1,
  );
  return { evidence, rows, rowsOfExchange, holders: tokenHolders(evidence, rowsOfExchange), report };
}

export function rowName({ workspaceId, lane, seq }: StoredRow): string {
  return `${workspaceId}/${lane}-${seq}`;
}

function readRow(stored: StoredRow, step: number, report: Facts['report']): Row | undefined {
  try {
    const text = Buffer.from(stored.bytes).toString('utf8');
    const fields = JSON.parse(text);
    const { lane, seq, ...rest } = fields;
    const exchange = /^client\/(\d+)$/.exec(rest.ua)?.[1];
    return {
      ...rest,
      lane: Number(lane),
      seq: Number(seq),
      stored,
      text,
      fields,
      step,
      exchange: exchange === undefined ? undefined : Number(exchange),
    };
  } catch {
    report('I2', `the row ${rowName(stored)} is not JSON`);
    return undefined;
  }
}

/**
 * API keys are told in the answers of `POST /setup`, `POST /api-keys` and rotations; sessions' tokens where a row tells
 * that they were made; and nowhere else.
 */
function tokenHolders(evidence: Evidence, rowsOfExchange: Facts['rowsOfExchange']): Map<string, Holder> {
  const holders = new Map<string, Holder>();
  const type = 'api_key';
  for (const { token, keyId: id, workspaceId } of evidence.grants)
    holders.set(token, { type, id, workspaceId });
  for (const exchange of evidence.exchanges) {
    const { sent, answer } = exchange;
    if (!isSuccess(answer)) continue;
    const json = jsonOf(answer);
    if (sent.path === '/setup') {
      holders.set(json.apiKey.key ?? '', { type, id: json.apiKey.id, workspaceId: json.workspaceId });
    } else if (sent.path.startsWith('/api-keys') && json.key !== undefined) {
      const maker = holders.get(tokenOf(exchange) ?? '');
      if (maker !== undefined) holders.set(json.key, { type, id: json.id, workspaceId: maker.workspaceId });
    } else {
      const issued = rowsOfExchange.get(exchange.number)?.find(isIssue);
      if (issued === undefined) continue;
      const session = { id: issued.entity.id, issued };
      const holder: Holder = { type: 'user', id: issued.actor.id, workspaceId: issued.ws, session };
      for (const token of sessionTokens(answer)) holders.set(token, holder);
    }
  }
  return holders;
}

/** Whether a row tells that a session got new tokens. */
export function isIssue({ action, entity, changes }: Row): boolean {
  return (
    ISSUES.has(action) && entity.type === 'session' && changes.some(({ kind }) => kind === 'refreshToken')
  );
}

const ISSUES: ReadonlySet<string> = new Set([
  'authentication.succeeded',
  'authentication.stepped_up',
  'session.refreshed',
  'session.switched',
]);

/** The access and the refresh token in an answer, as cookies, in a session's JSON or in that of OAuth. */
function sessionTokens(answer: Answer): string[] {
  const { tokens, access_token, refresh_token } = jsonOf(answer);
  const told = [
    setCookieOf(answer, 'access'),
    setCookieOf(answer, 'refresh'),
    tokens?.accessToken,
    tokens?.refreshToken,
    access_token,
    refresh_token,
  ];
  return told.filter((token) => token !== undefined);
}

export function isSuccess(answer: Answer | undefined): answer is Answer {
  return answer !== undefined && answer.status < 400;
}

/** What may stand in an answer: each request's answer has those members that the API description gives it. */
export interface View {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly value?: string;
  readonly key?: string;
  readonly role: string;
  readonly namespaces: readonly string[];
  readonly revokedAt?: string;
  readonly expiresAt?: string;
  readonly outcome: string;
  readonly action: string;
  readonly hash: string;
  readonly actor: { readonly id: string };
  readonly code: string;
  readonly email: string;
  readonly userId?: string;
  readonly ok: boolean;
  readonly items?: readonly View[];
  readonly errors: readonly View[];
  readonly nextCursor: string | null;
  readonly workspaceId: string;
  readonly apiKey: View;
  readonly user?: View;
  readonly workspace?: View;
  readonly session?: View;
  readonly csrfToken?: string;
  readonly mfaToken?: string;
  readonly secret?: string;
  readonly uri?: string;
  readonly backupCodes?: readonly string[];
  readonly tokens?: { readonly accessToken: string; readonly refreshToken: string };
  readonly error?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** The answer's JSON; an empty object for answers that are none. */
export function jsonOf(answer: Answer): View {
  return JSON.parse(answer.text.startsWith('{') ? answer.text : '{}') as View;
}

export function nameOf({ number, sent, answer }: Exchange): string {
  return `exchange ${number} (${sent.method} ${sent.path}: ${answer?.status ?? 'crashed'})`;
}

export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Canonical JSON (RFC 8785) of what rows and entities are made of: binary as base64, no fractions. */
export function canonical(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}
