import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_MS, MAX_FAILURES, WINDOW_MS } from '../../../core/identity/lockout.ts';
import { contextWords } from '../../../core/identity/person.ts';
import { type LimitedRoute, limitsOf } from '../../../core/identity/request-limits.ts';
import { ABSOLUTE_MS, IDLE_MS, STEP_UP_MS } from '../../../core/identity/session.ts';
import { newWorkspace } from '../../../core/workspaces/workspace.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { DAY, MINUTE } from './world.ts';

const read = (name: string) => readFileSync(join(__dirname, '../../../docs', name), 'utf8');
const identity = read('identity.md');
const threats = read('threat-model.md');
/** Without its line breaks: sentences go over several lines. */
const prose = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('ASVS 6.1.1: the limits are documented as they are', () => {
  it.each<[string, readonly LimitedRoute[]]>([
    ['login; MFA; step-up', ['login', 'mfa', 'step_up']],
    ['change of password', ['password']],
    ['asking for a reset link', ['reset_request']],
    ['reset; accepting an invitation', ['reset', 'invitation']],
    ['set-up', ['setup']],
    ['refresh and `/oauth/token`', ['token']],
  ])('%s', (label, limited) => {
    const row = identity.split('\n').find((line) => line.startsWith(`| ${label} |`)) ?? '';
    const [ip, account] = row.match(/\d+/g) ?? [];
    for (const route of limited)
      expect(limitsOf(route)).toEqual({
        ip: Number(ip),
        account: account === undefined ? undefined : Number(account),
      });
  });

  it('the lock, and what keeps a stranger from locking an owner out', () => {
    expect([MAX_FAILURES, WINDOW_MS, LOCK_MS]).toEqual([10, 15 * MINUTE, 30 * MINUTE]);
    expect(prose(identity)).toContain('Ten failed logins of an account within 15 minutes lock it for 30.');
    expect(prose(identity)).toContain(
      'whoever hammers the account from elsewhere does not lock out its owner there',
    );
    const files = ['core/identity/lockout.ts', 'core/identity/request-limits.ts'];
    expect(files.filter((file) => !threats.includes(`\`${file}\``))).toEqual([]);
  });
});

it('ASVS 6.1.2: the words that passwords must not contain are documented as they are', () => {
  const { entity: workspace } = newWorkspace('ws_1', 'The Acme of Ely', '2026-01-01T00:00:00.000Z');
  expect(contextWords('ada.byron@example.com', [workspace])).toEqual(['lockzero', 'ada.byron', 'Acme']);
  expect(prose(identity)).toContain(
    'none that contains "lockzero", the name of a workspace of theirs, or the name in their address (words of four letters or more)',
  );
});

it('ASVS 6.1.3, 6.3.4: every request that changes something and is open to anybody is documented', () => {
  const open = routes.filter(({ permission, method }) => permission === 'public' && method !== 'GET');
  expect(open.length).toBeGreaterThan(10);
  const unnamed = open.filter(
    ({ method, path }) => !new RegExp(`\`(${method} )?${path}\``).test(`${identity}${threats}`),
  );
  expect(unnamed.map(({ path }) => path)).toEqual([]);
});

it('ASVS 7.1.1, 7.1.2: the limits of sessions are documented as they are, with the reasons for them', () => {
  expect([IDLE_MS, ABSOLUTE_MS, STEP_UP_MS]).toEqual([30 * MINUTE, 30 * DAY, 5 * MINUTE]);
  for (const sentence of [
    'A session ends after 30 minutes without a request',
    '30 days after the login whatever happens',
    'within the last five minutes',
    'There is no limit to how many sessions a person has.',
  ])
    expect(prose(identity)).toContain(sentence);
  const [reasons = ''] = threats.match(/^- \*\*7\.1\.1, .*?(?=\n- )/ms) ?? [];
  expect(prose(reasons)).toMatch(/SP 800-63B.*30 minutes without use.*30 days.*The reason:/);
});
