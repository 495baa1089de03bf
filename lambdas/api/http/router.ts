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
  const patterns = segments === undefined ? [] : patternsOf(routes, segments.length);
  const matches = patterns.flatMap((pattern) => match(pattern, segments ?? []));
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

interface Pattern {
  readonly route: Route;
  readonly expected: readonly string[];
}

/** By the number of their segments. A function has the same routes for all its requests, so they are split once. */
const patternsByLength = new WeakMap<readonly Route[], ReadonlyMap<number, readonly Pattern[]>>();

function patternsOf(routes: readonly Route[], length: number): readonly Pattern[] {
  const known = patternsByLength.get(routes) ?? splitPatterns(routes);
  patternsByLength.set(routes, known);
  return known.get(length) ?? [];
}

function splitPatterns(routes: readonly Route[]): ReadonlyMap<number, readonly Pattern[]> {
  const patterns = new Map<number, Pattern[]>();
  for (const route of routes) {
    const expected = route.path.split('/').slice(1);
    const alike = patterns.get(expected.length) ?? [];
    patterns.set(expected.length, [...alike, { route, expected }]);
  }
  return patterns;
}

function match({ route, expected }: Pattern, segments: readonly string[]): RouteMatch[] {
  const params: { [name: string]: string } = {};
  for (const [index, actual] of segments.entries()) {
    const name = expected[index] ?? '';
    if (name.startsWith('{')) {
      if (actual === '') return [];
      params[name.slice(1, -1)] = actual;
    } else if (name !== actual) return [];
  }
  return [{ route, params }];
}
