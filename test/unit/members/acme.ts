import { findPerson } from '../../../core/identity/person.ts';
import type { User } from '../../../core/identity/user.ts';
import { setUp } from '../../../core/workspaces/set-up.ts';
import { callApi } from '../../support/call-api.ts';
import { CALLER, type MemoryVault, memoryVault, rowsOf, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { type Browser, PASSWORD } from '../../support/people.ts';

export const OLGA = 'olga@example.com';

/** A vault whose first workspace has one person in it, Olga, its owner; and an owner's API key. */
export async function acme() {
  const vault = memoryVault();
  const input = { setupToken: SETUP_TOKEN, workspaceName: 'Acme', email: OLGA, password: PASSWORD };
  const { workspaceId, token, owner } = await setUp(vault, input, CALLER);
  if (owner === undefined) throw new Error('There is no owner.');
  return { vault, workspaceId, ownerKey: token, ownerId: owner.id };
}

/** Invites somebody, and gives the token of the link in the mail. */
export async function invited(
  vault: MemoryVault,
  by: Browser,
  email: string,
  role = 'operator',
): Promise<string> {
  const { status, text } = await by.post('/workspace/invitations', { email, role });
  if (status !== 201) throw new Error(`The invitation was answered with ${status}: ${text}`);
  return vault.mail.tokenFor(email);
}

export function accept(vault: MemoryVault, token: string, { password = PASSWORD, ip = '198.51.100.1' } = {}) {
  return callApi(vault, { method: 'POST', path: '/invitations/accept', json: { token, password }, ip });
}

export async function person(vault: MemoryVault, email: string): Promise<User> {
  const user = await findPerson(vault.store, email);
  if (user === undefined) throw new Error(`There is no ${email}.`);
  return user;
}

/** What was recorded, as action and result. */
export function recorded(vault: MemoryVault, workspaceId: string, lane = 0): string[] {
  return rowsOf(vault, workspaceId, lane).map(({ action, result }) => `${action} ${result}`);
}

/** Everything that is stored: rows and entities, as text. */
export function stored({ tables }: MemoryVault): string {
  const rows = [...tables.rows.values()].map(({ bytes }) => Buffer.from(bytes).toString('utf8'));
  return JSON.stringify([rows, [...tables.entities.values()]]);
}

/** The next append that comes as number `lost` from now on is lost, and all after it: the function crashes there. */
export function crashAt(vault: MemoryVault, lost: number): void {
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    return appends >= lost ? 'before' : 'none';
  };
}

export function recover(vault: MemoryVault): void {
  vault.tables.faults = async () => 'none';
}
