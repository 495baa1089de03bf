import type { Credentials } from '../../core/identity/authenticate.ts';
import { readCredentials } from '../../lambdas/api/http/credentials.ts';
import { readRequest } from '../../lambdas/api/http/request.ts';
import { apiEvent } from './call-api.ts';

/** What a request shows for itself by its `Authorization` header, or without one. */
export function headerCredentials(authorization?: string): Credentials {
  const headers: { readonly [name: string]: string } =
    authorization === undefined ? {} : { Authorization: authorization };
  return readCredentials(readRequest(apiEvent({ method: 'GET', path: '/', headers })), {});
}
