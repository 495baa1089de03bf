import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { update } from '../../../core/kernel/entity.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { loggedIn } from '../../support/people.ts';
import {
  answerOf,
  decide,
  EMAIL,
  granted,
  hiddenFields,
  oauthWorld,
  openConsent,
  redeem,
  submit,
  tokensOf,
} from './oauth-world.ts';

async function requireMfa(vault: MemoryVault, workspaceId: string): Promise<void> {
  const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error('There is no workspace.');
  const next = update(workspaceKind, workspace, { policy: { ...workspace.policy, requireMfa: true } });
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [next],
    },
  ]);
}

describe('somebody who owes a second factor', () => {
  it('I3 is told what to do, and can let no program act, on the page or by a form of their own', async () => {
    const { vault, workspaceId } = await oauthWorld();
    const browser = await loggedIn(vault, EMAIL);
    await requireMfa(vault, workspaceId);
    const page = await openConsent(browser);
    expect(page.text).toContain('A workspace of yours demands a second factor');
    expect(page.text).not.toContain('value="allow"');
    const fields = { ...hiddenFields(page), decision: 'allow' };
    const answer = await submit(browser, '/oauth/authorize', fields);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('demands a second factor');
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
      action: 'oauth.authorized',
      result: 'denied',
      detail: { code: 'mfa_enrollment_required' },
    });
  });

  it('can still refuse', async () => {
    const { vault, workspaceId } = await oauthWorld();
    const browser = await loggedIn(vault, EMAIL);
    await requireMfa(vault, workspaceId);
    expect(answerOf(await decide(browser, 'deny'))['error']).toBe('access_denied');
  });

  it('I3 a code that was granted before the workspace wanted it opens a session that owes it too', async () => {
    const { vault, workspaceId } = await oauthWorld();
    const { code } = await granted(vault);
    await requireMfa(vault, workspaceId);
    const { access_token } = tokensOf(await redeem(vault, code));
    const answer = await callApi(vault, { method: 'GET', path: '/secrets', token: access_token });
    expect(problemCode(answer)).toBe('mfa_enrollment_required');
  });
});
