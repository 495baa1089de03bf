import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { MessageSigner, PublicSigningKey } from '../crypto/message-signer.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Session } from './session.ts';

/** How long an access token is good for, in seconds. */
export const ACCESS_TOKEN_SECONDS = 5 * 60;

const ALGORITHM = 'EdDSA';
const TYPE = 'at+jwt';
/** Longer than any token that was ever issued. */
const MAX_LENGTH = 2_048;

export interface AccessTokenParts {
  readonly signer: MessageSigner;
  /** The address at which the vault is reached: issuer and audience of its tokens. */
  readonly publicUrl: string;
  readonly clock: Clock;
}

/** What an access token says: which session, whose, and where. */
export interface AccessClaims {
  readonly sessionId: string;
  readonly userId: string;
  readonly workspaceId: string;
  /** The session's generation when it was issued, and its client. */
  readonly generation: number;
  readonly client: string;
  readonly loginId: string;
  readonly familyId: string;
}

/**
 * An access token for a session: a JWT (RFC 9068, signed with Ed25519 as RFC 8037 has it). It only says which session
 * is meant; whether that still stands is looked up on every request.
 */
export async function issueAccessToken(
  { signer, publicUrl, clock, random }: AccessTokenParts & { readonly random: Random },
  session: Session,
): Promise<string> {
  const [key] = await signer.publicKeys();
  if (key === undefined) throw new Error('There is no key to sign access tokens with.');
  const issuedAt = Math.floor(clock.now() / 1000);
  const header = { alg: ALGORITHM, typ: TYPE, kid: key.keyId };
  const payload: JWTPayload = {
    iss: publicUrl,
    aud: publicUrl,
    sub: session.userId,
    client_id: session.client,
    sid: session.id,
    ws: session.workspaceId,
    gen: session.generation,
    lid: session.loginId,
    fam: session.familyId,
    iat: issuedAt,
    exp: issuedAt + ACCESS_TOKEN_SECONDS,
    jti: Buffer.from(random.bytes(16)).toString('hex'),
  };
  const input = `${encoded(header)}.${encoded(payload)}`;
  const { keyId, signature } = await signer.sign(Buffer.from(input, 'ascii'));
  if (keyId !== key.keyId) throw new Error('Another key signed than the one that the token names.');
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

/** What became of a token that was presented. Of one that has only expired, it is known whose it was. */
export type AccessTokenCheck =
  | { readonly status: 'valid' | 'expired'; readonly claims: AccessClaims }
  | { readonly status: 'invalid' };

/**
 * Checks a token's signature against the vault's own public keys, and its type, algorithm, issuer, audience and time
 * (RFC 9068 section 4, RFC 8725).
 *
 * @throws VaultError `unavailable` when the keys cannot be read.
 */
export async function checkAccessToken(
  { signer, publicUrl, clock }: AccessTokenParts,
  token: string,
): Promise<AccessTokenCheck> {
  if (token.length > MAX_LENGTH) return { status: 'invalid' };
  const keys = await signer.publicKeys();
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = keys.find(({ keyId }) => keyId === kid);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return toJwk(key);
      },
      {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: publicUrl,
        audience: publicUrl,
        requiredClaims: ['exp', 'iat', 'jti', 'sub', 'sid', 'ws', 'gen', 'lid', 'fam', 'client_id'],
        currentDate: new Date(clock.now()),
      },
    );
    // One audience, not one among others (RFC 8725 section 3.9).
    if (payload.aud !== publicUrl) return { status: 'invalid' };
    return { status: 'valid', claims: claimsOf(payload) };
  } catch (error) {
    // Thrown only once the signature is known to be right.
    if (error instanceof errors.JWTExpired) return { status: 'expired', claims: claimsOf(error.payload) };
    if (error instanceof errors.JOSEError) return { status: 'invalid' };
    throw error;
  }
}

/** A public key as a JWK (RFC 8037 section 2). */
export function toJwk({ keyId, publicKey }: PublicSigningKey) {
  const x = Buffer.from(publicKey).toString('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, kid: keyId, alg: ALGORITHM, use: 'sig' } as const;
}

function claimsOf({ sub, sid, ws, gen, lid, fam, client_id: client }: JWTPayload): AccessClaims {
  return {
    sessionId: String(sid),
    userId: String(sub),
    workspaceId: String(ws),
    generation: Number(gen),
    client: String(client),
    loginId: String(lid),
    familyId: String(fam),
  };
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part), 'utf8').toString('base64url');
}
