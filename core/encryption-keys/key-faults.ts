import type { CustomerKeys } from './customer-keys.ts';
import { type KeyPlace, parseKeyArn, placeOf } from './key-arn.ts';
import type { KeyFacts } from './key-inspector.ts';
import type { DeploymentKeys } from './wrapping-key.ts';

/** Why a key is not taken. */
export interface KeyFault {
  /** A word for the audit trail. */
  readonly code: string;
  /** What is wrong, and what to change. */
  readonly reason: string;
}

/** What is wrong with a key by its ARN alone, before anybody is asked about it. */
export function faultsOfArn(
  keyArn: string,
  workspaceId: string,
  {
    deploymentKeys,
    customerKeys,
  }: { readonly deploymentKeys: DeploymentKeys; readonly customerKeys: CustomerKeys },
): KeyFault[] {
  const place = parseKeyArn(keyArn);
  if (place === undefined) return [NO_ARN];
  const vault = placeOf(deploymentKeys.own);
  const isInReach = place.partition === vault.partition && place.region === vault.region;
  const faults = isInReach ? [] : [elsewhere(vault)];
  const { values, allOwn } = deploymentKeys;
  const isGranted = customerKeys.granted.some(
    (one) => one.workspaceId === workspaceId && one.keyArn === keyArn,
  );
  // One answer for all of these: it must not tell which keys the vault's account has.
  const isVaults = place.accountId === vault.accountId && !isGranted;
  if (isVaults || keyArn === values || allOwn.includes(keyArn)) return [...faults, VAULTS];
  const { accounts } = customerKeys;
  const isTaken = isGranted || accounts === 'any' || accounts.includes(place.accountId);
  return isTaken ? faults : [...faults, OTHER_ACCOUNT];
}

/** What is wrong with a key as the key service describes it. */
export function faultsOfFacts({ state, keySpec, keyUsage, manager }: KeyFacts): KeyFault[] {
  return [
    ...(keySpec === 'SYMMETRIC_DEFAULT' && keyUsage === 'ENCRYPT_DECRYPT' ? [] : [NOT_SYMMETRIC]),
    ...(manager === 'CUSTOMER' ? [] : [NOT_MANAGED]),
    ...(state === 'Enabled' ? [] : [notEnabled(state)]),
  ];
}

const NO_ARN: KeyFault = {
  code: 'no_key_arn',
  reason:
    'must be the ARN of a key, such as arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab: no alias, and not its id alone',
};

const VAULTS: KeyFault = {
  code: 'vaults_own',
  reason:
    "must be a key of yours: those of the vault and of its account are not, unless your operator gave you one. DELETE /workspace/encryption-key returns to the vault's own key",
};

const OTHER_ACCOUNT: KeyFault = {
  code: 'account_not_allowed',
  reason: 'must be of an account whose keys this vault takes. Ask your operator to allow yours',
};

function elsewhere({ partition, region }: KeyPlace): KeyFault {
  return {
    code: 'wrong_region',
    reason: `must be in the region ${region} of the partition ${partition}, as the vault is. Of a multi-Region key, name the replica there`,
  };
}

const NOT_SYMMETRIC: KeyFault = {
  code: 'not_symmetric',
  reason: 'must be a symmetric key for encryption: SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT',
};

const NOT_MANAGED: KeyFault = {
  code: 'not_customer_managed',
  reason: 'must be a customer managed key: the policy of a key that AWS manages cannot be changed',
};

function notEnabled(state: string): KeyFault {
  return {
    code: 'not_enabled',
    reason: `must be enabled, and its state is ${state}. Enable it and try again`,
  };
}

/** The same for a key that is not there and for one that is somebody else's: neither can be told apart. */
export const NO_ACCESS: KeyFault = {
  code: 'no_access',
  reason:
    'must be a key that lets the vault in for this workspace: there is none of this ARN, or its policy has not all statements of "keyPolicy" as they stand in the answer of GET /workspace/encryption-key',
};

export const NOT_USABLE: KeyFault = {
  code: 'not_usable',
  reason:
    'must be usable: its policy lets the vault in, and yet KMS makes no data key with it. Look at it in the KMS console',
};

export const CANNOT_OPEN: KeyFault = {
  code: 'cannot_decrypt',
  reason:
    'must open what it wrapped: add kms:Decrypt to its policy, as in the statement LockzeroOpensAndSeals',
};

export function cannotMoveIn(current: string): KeyFault {
  return {
    code: 'cannot_move_in',
    reason: `must take over what lies under ${current}: add kms:ReEncryptTo to its policy, as in the statement LockzeroMovesValues, and see that the policy of the other key still has kms:ReEncryptFrom`,
  };
}

export function cannotMoveOut(current: string): KeyFault {
  return {
    code: 'cannot_move_out',
    reason: `must let values go back under ${current}: add kms:ReEncryptFrom to its policy, as in the statement LockzeroMovesValues, and see that the policy of the other key still has kms:ReEncryptTo`,
  };
}

export const OPEN_WITHOUT_CONTEXT: KeyFault = {
  code: 'open_without_context',
  reason:
    'must refuse the vault where it shows no encryption context, and does not: remove every other statement that lets the vault in, or its account without the conditions of "keyPolicy"',
};

export const OPEN_TO_OTHERS: KeyFault = {
  code: 'open_to_other_workspaces',
  reason:
    'must refuse the vault where it acts for another workspace, and does not: keep the condition on kms:EncryptionContext:workspaceId in every statement that lets the vault in',
};
