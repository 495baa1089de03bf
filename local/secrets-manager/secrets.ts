import { randomBytes } from 'node:crypto';
import { type JsonInput, optionalString, requireString } from '../json-protocol.ts';
import type { Records } from '../json-records.ts';
import { AwsError } from '../stand-in.ts';
import type { SecretRecord } from './versions.ts';

/** The part of a secret's ARN that says which account and region it lies in. */
export function placeOf(arn: string): string {
  return arn.split(':').slice(3, 5).join(' ').concat(' ');
}

/** The secrets that one caller can see: those of an account in a region. */
export interface Secrets {
  readonly now: number;
  readonly place: { readonly accountId: string; readonly region: string };
  get(name: string): SecretRecord | undefined;
  all(): SecretRecord[];
  put(secret: SecretRecord): void;
  /** By name or ARN, a deleted one too. Throws ResourceNotFoundException. */
  find(input: JsonInput): SecretRecord;
  /** As {@link find}; throws InvalidRequestException for a deleted one. */
  findThere(input: JsonInput): SecretRecord;
  /** The ARN that an input speaks of, as policies match it: of a secret that is not there, with a suffix made up. */
  arnAsked(input: JsonInput): string;
}

export function secretsOf(
  records: Records<SecretRecord>,
  place: { readonly accountId: string; readonly region: string },
  now: number,
): Secrets {
  const prefix = `${place.region} ${place.accountId} `;
  const all = () =>
    records.all().filter(({ arn, deletionDate }) => placeOf(arn) === prefix && !isOver(deletionDate, now));
  const known = (nameOrArn: string) => all().find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
  const find = (input: JsonInput): SecretRecord => {
    const nameOrArn = requireString(input, 'SecretId');
    const secret = known(nameOrArn);
    if (secret !== undefined) return secret;
    throw new AwsError('ResourceNotFoundException', `The secret ${nameOrArn} does not exist.`);
  };
  return {
    now,
    place,
    get: known,
    all,
    put: (secret) => records.put(secret),
    find,
    findThere: (input) => {
      const secret = find(input);
      if (isThere(secret)) return secret;
      throw new AwsError('InvalidRequestException', `The secret ${secret.name} is scheduled for deletion.`);
    },
    arnAsked: (input) => {
      const asked = optionalString(input, 'SecretId') ?? optionalString(input, 'Name') ?? '*';
      return known(asked)?.arn ?? (asked.startsWith('arn:') ? asked : arnFor(place, asked));
    },
  };
}

function isOver(deletionDate: number | null | undefined, now: number): boolean {
  return typeof deletionDate === 'number' && deletionDate <= now;
}

export function isThere({ deletionDate }: SecretRecord): boolean {
  return typeof deletionDate !== 'number';
}

export function arnFor({ region, accountId }: Secrets['place'], name: string): string {
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${randomBytes(3).toString('hex')}`;
}
