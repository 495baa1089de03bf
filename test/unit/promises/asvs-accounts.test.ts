import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../../lambdas/shared/system.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { ADA, DAY, enrolMfa, MINUTE, OTHER_PASSWORD, peopleWorld, readUser, reasonsOf } from './world.ts';

const ROOT = join(__dirname, '../../..');

/** The files of these folders, by their path from the root, that hold the pattern. */
function filesWith(pattern: RegExp, folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((path) => path.endsWith('.ts') && pattern.test(readFileSync(join(ROOT, path), 'utf8')));
}

const PROGRAM = ['core', 'aws', 'net', 'lambdas'];

describe('ASVS 6.3.2: there are no default accounts', () => {
  const people = ({ tables }: MemoryVault) =>
    [...tables.entities.values()].flatMap(({ entity }) => (entity.kind === 'user' ? [entity] : []));
  const setUp = (vault: MemoryVault, person: object) => {
    const json = { setupToken: SETUP_TOKEN, workspaceName: 'Acme', ...person };
    return callApi(vault, { method: 'POST', path: '/setup', json });
  };

  it('a fresh vault holds nobody, and lets none of the usual ones in', async () => {
    const vault = memoryVault();
    expect(vault.tables.entities.size).toBe(0);
    for (const name of ['admin', 'root', 'owner', 'test', 'lockzero'])
      for (const password of ['admin', 'password', 'lockzero', PASSWORD]) {
        const answer = await new Browser(vault).logIn(`${name}@example.com`, password);
        expect(problemCode(answer)).toBe('login_refused');
      }
    expect(people(vault)).toEqual([]);
  });

  it('set-up makes the one person whom the operator names, or nobody', async () => {
    const named = memoryVault();
    expect((await setUp(named, { email: ADA, password: PASSWORD })).status).toBe(201);
    expect(people(named)).toMatchObject([{ email: ADA }]);
    const forMachines = memoryVault();
    expect((await setUp(forMachines, {})).status).toBe(201);
    expect(people(forMachines)).toEqual([]);
  });

  it('the owner of the demo exists on the laptop alone', () => {
    expect(filesWith(/@lockzero\.local/, [...PROGRAM, 'bin', 'lib'])).toEqual([]);
    expect(filesWith(/@lockzero\.local/, ['local'])).not.toEqual([]);
  });
});

describe('ASVS 6.2: the password of a person', () => {
  it('6.2.3: is changed only by whoever shows the current one beside the new one', async () => {
    const { vault } = await peopleWorld();
    const browser = await loggedIn(vault, ADA);
    const change = (json: object) => browser.post('/auth/password', json);
    const guess = { currentPassword: OTHER_PASSWORD, newPassword: OTHER_PASSWORD };
    expect(problemCode(await change(guess))).toBe('login_refused');
    expect(problemCode(await change({ newPassword: OTHER_PASSWORD }))).toBe('invalid_request');
    expect(problemCode(await change({ currentPassword: PASSWORD }))).toBe('invalid_request');
    expect((await new Browser(vault).logIn(ADA)).status).toBe(200);
    const json = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expect((await change(json)).status).toBe(204);
    expect((await new Browser(vault).logIn(ADA, OTHER_PASSWORD)).status).toBe(200);
  });

  it('6.2.12: is refused if it is a breached one, for whoever accepts an invitation, too', async () => {
    const { vault } = await peopleWorld();
    vault.breached.breached.push(OTHER_PASSWORD);
    const admin = await loggedIn(vault, ADA, { steppedUp: true });
    const invited = { email: 'bob@example.com', role: 'viewer' };
    expect((await admin.post('/workspace/invitations', invited)).status).toBe(201);
    const token = vault.mail.tokenFor(invited.email);
    const accept = (password: string) => new Browser(vault).post('/invitations/accept', { token, password });
    const refused = await accept(OTHER_PASSWORD);
    expect(reasonsOf(refused)).toEqual(['must not be a password that is known from a data breach']);
    expect((await accept(PASSWORD)).status).toBe(201);
  });

  it('6.2.10: stays good for ten years', async () => {
    const { vault } = await peopleWorld();
    vault.clock.advance(3_653 * DAY);
    const browser = new Browser(vault);
    const { status, body } = await browser.logIn(ADA);
    expect([status, body['owes']]).toEqual([200, undefined]);
    expect((await browser.get('/secrets')).status).toBe(200);
  });
});

it('ASVS 6.4.2: what is kept of a person has no place for a hint, a question or an answer', async () => {
  const { vault, ada } = await peopleWorld();
  await enrolMfa(vault, await loggedIn(vault, ADA));
  vault.clock.advance(MINUTE);
  expect(Object.keys(await readUser(vault, ada)).toSorted()).toEqual([
    'createdAt',
    'email',
    'epoch',
    'id',
    'kind',
    'passwordChangedAt',
    'passwordHash',
    'passwordHistory',
    'passwordProfiles',
    'revision',
    'workspaceId',
    'workspaceIds',
  ]);
});

describe('ASVS 6.5.3, 7.2.3: codes, tokens and seeds are random', () => {
  it('by node:crypto, the only source of randomness in the program', () => {
    const sources = /Math\.random\(|\brandom(Bytes|Int|UUID|FillSync|Fill)\b|getRandomValues/;
    expect(filesWith(sources, PROGRAM)).toEqual(['lambdas/shared/system.ts']);
    const system = readFileSync(join(ROOT, 'lambdas/shared/system.ts'), 'utf8');
    expect(system).toContain("import { randomBytes } from 'node:crypto';");
  });

  it('with as many bytes as are asked for, other ones each time', () => {
    const drawn = Array.from({ length: 100 }, () => Buffer.from(systemRandom.bytes(32)).toString('hex'));
    expect(new Set(drawn).size).toBe(100);
    for (const bytes of drawn) expect(bytes).toHaveLength(64);
  });
});
