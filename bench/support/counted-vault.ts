import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createBookkeeping } from '../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../aws/dynamo-ledger.ts';
import { createDynamoSeals } from '../../aws/dynamo-seals.ts';
import { createDynamoStore } from '../../aws/dynamo-store.ts';
import { createDynamoVerifications } from '../../aws/dynamo-verifications.ts';
import { createKmsKeyInspector } from '../../aws/kms-key-inspector.ts';
import { createKmsKeys } from '../../aws/kms-keys.ts';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import { createS3Archive } from '../../aws/s3-archive.ts';
import { createDynamoSyncRecords } from '../../aws/sync-records.ts';
import { createDynamoDeliveryLog } from '../../aws/webhook-deliveries.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import { createCursors } from '../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import { allKinds } from '../../core/kinds.ts';
import { createRequestLimit } from '../../core/plans/request-limit.ts';
import { systemClock, systemRandom } from '../../lambdas/shared/system.ts';
import { customerAccessKey } from '../../local/kms/caller.ts';
import { createKms } from '../../local/kms/kms.ts';
import { createS3 } from '../../local/s3/s3.ts';
import { credentials, serveStandIns } from '../../test/integration/stand-ins/serve-stand-ins.ts';
import { makeCustomerKey } from '../../test/support/customer-account.ts';
import { connectDynamo, createTables, TABLES } from '../../test/support/dynamo-tables.ts';
import { CUSTOMER_ACCOUNT, CUSTOMER_KEYS } from '../../test/support/memory-customer-keys.ts';
import { memorySync } from '../../test/support/memory-customer-secrets.ts';
import { keysOfDeployment } from '../../test/support/memory-keys.ts';
import { MemoryTables } from '../../test/support/memory-ledger.ts';
import { MemoryBreachedPasswords, MemoryMail, QUICK_HASHER } from '../../test/support/memory-services.ts';
import { PUBLIC_URL } from '../../test/support/memory-vault.ts';
import type { WorldVault } from '../../test/support/world.ts';
import { CallCounter } from './count-calls.ts';

const REGION = 'us-east-1';
const BUCKET = 'archive';

export interface CountedVault {
  readonly vault: WorldVault;
  readonly counter: CallCounter;
  readonly setupToken: string;
  close(): Promise<void>;
}

/** One function instance over an empty DynamoDB Local and a stand-in for KMS; its calls to both are counted. */
export async function openCountedVault(dynamoEndpoint: string): Promise<CountedVault> {
  const counter = new CallCounter();
  const folder = mkdtempSync(join(tmpdir(), 'lockzero-costs-'));
  const standIn = createKms({
    file: join(folder, 'keys.json'),
    now: Date.now,
    region: REGION,
    accountId: '000000000000',
    // The only one that the policies of customers' keys let in here.
    roleName: CUSTOMER_KEYS.users.api.split('/')[1] ?? '',
  });
  const server = await serveStandIns({
    '/_aws/kms': standIn,
    '/_aws/s3': createS3({ folder: join(folder, 'objects'), now: Date.now }),
  });
  const endpoint = `${server.url}/_aws/kms`;
  const kms = new KMSClient({ region: REGION, credentials, endpoint });
  const customer = new KMSClient({
    region: REGION,
    credentials: { ...credentials, accessKeyId: customerAccessKey(CUSTOMER_ACCOUNT) },
    endpoint,
  });
  const created = await kms.send(new CreateKeyCommand({}));
  const signing = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  const s3 = new S3Client({
    region: REGION,
    credentials,
    endpoint: `${server.url}/_aws/s3`,
    forcePathStyle: true,
  });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
  const dynamo = connectDynamo(dynamoEndpoint);
  await createTables(dynamo);
  counter.watchDynamo(dynamo);
  counter.watchKms(kms);
  counter.watchS3(s3);

  const setupToken = 'the setup token of a measurement';
  const root = { current: '1', secrets: new Map([['1', 'r'.repeat(43)]]) };
  const derivedKeys = createDerivedKeys(async () => root);
  const ledger = createDynamoLedger(dynamo, TABLES);
  const deploymentKeys = keysOfDeployment(created.KeyMetadata?.Arn);
  const store = createDynamoStore(dynamo, TABLES.vaultTable);
  const bookkeeping = createBookkeeping(dynamo, TABLES.vaultTable);
  const alerts = { raise: async () => undefined };
  const defaultPlan = 'enterprise';
  // What it knows of a month stays fresh, however slow the machine is.
  const started = systemClock.now();
  const clock = { now: () => started };
  const vault: WorldVault = {
    ledger,
    store,
    inspector: createDynamoInspector(dynamo, TABLES.vaultTable, allKinds),
    bookkeeping,
    trail: createAuditTrail({ ledger, clock: systemClock, random: systemRandom }),
    kinds: allKinds,
    clock: systemClock,
    random: systemRandom,
    keys: createKmsKeys(kms),
    deploymentKeys,
    keyInspector: createKmsKeyInspector(kms),
    customerKeys: CUSTOMER_KEYS,
    newCustomerKey: (workspaceId) =>
      makeCustomerKey(customer, CUSTOMER_ACCOUNT, {
        workspaceId,
        vaultKeyArn: deploymentKeys.own,
        ...CUSTOMER_KEYS,
      }),
    signer: createKmsSigner([signing.KeyMetadata?.Arn ?? ''], kms),
    publicUrl: PUBLIC_URL,
    hasher: QUICK_HASHER,
    breached: new MemoryBreachedPasswords(),
    mail: new MemoryMail(),
    derivedKeys,
    cursors: createCursors(derivedKeys, systemRandom),
    setupToken: async () => setupToken,
    log: {
      seals: createDynamoSeals(dynamo, TABLES.vaultTable),
      archive: createS3Archive(BUCKET, s3),
      signer: createKmsSigner([signing.KeyMetadata?.Arn ?? ''], kms),
      logName: 'lockzero.example',
    },
    deliveries: createDynamoDeliveryLog(dynamo, TABLES.vaultTable),
    receivers: { allowPrivate: false, sendsMail: true, topicArns: [] },
    verifications: createDynamoVerifications(dynamo, TABLES.vaultTable),
    ...memorySync(new MemoryTables()),
    syncRecords: createDynamoSyncRecords(dynamo, TABLES.vaultTable),
    alerts,
    defaultPlan,
    requestLimit: createRequestLimit({ ledger, store, bookkeeping, clock, alerts, defaultPlan }),
  };
  return {
    vault,
    counter,
    setupToken,
    async close() {
      dynamo.destroy();
      kms.destroy();
      customer.destroy();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
