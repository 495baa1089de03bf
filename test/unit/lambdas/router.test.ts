import { type GuardedRoute, guarded } from '../../../lambdas/api/http/route.ts';
import { findRoute } from '../../../lambdas/api/http/router.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';

const route = (method: GuardedRoute['method'], path: string) =>
  guarded({
    method,
    path,
    summary: '',
    permission: 'secret:read',
    action: 'secret.read',
    responses: [],
    handle: async () => ({ status: 200 }),
  });

const table = [
  route('GET', '/secrets/{id}'),
  route('DELETE', '/secrets/{id}'),
  route('POST', '/secrets/import'),
  route('GET', '/secrets/{id}/versions'),
  route('GET', '/a/{x}/b/{y}'),
];
const find = (method: string, path: string) => findRoute(table, method, path);

it('finds a route and its parameters', () => {
  expect(find('GET', '/secrets/abc')).toMatchObject({
    route: { method: 'GET', path: '/secrets/{id}' },
    params: { id: 'abc' },
  });
  expect(find('GET', '/a/1/b/2').params).toEqual({ x: '1', y: '2' });
});

it('decodes each segment by itself: an escaped slash does not divide', () => {
  expect(find('GET', '/secrets/a%2Fb%20c').params).toEqual({ id: 'a/b c' });
});

it('a literal segment beats a parameter, whatever the method', () => {
  expect(find('POST', '/secrets/import').route.path).toBe('/secrets/import');
  expect(() => find('GET', '/secrets/import')).toThrow(expect.objectContaining({ allow: ['POST'] }));
});

it.each(['/', '', '/secrets', '/secrets/', '/secrets//versions', '//secrets/a', '/secrets/a/', '/Secrets/a'])(
  'nothing is at %p',
  (path) => {
    expect(() => find('GET', path)).toThrow(expect.objectContaining({ code: 'not_found' }));
  },
);

it.each(['/secrets/%', '/secrets/%zz', '/secrets/%ff', '/%E0%A4%A/versions'])(
  'a broken escape is no path: %s',
  (path) => {
    expect(() => find('GET', path)).toThrow(expect.objectContaining({ code: 'not_found' }));
  },
);

it('another method is refused with those that there are', () => {
  expect(() => find('PUT', '/secrets/a')).toThrow(
    expect.objectContaining({ code: 'method_not_allowed', allow: ['GET', 'DELETE'] }),
  );
  expect(() => find('X'.repeat(500), '/secrets/a')).toThrow(/^.{1,120}$/);
});

it('no two routes of the API are the same', () => {
  const names = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
  expect(new Set(names).size).toBe(names.length);
});

it('every route of the API is found at its own path', () => {
  for (const { method, path } of routes) {
    const example = path.replaceAll(/\{(\w+)\}/g, 'some-$1');
    expect(findRoute(routes, method, example).route).toMatchObject({ method, path });
  }
});
