import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { createBookkeeping } from '../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../aws/dynamo-store.ts';
import { createKmsKeys } from '../../aws/kms-keys.ts';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import { createCursors } from '../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import { allKinds } from '../../core/kinds.ts';
import { systemClock, systemRandom } from '../../lambdas/shared/system.ts';
import { createKms } from '../../local/kms/kms.ts';
import { credentials, serveStandIns } from '../../test/integration/stand-ins/serve-stand-ins.ts';
import { connectDynamo, createTables, TABLES } from '../../test/support/dynamo-tables.ts';
import { MemoryBreachedPasswords, MemoryMail, QUICK_HASHER } from '../../test/support/memory-services.ts';
import { PUBLIC_URL } from '../../test/support/memory-vault.ts';
import type { WorldVault } from '../../test/support/world.ts';
import { CallCounter } from './count-calls.ts';

const REGION = 'us-east-1';

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
  });
  const server = await serveStandIns({ '/_aws/kms': standIn });
  const kms = new KMSClient({ region: REGION, credentials, endpoint: `${server.url}/_aws/kms` });
  const created = await kms.send(new CreateKeyCommand({}));
  const signing = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  const dynamo = connectDynamo(dynamoEndpoint);
  await createTables(dynamo);
  counter.watchDynamo(dynamo);
  counter.watchKms(kms);

  const setupToken = 'the setup token of a measurement';
  const root = { current: '1', secrets: new Map([['1', 'r'.repeat(43)]]) };
  const derivedKeys = createDerivedKeys(async () => root);
  const ledger = createDynamoLedger(dynamo, TABLES);
  const vault: WorldVault = {
    ledger,
    store: createDynamoStore(dynamo, TABLES.vaultTable),
    inspector: createDynamoInspector(dynamo, TABLES.vaultTable, allKinds),
    bookkeeping: createBookkeeping(dynamo, TABLES.vaultTable),
    trail: createAuditTrail({ ledger, clock: systemClock, random: systemRandom }),
    kinds: allKinds,
    clock: systemClock,
    random: systemRandom,
    keys: createKmsKeys(created.KeyMetadata?.Arn ?? '', kms),
    signer: createKmsSigner([signing.KeyMetadata?.Arn ?? ''], kms),
    publicUrl: PUBLIC_URL,
    hasher: QUICK_HASHER,
    breached: new MemoryBreachedPasswords(),
    mail: new MemoryMail(),
    derivedKeys,
    cursors: createCursors(derivedKeys, systemRandom),
    setupToken: async () => setupToken,
  };
  return {
    vault,
    counter,
    setupToken,
    async close() {
      dynamo.destroy();
      kms.destroy();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
