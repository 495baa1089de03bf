import type * as SecretsManager from '@aws-sdk/client-secrets-manager';
import {
  type CopyOwner,
  CopyRefused,
  type FoundCopy,
  type KeptAs,
  type SecretsAccount,
  type SyncFault,
} from '../core/secrets-sync/customer-secrets.ts';
import { errorName } from './clients.ts';

const CURRENT = 'AWSCURRENT';
/** On the version that the vault put last: without a label of its own, a version may be removed at any time. */
const LATEST = 'LOCKZERO';
/** Labels that keep a version. Any other one is the customer's, and left alone. */
const KEEPING: Readonly<Record<KeptAs, string>> = {
  // Secrets Manager moves it to the version that loses AWSCURRENT (API Reference, "UpdateSecretVersionStage").
  previous: 'AWSPREVIOUS',
  latest: LATEST,
};
const WORKSPACE_TAG = 'lockzero:workspaceId';
const SUBJECT_TAG = 'lockzero:secretId';
const RECOVERY_DAYS = 7;
const DESCRIPTION = 'Written by Lockzero, which writes over changes that are made here.';

const NOT_FOUND = 'ResourceNotFoundException';
const EXISTS = 'ResourceExistsException';
/** The label is on another version by now, or the version is gone. */
const LABEL_REFUSALS: ReadonlySet<string> = new Set(['InvalidParameterException', 'InvalidRequestException']);

/** The `SecretsAccount` port on a client of AWS Secrets Manager, whose credentials say which account it is. */
export function createSecretsAccount(
  sdk: typeof SecretsManager,
  client: SecretsManager.SecretsManagerClient,
): SecretsAccount {
  const send = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw translated(error);
    });
  /** Whether the label was where the input says that it is. */
  const relabel = async (input: SecretsManager.UpdateSecretVersionStageCommandInput): Promise<boolean> => {
    try {
      await client.send(new sdk.UpdateSecretVersionStageCommand(input));
      return true;
    } catch (error) {
      if (LABEL_REFUSALS.has(errorName(error))) return false;
      throw translated(error);
    }
  };

  return {
    async look(name) {
      try {
        return readCopy(await client.send(new sdk.DescribeSecretCommand({ SecretId: name })));
      } catch (error) {
        if (errorName(error) === NOT_FOUND) return undefined;
        throw translated(error);
      }
    },

    async create(name, owner, { id, value }) {
      const command = new sdk.CreateSecretCommand({
        Name: name,
        Description: DESCRIPTION,
        SecretString: value,
        ClientRequestToken: id,
        Tags: tagsOf(owner),
      });
      try {
        await client.send(command);
        return 'created';
      } catch (error) {
        if (errorName(error) === EXISTS) return 'taken';
        throw translated(error);
      }
    },

    async put(name, { id, value }) {
      await send(
        client.send(
          new sdk.PutSecretValueCommand({
            SecretId: name,
            SecretString: value,
            ClientRequestToken: id,
            VersionStages: [LATEST],
          }),
        ),
      );
    },

    async makeCurrent(name, versionId, before) {
      const isMoved = await relabel({
        SecretId: name,
        VersionStage: CURRENT,
        MoveToVersionId: versionId,
        // The label is moved only if it is there: a compare-and-swap (API Reference, "UpdateSecretVersionStage").
        ...(before === undefined ? {} : { RemoveFromVersionId: before }),
      });
      return isMoved ? 'moved' : 'changed';
    },

    async letGo(name, versionId, as) {
      // Without a version to move it to, the label is taken off.
      const isOff = await relabel({
        SecretId: name,
        VersionStage: KEEPING[as],
        RemoveFromVersionId: versionId,
      });
      return isOff ? 'gone' : 'changed';
    },

    async claim(name, owner) {
      await send(client.send(new sdk.TagResourceCommand({ SecretId: name, Tags: tagsOf(owner) })));
    },

    async restore(name) {
      await send(client.send(new sdk.RestoreSecretCommand({ SecretId: name })));
    },

    async remove(name) {
      await send(
        client.send(new sdk.DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: RECOVERY_DAYS })),
      );
    },

    close: () => client.destroy(),
  };
}

function tagsOf({ workspaceId, subjectId }: CopyOwner): SecretsManager.Tag[] {
  return [
    { Key: WORKSPACE_TAG, Value: workspaceId },
    { Key: SUBJECT_TAG, Value: subjectId },
  ];
}

function readCopy(described: SecretsManager.DescribeSecretCommandOutput): FoundCopy {
  const { Tags: tags = [], VersionIdsToStages: stages = {}, DeletedDate: deletedAt } = described;
  const tag = (key: string) => tags.find(({ Key }) => Key === key)?.Value;
  const [workspaceId, subjectId] = [tag(WORKSPACE_TAG), tag(SUBJECT_TAG)];
  const holder = (label: string) => Object.keys(stages).find((id) => stages[id]?.includes(label));
  const [previous, latest] = [holder(KEEPING.previous), holder(KEEPING.latest)];
  return {
    owner: workspaceId === undefined || subjectId === undefined ? undefined : { workspaceId, subjectId },
    isDeleted: deletedAt !== undefined,
    current: holder(CURRENT),
    kept: { ...(previous === undefined ? {} : { previous }), ...(latest === undefined ? {} : { latest }) },
    versions: new Set(Object.keys(stages)),
  };
}

/** What the errors of Secrets Manager mean, as far as they mean anything lasting. */
const FAULTS: ReadonlyMap<string, SyncFault> = new Map([
  ['AccessDeniedException', 'access_denied'],
  ['UnrecognizedClientException', 'access_denied'],
  ['DecryptionFailure', 'copy_key_refused'],
  ['EncryptionFailure', 'copy_key_refused'],
  ['LimitExceededException', 'quota_exceeded'],
  ['InvalidParameterException', 'request_refused'],
  ['InvalidRequestException', 'request_refused'],
  ['ValidationException', 'request_refused'],
  ['PreconditionNotMetException', 'request_refused'],
  // Somebody removed it, or put another value under this version's id, after the vault had looked.
  [NOT_FOUND, 'changed_meanwhile'],
  [EXISTS, 'changed_meanwhile'],
]);

function translated(cause: unknown): CopyRefused {
  const fault = FAULTS.get(errorName(cause)) ?? 'unavailable';
  return new CopyRefused(
    fault,
    fault === 'unavailable'
      ? 'Secrets Manager does not answer right now. Try again.'
      : 'Secrets Manager does not take the copy.',
    cause,
  );
}
