import type { Sent } from './evidence.ts';
import type { Operation } from './operations.ts';
import { Browser, browse, linkTo, newPerson, type Person, signedIn, steppedUp, viewOf } from './people.ts';
import type { Client } from './team.ts';

const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const;

/** Who is in a workspace, and as what. */
export const memberOperations: readonly Operation[] = [
  { name: 'invite and accept', weight: 4, run: inviteAndAccept },
  { name: 'revoke an invitation', weight: 1, run: revokeInvitation },
  { name: 'list members', weight: 2, run: listMembers },
  { name: 'change a role', weight: 9, run: changeRole },
  { name: 'remove a member', weight: 2, run: removeMember },
  { name: 'leave', weight: 1, run: leave },
  { name: 'sign a member out', weight: 5, run: signMemberOut },
  { name: 'require MFA', weight: 3, run: requireMfa },
  { name: 'foreign and absent member', weight: 2, run: probeMember },
];

/** Mostly with a key that may, else as one of the people. */
async function manage(
  client: Client,
  method: Sent['method'],
  path: string,
  body?: Sent['body'],
): Promise<{ readonly status: number | undefined; readonly id?: string }> {
  const rest = body === undefined ? {} : { body };
  const browser = client.chance(35) ? await steppedUp(client) : undefined;
  const answer =
    browser === undefined
      ? await client.exchange(client.request(method, path, rest, client.team.auditor.token))
      : await browse(client, browser, method, path, rest);
  const { id } = viewOf(answer) as { readonly id?: string };
  return { status: answer?.status, ...(id === undefined ? {} : { id }) };
}

/** Somebody new, or one of the other team's people: they are in both then. */
async function inviteAndAccept(client: Client): Promise<boolean> {
  const other = client.chance(45) ? client.pick(client.others.flatMap(({ people }) => people)) : undefined;
  return invite(client, other ?? newPerson(client), client.choose(ROLES), client.chance(30) ? 2 : 1);
}

/** Has somebody invited, who accepts as often as said, at once. */
export async function invite(client: Client, person: Person, role: string, times: number): Promise<boolean> {
  await manage(client, 'POST', '/workspace/invitations', { email: person.email, role });
  const token = linkTo(client, person.email, 'lzi');
  if (token === undefined) return false;
  const isNew = !client.others.some(({ people }) => people.includes(person));
  const browser = new Browser(person);
  const answers = await Promise.all(
    Array.from({ length: times }, () =>
      browse(client, browser, 'POST', '/invitations/accept', { body: { token, password: person.password } }),
    ),
  );
  const isUncertain = answers.some((answer) => answer === undefined || answer.status === 503);
  const { user } = viewOf(answers.find((answer) => answer?.status === 201));
  if (user === undefined && !isUncertain) return false;
  if (user !== undefined) person.userId = user.id;
  if (isNew || user !== undefined) client.team.people.push(person);
  return user !== undefined;
}

async function revokeInvitation(client: Client): Promise<boolean> {
  const { email } = newPerson(client);
  const { id } = await manage(client, 'POST', '/workspace/invitations', { email, role: 'viewer' });
  const { status } = await manage(
    client,
    'DELETE',
    `/workspace/invitations/${id ?? `inv_${client.hex(16)}`}`,
  );
  const token = linkTo(client, email, 'lzi');
  const body = { token: token ?? '-', password: client.world.secretText() };
  await client.exchange({
    method: 'POST',
    path: '/invitations/accept',
    headers: {},
    body,
    ip: client.address(),
  });
  return status === 204;
}

async function listMembers(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  return (await browse(client, browser, 'GET', '/workspace/members'))?.status === 200;
}

function member(client: Client): string {
  const known = client.pick(client.team.people.filter(({ userId }) => userId !== undefined));
  return known?.userId ?? absentUser(client);
}

function absentUser(client: Client): string {
  const hex = client.hex(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}

/** Whoever it was about tries what only some roles may, before and after. */
async function changeRole(client: Client): Promise<boolean> {
  const body = { role: client.choose(ROLES) };
  const person = client.pick(client.team.people.filter(({ userId }) => userId !== undefined));
  const browser = person && (await signedIn(client, person));
  const tryOut = async (): Promise<void> => {
    if (browser === undefined) return;
    await browse(client, browser, 'GET', '/api-keys');
    await browse(client, browser, 'POST', '/namespaces', { body: { name: client.namespace() } });
  };
  if (client.chance(50)) await tryOut();
  const id = person?.userId ?? absentUser(client);
  const { status } = await manage(client, 'PATCH', `/workspace/members/${id}`, body);
  await tryOut();
  return status === 200;
}

async function removeMember(client: Client): Promise<boolean> {
  return (await manage(client, 'DELETE', `/workspace/members/${member(client)}`)).status === 204;
}

async function leave(client: Client): Promise<boolean> {
  const browser = await steppedUp(client);
  const id = browser?.person.userId;
  if (browser === undefined || id === undefined) return false;
  return (await browse(client, browser, 'DELETE', `/workspace/members/${id}`))?.status === 204;
}

async function signMemberOut(client: Client): Promise<boolean> {
  const { status } = await manage(client, 'DELETE', `/workspace/members/${member(client)}/sessions`);
  const browser = client.pick(client.team.people.flatMap(({ browsers }) => browsers));
  if (browser?.isLoggedIn) await browse(client, browser, 'GET', '/workspace');
  return status === 204;
}

async function requireMfa(client: Client): Promise<boolean> {
  const body = { policy: { requireMfa: client.chance(60) } };
  const { status } = await manage(client, 'PATCH', '/workspace', body);
  const browser = await signedIn(client);
  if (browser !== undefined) await browse(client, browser, 'GET', '/workspace/members');
  return status === 200;
}

/** The same request about another tenant's member and about nobody. */
async function probeMember(client: Client): Promise<boolean> {
  const { token } = client.team.auditor;
  const own = client.team.people.map(({ userId }) => userId);
  const foreign = client.pick(
    client.others
      .flatMap(({ people }) => people.flatMap(({ userId }) => userId ?? []))
      .filter((id) => !own.includes(id)),
  );
  if (foreign === undefined) return false;
  const [method, end, rest] = client.choose<readonly [Sent['method'], string, Partial<Sent>]>([
    ['PATCH', '', { body: { role: 'viewer' } }],
    ['DELETE', '', {}],
    ['DELETE', '/sessions', {}],
  ]);
  const statuses = [];
  for (const id of [foreign, absentUser(client)]) {
    const path = `/workspace/members/${id}${end}`;
    statuses.push((await client.exchange(client.request(method, path, rest, token)))?.status);
  }
  return statuses.includes(404);
}
