import type { Role } from '../../core/access/role.ts';
import type { ApiResponse } from '../../lambdas/api/http/route.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { type ApiCall, callApi } from './call-api.ts';
import type { MemoryMail } from './memory-services.ts';
import { addPerson, Browser, PASSWORD } from './people.ts';

/** A vault whose mail can be read, and whose customers have keys. */
export type WorldVault = Vault & {
  readonly mail: MemoryMail;
  /** Makes a key in the account of a customer, with the policy that the vault hands out for this workspace; gives its ARN. */
  newCustomerKey(workspaceId: string): Promise<string>;
};

/** A workspace to make requests in. */
export interface World {
  readonly vault: WorldVault;
  readonly workspaceId: string;
  readonly ownerToken: string;
  /** Makes a request with the owner's key, and gives its JSON. */
  readonly prepare: (call: Omit<ApiCall, 'token'>) => Promise<Record<string, unknown>>;
  /** A new secret of a hundred bytes in a namespace that exists; gives its id. */
  readonly secret: (name?: string) => Promise<string>;
}

/** Somebody in a workspace, logged in in a browser and at an address of their own. */
export interface Member {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly browser: Browser;
}

export const NAMESPACE = 'costs';
export const VALUE = 'v'.repeat(100);

let names = 0;
export function freshName(): string {
  names += 1;
  return `name-${names}`;
}

/** An address that nobody has come from yet, so that nobody's limit is used up. */
export function freshAddress(): string {
  names += 1;
  return `198.18.${names >> 8}.${names & 255}`;
}

/** The world that a successful `POST /setup` has made, with a first secret in it. */
export async function worldOf(vault: WorldVault, response: ApiResponse): Promise<World> {
  const { apiKey, workspaceId } = response.json as { apiKey: { key: string }; workspaceId: string };
  const prepare: World['prepare'] = async (call) => {
    const { status, json, text } = await callApi(vault, { token: apiKey.key, ...call });
    if (status >= 400) throw new Error(`${call.method} ${call.path} answered ${status}: ${text}`);
    return (json ?? {}) as Record<string, unknown>;
  };
  const secret: World['secret'] = async (name = freshName()) => {
    const json = { namespace: NAMESPACE, name, value: VALUE };
    return String((await prepare({ method: 'POST', path: '/secrets', json }))['id']);
  };
  await secret();
  return { vault, workspaceId, ownerToken: apiKey.key, prepare, secret };
}

/** Somebody new in a workspace, with a session; stepped up unless wanted otherwise. */
export async function addMember(
  vault: Vault,
  workspaceId: string,
  {
    role = 'owner',
    steppedUp = true,
    password = PASSWORD,
  }: { readonly role?: Role; readonly steppedUp?: boolean; readonly password?: string } = {},
): Promise<Member> {
  const email = `${freshName()}@example.com`;
  const { id } = await addPerson(vault, workspaceId, { email, role, password });
  const browser = new Browser(vault, freshAddress());
  await expectSuccess(browser.logIn(email, password));
  if (steppedUp) await expectSuccess(browser.stepUp(password));
  return { id, email, role, browser };
}

/** The JSON of an answer that has to be a success. */
export async function expectSuccess(
  answer: Promise<ApiResponse & { readonly body: Record<string, unknown> }>,
): Promise<Record<string, unknown>> {
  const { status, body, text } = await answer;
  if (status >= 400) throw new Error(`A request to get ready was answered with ${status}: ${text}`);
  return body;
}
