import * as z from 'zod';
import { ROLES } from '../../../core/access/role.ts';
import { type TimeRange, timesOf } from '../../../core/audit/date-range.ts';
import { MAX_TEXT_LENGTH } from '../../../core/findings/finding.ts';
import { MAX_PASSWORD_CHARACTERS } from '../../../core/identity/password-policy.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId, isUuid } from '../../../core/kernel/ids.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { isName } from '../../../core/secrets/name.ts';
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_TAG_LENGTH,
  MAX_TAGS,
  MAX_VALUE_BYTES,
} from '../../../core/secrets/secret.ts';

/** Fields that more than one route has. Messages say what is wanted, and never what came. */

export const name = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/, 'must have 1 to 128 characters of A-Z a-z 0-9 . _ -')
  .refine(isName, 'must not be "." or ".."');

/** Text on one line, for people. */
export function label(maximum: number) {
  return z
    .string()
    .min(1, 'must not be empty')
    .max(maximum, `must have at most ${maximum} characters`)
    .refine(
      (text) => text.isWellFormed() && !hasControls(text),
      'must be well-formed text without control characters',
    );
}

export const description = z
  .string()
  .max(MAX_DESCRIPTION_LENGTH, `must have at most ${MAX_DESCRIPTION_LENGTH} characters`)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

/** What a person has to say about a finding or a risk. */
export const longText = z
  .string()
  .max(MAX_TEXT_LENGTH, `must have at most ${MAX_TEXT_LENGTH} characters`)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

/** A day, UTC. */
export const day = z.iso.date('must be a date such as 2026-01-31');

/** The id of a person. */
export const memberId = z.string().min(1, 'must not be empty').max(64, 'is too long to be one');

export const tags = z
  .array(label(MAX_TAG_LENGTH))
  .max(MAX_TAGS, `must have at most ${MAX_TAGS} entries`)
  .refine((list) => new Set(list).size === list.length, 'must not name a tag twice');

export const value = z
  .string()
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
  .refine(
    (text) => Buffer.byteLength(text, 'utf8') <= MAX_VALUE_BYTES,
    `must have at most ${MAX_VALUE_BYTES} bytes of UTF-8`,
  );

export const role = z.enum(ROLES);

export const email = z
  .email('must be an e-mail address such as ada@example.com')
  .max(254, 'must have at most 254 characters');

/** A password to be compared. Nothing is trimmed or cut; what is longer than any password can be is refused unread. */
export const password = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => text.length <= 2 * MAX_PASSWORD_CHARACTERS, 'must have at most 1,024 characters');

/** A token out of a link, or from an earlier answer. */
export const opaqueToken = z.string().min(1, 'must not be empty').max(128, 'is too long to be one');

/** Names of namespaces, or the single entry `*`. */
export const namespaces = z
  .array(z.union([z.literal('*'), name]))
  .min(1, 'must name at least one namespace, or "*" for all')
  .max(100, 'must have at most 100 entries')
  .refine((list) => new Set(list).size === list.length, 'must not name a namespace twice')
  .refine((list) => !list.includes('*') || list.length === 1, 'must be "*" alone, or names');

const booleanText = z.enum(['true', 'false']).transform((text) => text === 'true');

export { booleanText as flag };

/** How many entries a page has; 50 unless said otherwise. */
export const limit = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number')
  .transform(Number)
  .refine((number) => number >= 1 && number <= 100, 'must be from 1 to 100')
  .default(50);

export const cursor = z.string().min(1).max(4096);

export const version = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(999_999_999, 'must be at most 999999999');

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;
const TIME_MESSAGE = 'must be a date (2026-01-31, UTC) or an RFC 3339 time (2026-01-31T12:00:00Z)';

/** The start of a span of time, in epoch milliseconds, included. */
export const from = z.string().transform((text, context) => readTime(text, context)?.start ?? z.NEVER);

/** The end of a span of time, in epoch milliseconds, excluded: a date includes its whole day, a time that millisecond. */
export const to = z.string().transform((text, context) => readTime(text, context)?.end ?? z.NEVER);

/** The span of time of a query with {@link from} and {@link to}. */
export function timeRange(query: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}): TimeRange {
  return {
    ...(query.from === undefined ? {} : { from: query.from }),
    ...(query.to === undefined ? {} : { to: query.to }),
  };
}

/** A span of time as a query states it: its end is kept as excluded; as text it is included to the millisecond. */
export function inclusiveTimes(range: TimeRange): { readonly from?: string; readonly to?: string } {
  return timesOf({ ...range, ...(range.to === undefined ? {} : { to: range.to - 1 }) });
}

/** A point in time; kept as text. */
export const instant = z.string().refine((text) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)), {
  message: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z',
});

function readTime(
  text: string,
  context: z.RefinementCtx,
): { readonly start: number; readonly end: number } | undefined {
  const isDate = DATE.test(text);
  const start = isDate || DATE_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(start) || (isDate && new Date(start).toISOString().slice(0, 10) !== text)) {
    context.addIssue({ code: 'custom', message: TIME_MESSAGE });
    return undefined;
  }
  return { start, end: isDate ? start + DAY_MS : start + 1 };
}

/** Path parameters of one secret. An id that could not be one is as absent as any other that does not exist. */
export const secretParams = z.strictObject({ id: z.string() });
export const apiKeyParams = z.strictObject({ id: z.string() });

export function secretId({ id }: { readonly id: string }): string {
  if (!isId('sec', id)) throw notFound('secret');
  return id;
}

export function apiKeyId({ id }: { readonly id: string }): string {
  if (!isId('key', id)) throw notFound('API key');
  return id;
}

export const sessionParams = z.strictObject({ id: z.string() });
export const userParams = z.strictObject({ userId: z.string() });

export function sessionId({ id }: { readonly id: string }): string {
  if (!isId('ses', id)) throw notFound('session');
  return id;
}

export function userId({ userId: id }: { readonly userId: string }): string {
  if (!isUuid(id)) throw notFound('member');
  return id;
}

function hasControls(text: string): boolean {
  return /[\p{Cc}\u2028\u2029]/u.test(text);
}
