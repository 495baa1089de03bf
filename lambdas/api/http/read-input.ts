import * as z from 'zod';
import type { Precondition, Principal, RequestContext } from '../../../core/access/principal.ts';
import { type FieldError, invalid, VaultError } from '../../../core/kernel/errors.ts';
import { type HttpRequest, readFormBody, readJsonBody } from './request.ts';
import type { Input } from './route.ts';
import type { RouteMatch } from './router.ts';

const NOTHING = z.strictObject({});

/**
 * A request's parameters, query and body as the route's schemas want them.
 *
 * @throws VaultError `invalid_request` with every fault found, or what {@link readJsonBody} throws.
 */
export function readInput(
  request: HttpRequest,
  { route, params }: RouteMatch,
): Input<unknown, unknown, unknown> {
  if (route.unchecked) return { params, query: {}, body: {} };
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType, value: unknown): unknown => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) errors.push(...parsed.error.issues.flatMap(fieldErrors));
    return parsed.data;
  };
  const body = route.form ? single(readFormBody(request)) : readJsonBody(request);
  if (body === undefined && route.body !== undefined && !route.body.safeParse({}).success) {
    throw new VaultError('malformed_json', 'This needs a JSON body, and the request has none.');
  }
  const input = {
    params: check(route.params ?? NOTHING, params),
    query: check(route.query ?? NOTHING, single(request.query)),
    body: check(route.body ?? NOTHING, body === undefined ? {} : body),
  };
  if (errors.length > 0) {
    throw new VaultError('invalid_request', 'The request is not valid. See "errors" for each fault.', {
      errors: errors.slice(0, MAX_ERRORS),
    });
  }
  return input;
}

/** Faults told at once: enough to mend a request by, and far below what an answer may hold. */
const MAX_ERRORS = 100;

function single(query: HttpRequest['query']): { readonly [name: string]: string } {
  const entries = Object.entries(query).map(([name, values]) => {
    const [value = ''] = values;
    if (values.length > 1) throw invalid(label(name), 'is given more than once');
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String).map(label).join('.');
  if (issue.code === 'unrecognized_keys') {
    const prefix = path === '' ? '' : `${path}.`;
    return issue.keys.map((key) => ({ path: `${prefix}${label(key)}`, reason: 'is not a known field' }));
  }
  return [{ path, reason: issue.message }];
}

const MAX_LABEL = 64;

/** A field's name, cut short: somebody may have sent a value where a name belongs. */
function label(name: string): string {
  return name.toWellFormed().slice(0, MAX_LABEL);
}

/** Who calls, from where, and what the headers ask for. */
export function readContext(request: HttpRequest, principal: Principal): RequestContext {
  const idempotencyKey = readIdempotencyKey(request.header('idempotency-key'));
  const precondition = readPrecondition(request);
  return {
    principal,
    ip: request.ip,
    userAgent: request.userAgent,
    country: request.country,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(precondition === undefined ? {} : { precondition }),
  };
}

/** Visible ASCII, at most 255 characters (draft-ietf-httpapi-idempotency-key-header leaves the bound to the server). */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(header)) {
    throw invalid('Idempotency-Key', 'must have 1 to 255 visible ASCII characters, without spaces');
  }
  return header;
}

function readPrecondition(request: HttpRequest): Precondition | undefined {
  const ifMatch = readEntityTags(request.header('if-match'), false);
  const ifNoneMatch = readEntityTags(request.header('if-none-match'), true);
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

/**
 * The revisions named by entity tags; a tag that is not one of ours matches nothing. `If-Match` compares strongly,
 * so a weak tag never matches there; `If-None-Match` compares weakly (RFC 9110 sections 13.1.1 and 13.1.2).
 */
function readEntityTags(header: string | undefined, weakly: boolean): readonly number[] | '*' | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return '*';
  return header.split(',').flatMap((tag) => {
    const [, weak, revision] = /^(W\/)?"v([1-9]\d{0,14})"$/.exec(tag.trim()) ?? [];
    return revision === undefined || (weak !== undefined && !weakly) ? [] : [Number(revision)];
  });
}
