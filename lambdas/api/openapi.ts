import * as z from 'zod';
import { isForPeopleOnly, leastRole, needsStepUp, type Permission } from '../../core/access/role.ts';
import type { GuardedRoute, ResponseDescription, Route } from './http/route.ts';

type Schema = Record<string, unknown>;

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(z.object({ path: z.string(), reason: z.string() })).optional(),
});

/** The API as an OpenAPI 3.1 document, built from the schemas that validate the requests. */
export function describeApi(routes: readonly Route[]): Schema {
  const paths: Record<string, Schema> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lockzero',
      version: '1',
      description: 'A secrets vault. Every action is recorded in an audit trail.',
    },
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: lz_ and 43 characters' },
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'The access token of a person, from OAuth: see /.well-known/oauth-authorization-server',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-lockzero_access',
          description: 'The session of a browser, from POST /auth/login; mutations need X-CSRF-Token besides',
        },
      },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      responses: {
        Problem: {
          description: 'What went wrong, and what to do (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operation(route: Route): Schema {
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.permission === 'public'
      ? { security: [] }
      : { security: securityOf(route), description: describeRights(route.permission) }),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query'), ...headers(route)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse({}).success,
            content: {
              [route.form ? 'application/x-www-form-urlencoded' : 'application/json']: {
                schema: jsonSchema(route.body, 'input'),
              },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(route.responses.map((response) => [String(response.status), describe(response)])),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function securityOf({ permission, bearerOnly }: GuardedRoute): Schema[] {
  return [
    ...(isForPeopleOnly(permission) ? [] : [{ apiKey: [] }]),
    { accessToken: [] },
    ...(bearerOnly ? [] : [{ session: [] }]),
  ];
}

function describeRights(permission: Permission): string {
  const stepUp = needsStepUp(permission) ? ' People need a step-up within the last five minutes.' : '';
  return `Least role: ${leastRole(permission)}.${stepUp}`;
}

/** `GET /secrets/{id}/versions` becomes `getSecretsIdVersions`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function describe({ description, schema, contentType }: ResponseDescription): Schema {
  if (contentType !== undefined)
    return { description, content: { [contentType]: { schema: { type: 'string' } } } };
  if (schema === undefined) return { description };
  return { description, content: { 'application/json': { schema: jsonSchema(schema, 'output') } } };
}

function parameters(schema: z.ZodType | undefined, place: 'path' | 'query'): Schema[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function headers(route: Route): Schema[] {
  const names = [
    ...(route.idempotent ? ['Idempotency-Key'] : []),
    ...(route.conditional ? ['If-Match', 'If-None-Match'] : []),
  ];
  return names.map((name) => ({ name, in: 'header', required: false, schema: { type: 'string' } }));
}

/** JSON Schema 2020-12, which OpenAPI 3.1 uses as it is. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
  return rest;
}
