import { VaultError } from '../../../core/kernel/errors.ts';
import type { Route } from './route.ts';

export interface RouteMatch {
  readonly route: Route;
  readonly params: { readonly [name: string]: string };
}

/**
 * The route for a method and a path. A literal segment wins over a parameter, so `/secrets/import` is not an id.
 *
 * @throws VaultError `not_found`, or `method_not_allowed` when the path exists with other methods.
 */
export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const segments = pathSegments(path);
  const matches = segments === undefined ? [] : routes.flatMap((route) => match(route, segments));
  const exact = matches.filter(({ params }) => Object.keys(params).length === fewestParams(matches));
  const found = exact.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  const allow = exact.map(({ route }) => route.method);
  if (allow.length === 0)
    throw new VaultError('not_found', 'There is nothing at this path. See GET /openapi.json.');
  throw new VaultError(
    'method_not_allowed',
    `This path takes ${allow.join(', ')}, not ${method.slice(0, 16)}.`,
    { allow },
  );
}

function fewestParams(matches: readonly RouteMatch[]): number {
  return Math.min(...matches.map(({ params }) => Object.keys(params).length));
}

/** The decoded segments of a path, or `undefined` if its escapes are broken. */
function pathSegments(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function match(route: Route, segments: readonly string[]): RouteMatch[] {
  const pattern = route.path.split('/').slice(1);
  if (pattern.length !== segments.length) return [];
  const params: { [name: string]: string } = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? '';
    if (expected.startsWith('{')) {
      if (actual === '') return [];
      params[expected.slice(1, -1)] = actual;
    } else if (expected !== actual) return [];
  }
  return [{ route, params }];
}
