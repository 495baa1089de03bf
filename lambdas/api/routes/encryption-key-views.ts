import * as z from 'zod';
import type { CustomerKeys } from '../../../core/encryption-keys/customer-keys.ts';
import type { EncryptionKeyStatus } from '../../../core/encryption-keys/encryption-key-parts.ts';
import type { KeyMigration } from '../../../core/encryption-keys/key-migration.ts';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import { cliCommands, cloudFormationTemplate } from '../../../core/encryption-keys/key-template.ts';
import { type DeploymentKeys, wrappingKeyArn } from '../../../core/encryption-keys/wrapping-key.ts';

const statementView = z.object({
  Sid: z.string(),
  Effect: z.literal('Allow'),
  Principal: z.object({ AWS: z.string() }),
  Action: z.array(z.string()),
  Resource: z.literal('*'),
  Condition: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())]))),
});

const migrationView = z.object({
  state: z.enum(['moving', 'blocked', 'done']),
  reason: z.enum(['workspace', 'deployment']),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  moved: z.int(),
  pass: z.int(),
  passLooked: z.int(),
  passMoved: z.int(),
  passBlocked: z.int(),
});

export const encryptionKeyView = z.object({
  /** Whose key wraps new versions. */
  mode: z.enum(['vault', 'customer']),
  keyArn: z.string(),
  since: z.string().optional(),
  usable: z.boolean().nullable(),
  previousKeyArns: z.array(z.string()),
  migration: migrationView.optional(),
  keyPolicy: z.array(statementView),
  cloudFormation: z.string(),
  cli: z.string(),
});

interface Parts {
  readonly deploymentKeys: DeploymentKeys;
  readonly customerKeys: CustomerKeys;
}

export function viewEncryptionKey(
  { deploymentKeys, customerKeys }: Parts,
  { workspace, migration, usable }: EncryptionKeyStatus,
) {
  const { encryptionKey, previousKeyArns = [] } = workspace;
  const { own } = deploymentKeys;
  const statements = keyPolicyStatements(workspace.id, own, customerKeys.users);
  return {
    mode: encryptionKey === undefined ? 'vault' : 'customer',
    keyArn: wrappingKeyArn(workspace, deploymentKeys),
    ...(encryptionKey === undefined ? {} : { since: encryptionKey.since }),
    usable,
    previousKeyArns,
    ...(migration === undefined ? {} : { migration: viewMigration(migration) }),
    keyPolicy: statements,
    cloudFormation: cloudFormationTemplate(workspace.id, statements),
    cli: cliCommands(workspace.id, statements, own),
  };
}

function viewMigration(migration: KeyMigration): z.infer<typeof migrationView> {
  const { state, reason, startedAt, finishedAt, moved, pass, passLooked, passMoved, passBlocked } = migration;
  return {
    state,
    reason,
    startedAt,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    moved,
    pass,
    passLooked,
    passMoved,
    passBlocked,
  };
}
