import * as z from 'zod';
import { type Change, create, type Kind, update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { DAY_MS, timestamp } from '../kernel/timestamps.ts';

/** How long the account of a person who belongs to no workspace is kept. */
export const DEPARTED_MS = 30 * DAY_MS;
/** Long enough for the job that removes accounts to be down for two months. */
const MARK_LIFE_MS = 3 * DEPARTED_MS;

/**
 * That a person left their last workspace, and when last: people are in no list, so this is how their accounts are found
 * once nobody needs them. Whoever joins another workspace leaves the mark behind, which then says nothing.
 */
const departedUserSchema = z.strictObject({
  kind: z.literal('departedUser'),
  workspaceId: z.string(),
  /** The person's. */
  id: z.string(),
  revision: z.int().min(1),
  since: z.string(),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type DepartedUser = z.infer<typeof departedUserSchema>;

/** By the time of leaving. */
export const DEPARTED_USERS = 'departedUsers';

export const departedUserKind: Kind<DepartedUser> = {
  name: 'departedUser',
  schema: departedUserSchema,
  listing: ({ since, id }) => ({ list: DEPARTED_USERS, key: `${since}#${id}` }),
  expiry: ({ expiresAt }) => expiresAt,
};

/**
 * The mark that belongs into the commit which takes the last workspace off a person's list.
 *
 * @param now epoch milliseconds.
 */
export async function departure(store: Store, userId: string, now: number): Promise<Change> {
  const content = { since: timestamp(now), expiresAt: now + MARK_LIFE_MS };
  const earlier = await store.get(departedUserKind, PLATFORM_WORKSPACE, userId);
  return earlier === undefined
    ? create(departedUserKind, { workspaceId: PLATFORM_WORKSPACE, id: userId, ...content })
    : update(departedUserKind, earlier, content);
}
