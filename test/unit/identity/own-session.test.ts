import type { UserPrincipal } from '../../../core/access/principal.ts';
import { readOwn } from '../../../core/identity/own-session.ts';
import { loggedIn, PASSWORD } from '../../support/people.ts';
import { ADA, OTHER_PASSWORD, peopleWorld } from '../promises/world.ts';

it('a request that was let in just before the password changed finds its own session over', async () => {
  const { vault, ada } = await peopleWorld();
  const browser = await loggedIn(vault, ADA, { steppedUp: true });
  const { json } = await browser.get('/auth/session');
  const { session } = json as { session: { id: string } };
  // As it was found out when the request came in.
  const principal = { type: 'user', id: ada.id, sessionId: session.id } as UserPrincipal;
  await expect(readOwn(vault.store, principal)).resolves.toMatchObject({ session: { id: session.id } });

  const changed = await browser.post('/auth/password', {
    currentPassword: PASSWORD,
    newPassword: OTHER_PASSWORD,
  });
  expect(changed.status).toBeLessThan(300);
  await expect(readOwn(vault.store, principal)).rejects.toMatchObject({ code: 'unauthenticated' });
});
