import { RESOURCES } from '../environment.ts';
import { type JsonInput, type JsonOperation, serveJsonProtocol } from '../json-protocol.ts';
import type { StandIn } from '../stand-in.ts';
import { callerOf } from './caller.ts';
import { decrypt, encrypt, generateDataKey, reEncrypt } from './encryption.ts';
import { type KeyRingOptions, openKeyRing } from './keys.ts';
import {
  cancelDeletion,
  createKey,
  describeKey,
  getKeyPolicy,
  listKeys,
  putKeyPolicy,
  scheduleDeletion,
  setEnabled,
} from './management.ts';
import { keysFor, type PermittedKeys } from './permitted-keys.ts';
import { getPublicKey, signMessage } from './signing.ts';

export interface KmsOptions extends KeyRingOptions {
  /** The account of the vault; others are named by whoever calls. */
  accountId: string;
  /**
   * The role of the vault's functions.
   *
   * @default that of the laptop run
   */
  roleName?: string;
}

type Operation = (keys: PermittedKeys, input: JsonInput) => JsonInput;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateKey: createKey,
  DescribeKey: describeKey,
  ListKeys: listKeys,
  GetKeyPolicy: getKeyPolicy,
  PutKeyPolicy: putKeyPolicy,
  GenerateDataKey: generateDataKey,
  Encrypt: encrypt,
  Decrypt: decrypt,
  ReEncrypt: reEncrypt,
  Sign: signMessage,
  GetPublicKey: getPublicKey,
  EnableKey: (keys, input) => setEnabled(keys, input, true),
  DisableKey: (keys, input) => setEnabled(keys, input, false),
  ScheduleKeyDeletion: scheduleDeletion,
  CancelKeyDeletion: cancelDeletion,
};

/**
 * A stand-in for AWS KMS in one region with symmetric keys and Ed25519 keys of any account, which keeps them in one file
 * and enforces their states and policies. Callers are told apart as {@link callerOf} says; their IAM allows all.
 */
export function createKms(options: KmsOptions): StandIn {
  const { accountId, roleName = RESOURCES.apiRole } = options;
  const ring = openKeyRing(options);
  const serve = (run: Operation): JsonOperation => {
    return (input, request) => run(keysFor(ring, callerOf(request, { accountId, roleName })), input);
  };
  const served = Object.entries(OPERATIONS).map(([name, run]) => [name, serve(run)]);
  return serveJsonProtocol('TrentService', Object.fromEntries(served));
}
