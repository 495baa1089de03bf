import { isForPeopleOnly, needsStepUp } from '../../../core/access/role.ts';
import { describeApi } from '../../../lambdas/api/openapi.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';

type Node = { readonly [key: string]: unknown };

const description = describeApi(routes);
// As a client gets it.
const document = JSON.parse(JSON.stringify(description)) as Node;
const at = (node: unknown, path: string): unknown =>
  path.split('/').reduce<unknown>((inner, key) => {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof inner === 'object' && inner !== null ? (inner as Node)[name] : undefined;
  }, node);

/** Every object in the description, with the path to it. */
function* nodes(value: unknown, path = ''): Generator<readonly [path: string, node: Node]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value as Node];
  for (const [key, member] of Object.entries(value)) yield* nodes(member, `${path}/${key}`);
}

const operation = (method: string, path: string): Node =>
  at(document, `paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}`) as Node;

it('is OpenAPI 3.1 and holds nothing that is undefined', () => {
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Lockzero', version: '1' } });
  for (const [path, node] of nodes(description)) {
    const missing = Object.keys(node).filter((key) => node[key] === undefined);
    expect({ path, missing }).toEqual({ path, missing: [] });
  }
});

it('has every route, and nothing besides', () => {
  const described = Object.entries(document['paths'] as Node).flatMap(([path, methods]) =>
    Object.keys(methods as Node).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
});

it('every reference leads somewhere', () => {
  const refs = [...nodes(document)].flatMap(([, node]) => ('$ref' in node ? [String(node['$ref'])] : []));
  expect(refs.length).toBeGreaterThan(0);
  for (const ref of refs) {
    expect(ref.startsWith('#/')).toBe(true);
    expect({ ref, target: at(document, ref.slice(2)) }).toMatchObject({ target: expect.any(Object) });
  }
});

it('operations have ids of their own, a summary, and answers for success and for problems', () => {
  const ids = routes.map(({ method, path }) => operation(method, path)['operationId']);
  expect(new Set(ids).size).toBe(routes.length);
  for (const { method, path } of routes) {
    const { summary, responses } = operation(method, path) as { summary: string; responses: Node };
    expect(summary.length).toBeGreaterThan(5);
    expect(responses['default']).toEqual({ $ref: '#/components/responses/Problem' });
    expect(Object.keys(responses).some((status) => /^[23]\d\d$/.test(status))).toBe(true);
  }
});

it('each parameter of a path is described, and is required', () => {
  for (const { method, path } of routes) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const { parameters } = operation(method, path) as {
      parameters: { name: string; in: string; required: boolean }[];
    };
    const described = parameters.filter((parameter) => parameter.in === 'path');
    expect(described.map(({ name }) => name)).toEqual(named);
    expect(described.every(({ required }) => required)).toBe(true);
  }
});

it('says who may call: people and, but for what is theirs alone, keys, with the least role', () => {
  for (const { method, path, permission } of routes) {
    const { security, description: text } = operation(method, path);
    if (permission === 'public') {
      expect(security).toEqual([]);
      continue;
    }
    const schemes = (security as object[]).flatMap((one) => Object.keys(one));
    expect(schemes).toContain('accessToken');
    expect(schemes.includes('apiKey')).toBe(!isForPeopleOnly(permission));
    expect(text).toMatch(/^Least role: (viewer|operator|admin|owner)\./);
    expect(String(text).includes('step-up')).toBe(needsStepUp(permission));
  }
});

it('says what a body must be: closed, and required where a field is', () => {
  const create = operation('POST', '/secrets')['requestBody'];
  expect(create).toMatchObject({
    required: true,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          additionalProperties: false,
          required: ['namespace', 'name', 'value'],
          properties: { name: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' } },
        },
      },
    },
  });
  expect(operation('POST', '/secrets/{id}/reveal')['requestBody']).toMatchObject({ required: false });
  expect(operation('POST', '/secrets/{id}/restore')).not.toHaveProperty('requestBody');
});

it('names the headers that a route honours', () => {
  const headers = (method: string, path: string) =>
    (operation(method, path)['parameters'] as { name: string; in: string }[])
      .filter((parameter) => parameter.in === 'header')
      .map(({ name }) => name);
  expect(headers('POST', '/secrets')).toEqual(['Idempotency-Key', 'If-Match', 'If-None-Match']);
  expect(headers('POST', '/secrets/{id}/reveal')).toEqual([]);
});
