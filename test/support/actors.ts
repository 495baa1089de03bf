import type { Role } from '../../core/access/role.ts';
import type { ApiKey } from '../../core/identity/api-key.ts';
import type { ApiResponse, GuardedRoute } from '../../lambdas/api/http/route.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { addKey } from './api-world.ts';
import { type ApiCall, callApi } from './call-api.ts';
import type { Member } from './world.ts';

/** Who makes a request of a guarded route: a machine or a person. */
export interface Actor {
  /** As rows name it. */
  readonly id: string;
  readonly send: (route: GuardedRoute, call: Omit<ApiCall, 'method' | 'token'>) => Promise<ApiResponse>;
}

/** A machine with a new API key. */
export async function keyActor(
  vault: Vault,
  workspaceId: string,
  rights: { readonly role: Role } & Partial<Pick<ApiKey, 'namespaces'>>,
): Promise<Actor> {
  const { id, token } = await addKey(vault, workspaceId, rights);
  return { id, send: ({ method }, call) => callApi(vault, { ...call, method, token }) };
}

/** A person in their browser; where cookies do not count, they show their access token by themselves. */
export function personActor(vault: Vault, { id, browser }: Member): Actor {
  return {
    id,
    send({ method, bearerOnly }, call) {
      const token = browser.cookies.get('__Host-lockzero_access');
      if (bearerOnly && token !== undefined) return callApi(vault, { ...call, method, token });
      return browser.send(method, call.path, call.json, call);
    },
  };
}
