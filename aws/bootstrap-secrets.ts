import * as z from 'zod';
import type { RootSecret } from '../core/crypto/derived-keys.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG } from './clients.ts';

/** What the vault needs before it can serve anybody: kept in AWS Secrets Manager. */
export interface BootstrapSecrets {
  /** Read again every five minutes, so that a rotation is noticed. */
  rootSecret(): Promise<RootSecret>;
  /** Read each time: a token that was rotated away must not work a moment longer. */
  setupToken(): Promise<string>;
}

/** `{"current": "2", "1": "…", "2": "…"}`: secrets of at least 43 characters (256 bits in base64url) by key id. */
const rootSecretSchema = z
  .object({ current: z.string() })
  .catchall(z.string().min(43))
  // A cursor is `<key id>.<rest>`, so a key id has no dot.
  .refine(
    (root) => Object.keys(root).every((id) => /^[A-Za-z0-9_-]{1,32}$/.test(id)),
    'has a malformed key id',
  )
  .refine(
    (root) => root.current !== 'current' && root.current in root,
    'names a current key that is not there',
  );

const REFRESH_MS = 5 * 60 * 1000;

interface Names {
  readonly rootSecretId: string;
  readonly setupTokenSecretId: string;
}

export function createBootstrapSecrets(names: Names, now: () => number): BootstrapSecrets {
  return {
    rootSecret: createRootSecret(names.rootSecretId, now),
    setupToken: () => read(names.setupTokenSecretId),
  };
}

/** The root secret alone, for functions that set nothing up. */
export function createRootSecret(id: string, now: () => number): BootstrapSecrets['rootSecret'] {
  let cached: { readonly root: RootSecret; readonly readAt: number } | undefined;
  return async () => {
    if (cached === undefined || now() - cached.readAt > REFRESH_MS) {
      cached = { root: parseRootSecret(await read(id)), readAt: now() };
    }
    return cached.root;
  };
}

async function read(id: string): Promise<string> {
  try {
    // Loaded here, because most requests need no bootstrap secret, and loading this client takes a fifth of a cold start.
    const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient(CLIENT_CONFIG);
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    if (text === undefined) throw new Error(`The bootstrap secret ${id} holds no text.`);
    return text;
  } catch (cause) {
    throw unavailable('A secret that the vault needs itself cannot be read right now. Try again.', cause);
  }
}

function parseRootSecret(text: string): RootSecret {
  // Neither parser's message goes any further: a JSON error quotes what it read.
  const parsed = rootSecretSchema.safeParse(jsonOrUndefined(text));
  if (!parsed.success)
    throw new Error(
      'The root secret in Secrets Manager is not of its form: it needs "current" and the key that this names.',
    );
  const { current, ...secrets } = parsed.data;
  return { current, secrets: new Map(Object.entries(secrets)) };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
