import type { Role } from '../../core/access/role.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { createUser } from '../../core/identity/create-user.ts';
import { findPerson } from '../../core/identity/person.ts';
import { type User, userKind } from '../../core/identity/user.ts';
import { create, update } from '../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { membershipKind, newSessionGroup } from '../../core/members/membership.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import type { ApiResponse } from '../../lambdas/api/http/route.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { type ApiCall, callApi } from './call-api.ts';

/** Satisfies both password profiles. */
export const PASSWORD = 'Correct-Horse-7-Battery';

/** Makes a person a member of a workspace by the trail alone; somebody who is there already joins one more. */
export async function addPerson(
  vault: Vault,
  workspaceId: string,
  { email, role, password = PASSWORD }: { email: string; role: Role; password?: string },
): Promise<User> {
  const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error(`There is no workspace ${workspaceId}.`);
  const origin = systemOrigin(workspaceId, 'test');
  const known = await findPerson(vault.store, email);
  const wanted = { email, password, field: 'password', workspaces: [], workspaceId };
  const user =
    known === undefined ? await createUser(vault, wanted, origin) : await join(vault, known, workspaceId);
  const membership = create(membershipKind, {
    workspaceId,
    id: user.id,
    email: user.email,
    role,
    joinedAt: timestamp(vault.clock.now()),
    invitedBy: 'test',
    sessionGroup: newSessionGroup(vault.random),
  });
  const owners =
    role === 'owner' ? [update(workspaceKind, workspace, { owners: [...workspace.owners, user.id] })] : [];
  await vault.trail.commit(origin, [
    {
      action: 'member.joined',
      entity: { type: 'user', id: user.id },
      result: 'success',
      changes: [membership, ...owners],
    },
  ]);
  return user;
}

async function join(vault: Vault, user: User, workspaceId: string): Promise<User> {
  const next = update(userKind, user, { workspaceIds: [...user.workspaceIds, workspaceId] });
  await vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'test'), [
    {
      action: 'user.joined_workspace',
      entity: { type: 'user', id: user.id },
      result: 'success',
      changes: [next],
    },
  ]);
  return next.entity;
}

/** A browser: keeps its cookies, and sends the CSRF token and its origin with every mutation. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrfToken: string | undefined;
  readonly #vault: Vault;
  readonly #ip: string;

  constructor(vault: Vault, ip = '203.0.113.7') {
    this.#vault = vault;
    this.#ip = ip;
  }

  async send(
    method: string,
    path: string,
    json?: unknown,
    more: Partial<ApiCall> = {},
  ): Promise<ApiResponse & { readonly body: Record<string, unknown> }> {
    const headers = {
      ...(this.cookies.size === 0 ? {} : { Cookie: this.cookieHeader() }),
      ...(method === 'GET' ? {} : { Origin: this.#vault.publicUrl }),
      ...(method === 'GET' || this.csrfToken === undefined ? {} : { 'X-CSRF-Token': this.csrfToken }),
      ...more.headers,
    };
    const call = { ...more, method, path, headers, ip: this.#ip };
    const response = await callApi(this.#vault, json === undefined ? call : { ...call, json });
    for (const cookie of response.cookies ?? []) this.#keep(cookie);
    const body = (response.json ?? parsed(response.text)) as Record<string, unknown>;
    if (typeof body['csrfToken'] === 'string') this.csrfToken = body['csrfToken'];
    return { ...response, body };
  }

  get(path: string, more?: Partial<ApiCall>) {
    return this.send('GET', path, undefined, more);
  }

  post(path: string, json?: unknown, more?: Partial<ApiCall>) {
    return this.send('POST', path, json, more);
  }

  logIn(email: string, password = PASSWORD) {
    return this.post('/auth/login', { email, password });
  }

  stepUp(password = PASSWORD) {
    return this.post('/auth/step-up', { password });
  }

  cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(cookie: string): void {
    const [pair = '', ...attributes] = cookie.split('; ');
    const name = pair.slice(0, pair.indexOf('='));
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(name.length + 1));
  }
}

function parsed(text: string | undefined): unknown {
  return text?.startsWith('{') ? JSON.parse(text) : {};
}

/** A person with a session in a fresh browser, stepped up if wanted. */
export async function loggedIn(
  vault: Vault,
  email: string,
  { steppedUp = false }: { readonly steppedUp?: boolean } = {},
): Promise<Browser> {
  const browser = new Browser(vault);
  const answer = await browser.logIn(email);
  if (answer.status !== 200) throw new Error(`The login of ${email} was answered with ${answer.status}.`);
  if (steppedUp) await browser.stepUp();
  return browser;
}
