import { parseArgs } from 'node:util';
import { type CustomerAccount, openCustomerAccount } from './customer-account.ts';
import { openBrowser } from './demo/browser.ts';
import type { DevConfig } from './dev-config.ts';
import { RESOURCES } from './environment.ts';
import { StartError } from './settings.ts';

const USAGE = `Plays the customer whose own key wraps a workspace's values, beside a running "npm run dev".

  npm run customer-key -- create [<file>] [--multi-region] [--account <12 digits>]
  npm run customer-key -- policy <key ARN> [<file>]
  npm run customer-key -- bring | disable | enable | delete | restore-deletion <key ARN>
  npm run customer-key -- return | retire

  create            makes a key in the customer's account, ${RESOURCES.customerAccountId} unless said otherwise
  policy            puts these statements in the place of those that the key's policy had for others
  bring             has the key wrap the values of the workspace "Demo", as its owner
  return            has the vault's own key wrap them again
  retire            gives the earlier keys up, once no value lies under them any more
  delete            schedules the key's deletion, in seven days
  restore-deletion  cancels that; the key is disabled then, until it is enabled
  <file>            what GET /workspace/encryption-key answers, or its "keyPolicy"; - reads it from standard input.
                    Without it, nobody else may use the key`;

type Act = (account: CustomerAccount, keyArn: string, statements: readonly unknown[]) => Promise<string>;

const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    'policy',
    async (account, keyArn, statements) => {
      await account.changeStatements(keyArn, statements);
      return `The policy of ${keyArn} has ${statements.length} statements for others.`;
    },
  ],
  ['disable', (account, keyArn) => account.disable(keyArn).then(() => `${keyArn} is disabled.`)],
  ['enable', (account, keyArn) => account.enable(keyArn).then(() => `${keyArn} is enabled.`)],
  [
    'delete',
    async (account, keyArn) => {
      const date = await account.scheduleDeletion(keyArn);
      return `${keyArn} is of no use from now on, and gone on ${date.toISOString()}.`;
    },
  ],
  [
    'restore-deletion',
    (account, keyArn) => account.cancelDeletion(keyArn).then(() => `${keyArn} stays, and is disabled.`),
  ],
]);

/** What only a person may do, and what there is to say once it is done. */
interface OwnersAct {
  readonly request: readonly ['PUT' | 'DELETE', path: string, json?: unknown];
  readonly done: string;
}

const OWNERS_ACTS: ReadonlyMap<string, OwnersAct> = new Map([
  [
    'return',
    {
      request: ['DELETE', '/workspace/encryption-key'],
      done: 'The vault’s own key wraps the values of the workspace "Demo" from now on.',
    },
  ],
  [
    'retire',
    {
      request: ['DELETE', '/workspace/encryption-key/previous'],
      done: 'The workspace "Demo" has no earlier key any more.',
    },
  ],
]);

const bringing = (keyArn: string): OwnersAct => ({
  request: ['PUT', '/workspace/encryption-key', { keyArn }],
  done: `${keyArn} wraps the values of the workspace "Demo" from now on.`,
});

const KEY_ARN = /^arn:aws:kms:[a-z0-9-]+:(\d{12}):key\/[\w-]+$/;
const ACCOUNT_ID = /^\d{12}$/;

/**
 * Does what the arguments say, and gives what there is to say about it. Throws StartError where they say nothing that can
 * be done.
 *
 * @param read gives the text of a file, `-` for standard input.
 */
export async function runCustomerKey(
  args: readonly string[],
  config: DevConfig,
  read: (file: string) => Promise<string>,
): Promise<string> {
  const { values, positionals } = parse(args);
  const [command = '', ...operands] = positionals;
  if (values.help === true || command === '') return USAGE;
  const statementsOf = async (file: string | undefined) =>
    file === undefined ? [] : statementsIn(await read(file));

  if (command === 'create') {
    const { account: accountId = RESOURCES.customerAccountId, 'multi-region': isMultiRegion } = values;
    if (!ACCOUNT_ID.test(accountId) || operands.length > 1) throw new StartError(USAGE);
    const statements = await statementsOf(operands[0]);
    const keyArn = await within(config, accountId, (account) => account.createKey(statements, isMultiRegion));
    return nextSteps(config, keyArn, statements.length > 0);
  }
  const own = OWNERS_ACTS.get(command);
  if (own !== undefined && operands.length === 0) return asOwner(config, own);
  const act = ACTS.get(command);
  if (act === undefined && command !== 'bring')
    throw new StartError(`It cannot "${args.join(' ')}".\n\n${USAGE}`);
  const [keyArn = '', file] = operands;
  const [, accountId] = KEY_ARN.exec(keyArn) ?? [];
  if (accountId === undefined) throw new StartError(`"${keyArn}" is no ARN of a KMS key.\n\n${USAGE}`);
  if (operands.length > (command === 'policy' ? 2 : 1)) throw new StartError(USAGE);
  if (act === undefined) return asOwner(config, bringing(keyArn));
  const statements = await statementsOf(file);
  return within(config, accountId, (account) => act(account, keyArn, statements));
}

async function within<T>(
  { aws }: DevConfig,
  accountId: string,
  act: (account: CustomerAccount) => Promise<T>,
): Promise<T> {
  const account = openCustomerAccount(aws, accountId);
  try {
    return await act(account);
  } finally {
    account.close();
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        account: { type: 'string' },
        'multi-region': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch {
    throw new StartError(USAGE);
  }
}

function statementsIn(text: string): readonly unknown[] {
  try {
    const answer: unknown = JSON.parse(text);
    const { keyPolicy = answer } = Object(answer) as { readonly keyPolicy?: unknown };
    if (Array.isArray(keyPolicy)) return keyPolicy;
  } catch {
    // The refusal below says all that the parser could.
  }
  throw new StartError(
    'The statements must be what GET /workspace/encryption-key answers, or its "keyPolicy".',
  );
}

/** As a person who has just proved who they are. */
async function asOwner({ url, owner }: DevConfig, { request, done }: OwnersAct): Promise<string> {
  const browser = openBrowser(url);
  const steps = [
    ['POST', '/auth/login', owner],
    ['POST', '/auth/step-up', { password: owner.password }],
    request,
  ] as const;
  for (const [method, path, json] of steps) {
    const answer = await browser.send<Refusal>(method, path, json);
    if (answer.status >= 300) {
      const { detail = 'It says no more.', errors = [] } = answer.json;
      const reasons = errors.map(({ reason }) => `- it ${reason}`);
      throw new StartError([`${method} ${path} answered ${answer.status}: ${detail}`, ...reasons].join('\n'));
    }
  }
  return done;
}

interface Refusal {
  readonly errors?: readonly { readonly reason: string }[];
}

/** The ARN, and below it how the key comes into use, as lines for a shell. */
function nextSteps({ url, apiKey }: DevConfig, keyArn: string, isOpen: boolean): string {
  const statements = `curl -s ${url}/workspace/encryption-key -H 'Authorization: Bearer ${apiKey}'`;
  const policy = `${statements} | npm run customer-key -- policy ${keyArn} -`;
  const first = isOpen ? [] : ['Let the vault use it:', policy, ''];
  const last = [
    'Have it wrap the values of the workspace "Demo":',
    `npm run customer-key -- bring ${keyArn}`,
  ];
  return [keyArn, '', ...first, ...last].join('\n');
}
