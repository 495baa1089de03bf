import { findClient, isRedirectUri, type OAuthClient } from './clients.ts';
import { isCodeChallenge } from './pkce.ts';

/** What a program asks a person for: to act for them (RFC 6749 section 4.1.1, RFC 7636 section 4.3). */
export interface AuthorizationRequest {
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  /** Goes back to the client as it came. */
  readonly state: string | undefined;
}

/** A fault that the client is told of, by way of the browser (RFC 6749 section 4.1.2.1). */
export interface RefusedRequest {
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly error: 'invalid_request' | 'unsupported_response_type' | 'invalid_scope' | 'login_required';
  readonly description: string;
}

export type CheckedRequest =
  | { readonly status: 'valid'; readonly request: AuthorizationRequest }
  | { readonly status: 'refused'; readonly refused: RefusedRequest }
  /** Who asks, or where the answer would go, is not known: the browser must not be sent there. */
  | { readonly status: 'untrusted' };

/** The parameters of a request, with all values of each. */
export interface RequestParameters {
  readonly [name: string]: readonly string[];
}

/** `state` comes back in a `Location` header, and API Gateway lets all headers together have 10,240 bytes. */
const MAX_STATE = 2_048;

/**
 * Checks an authorization request. The client and the redirect URI come first: only where both are right may any other
 * fault be sent there. Unknown parameters are ignored, and empty ones count as left out (RFC 6749 section 3.1).
 */
export function checkAuthorizationRequest(parameters: RequestParameters): CheckedRequest {
  const client = findClient(single(parameters, 'client_id'));
  const redirectUri = single(parameters, 'redirect_uri');
  if (client === undefined || redirectUri === undefined || !isRedirectUri(redirectUri))
    return { status: 'untrusted' };
  const given = single(parameters, 'state');
  const state = isStrange(given) ? undefined : given;
  const codeChallenge = single(parameters, 'code_challenge');
  const fault = faultOf(parameters);
  if (fault !== undefined) return { status: 'refused', refused: { redirectUri, state, ...fault } };
  if (!isCodeChallenge(codeChallenge)) {
    const description = 'code_challenge must be the 43 characters of a SHA-256 in base64url';
    return { status: 'refused', refused: { redirectUri, state, error: 'invalid_request', description } };
  }
  return { status: 'valid', request: { client, redirectUri, codeChallenge, state } };
}

/** The one value of a parameter; `undefined` also where there are several, which {@link faultOf} refuses. */
function single(parameters: RequestParameters, name: string): string | undefined {
  const [value, ...more] = parameters[name] ?? [];
  return value === '' || more.length > 0 ? undefined : value;
}

/** Visible ASCII and spaces alone are allowed (RFC 6749 appendix A.5). */
function isStrange(state: string | undefined): boolean {
  return state !== undefined && (state.length > MAX_STATE || !/^[\x20-\x7e]*$/.test(state));
}

function faultOf(parameters: RequestParameters): Pick<RefusedRequest, 'error' | 'description'> | undefined {
  const one = (name: string): string | undefined => single(parameters, name);
  const invalid = (description: string) => ({ error: 'invalid_request', description }) as const;
  if (Object.values(parameters).some((values) => values.length > 1))
    return invalid('a parameter is given more than once');
  if (isStrange(one('state')))
    return invalid(`state must have at most ${MAX_STATE} characters of visible ASCII`);
  if (one('response_type') === undefined) return invalid('response_type is missing');
  if (one('response_type') !== 'code')
    return { error: 'unsupported_response_type', description: 'response_type must be code' };
  if ((one('response_mode') ?? 'query') !== 'query') return invalid('response_mode must be query');
  if (one('scope') !== undefined)
    return { error: 'invalid_scope', description: 'there are no scopes: leave scope out' };
  if (one('prompt')?.split(' ').includes('none') === true)
    return { error: 'login_required', description: 'every request is put before a person' };
  if (one('code_challenge') === undefined) return invalid('code_challenge is missing');
  // Left out, it would mean plain (RFC 7636 section 4.3), which hides nothing.
  if (one('code_challenge_method') !== 'S256') return invalid('code_challenge_method must be S256');
  return undefined;
}

/** The parameters of a request once it is checked, to carry it through the pages. */
export function requestFields({
  client,
  redirectUri,
  codeChallenge,
  state,
}: AuthorizationRequest): readonly (readonly [name: string, value: string])[] {
  return [
    ['response_type', 'code'],
    ['client_id', client.id],
    ['redirect_uri', redirectUri],
    ['code_challenge', codeChallenge],
    ['code_challenge_method', 'S256'],
    ...(state === undefined ? [] : ([['state', state]] as const)),
  ];
}
