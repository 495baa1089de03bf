import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { PASSWORD_PROFILES } from './password-policy.ts';

/**
 * A person, unique by id (a UUID) and by e-mail address. People belong to the deployment, not to one workspace: their
 * entities lie in the platform's workspace, and memberships say where they may enter.
 */
const userSchema = z.strictObject({
  kind: z.literal('user'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** Normalized, see {@link normalizeEmail}. */
  email: z.string(),
  createdAt: z.string(),
  /** Argon2id, as a PHC string. */
  passwordHash: z.string(),
  passwordChangedAt: z.string(),
  /** Which profiles the password satisfies: with the hash alone, nobody could tell. */
  passwordProfiles: z.array(z.enum(PASSWORD_PROFILES)),
  /** The last {@link PASSWORD_HISTORY} hashes, newest first, the current one included. */
  passwordHistory: z.array(z.string()),
  /** The password was accepted while nobody could tell whether it is a breached one: the next login asks again. */
  breachUnchecked: z.boolean().optional(),
  /** Rises when every session of this person must end: each session names the epoch that it was opened in. */
  epoch: z.int().min(1),
  /**
   * Every workspace that this person is a member of, in the order of joining. It may name more: it is written before
   * a membership is made and cleared after one is gone. Only the membership itself lets anybody in.
   */
  workspaceIds: z.array(z.string()),
});

export type User = z.infer<typeof userSchema>;

export const userKind: Kind<User> = { name: 'user', schema: userSchema };

/** Reserves an e-mail address and finds its person. */
const userEmailSchema = z.strictObject({
  kind: z.literal('userEmail'),
  workspaceId: z.string(),
  /** {@link emailId} of the address. */
  id: z.string(),
  revision: z.int().min(1),
  userId: z.string(),
});

export type UserEmail = z.infer<typeof userEmailSchema>;

export const userEmailKind: Kind<UserEmail> = { name: 'userEmail', schema: userEmailSchema };

/** So many of the last passwords cannot be used again. */
export const PASSWORD_HISTORY = 12;

/** A person is in at most this many workspaces, so that a login can look at all of them. */
export const MAX_WORKSPACES = 20;

/** Addresses that differ only in case reach the same mailbox everywhere that matters: they are one person's. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase();
}

/** SHA-256 of the normalized address, lower-case hex: what is counted and looked up under it, known or not. */
export function emailId(email: string): string {
  return createHash('sha256').update('lockzero email\0').update(normalizeEmail(email), 'utf8').digest('hex');
}
