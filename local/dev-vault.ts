import { join, resolve } from 'node:path';
import { recordKeyCalls } from './cloudtrail/record-key-calls.ts';
import { createTrailWriter, type TrailWriter } from './cloudtrail/trail-writer.ts';
import { createControls } from './controls.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { obtainOwner } from './demo-owner.ts';
import { type DevConfig, readDevConfig, writeDevConfig } from './dev-config.ts';
import { createDynamodbExport } from './dynamodb-export/dynamodb-export.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from './dynamodb-local.ts';
import { type Endpoints, enterAwsEnvironment, enterFunctionEnvironment, RESOURCES } from './environment.ts';
import { type EventSources, startEventSources } from './event-sources.ts';
import { startFastSchedules } from './fast-schedules.ts';
import { type Functions, importFunctions } from './functions.ts';
import { createGateway } from './gateway.ts';
import type { RunFunction } from './jobs.ts';
import { createKms } from './kms/kms.ts';
import { createPwnedPasswordsService } from './pwned-passwords/pwned-passwords.ts';
import { createRateLimit, UNLIMITED } from './rate-limit.ts';
import { createS3 } from './s3/s3.ts';
import { type Schedules, startSchedules } from './schedules.ts';
import { createSecretsManager } from './secrets-manager/secrets-manager.ts';
import { openServer, type Server } from './server.ts';
import { createSes } from './ses/ses.ts';
import { enterShiftedTime, type ShiftedTime, timeFile } from './shifted-time.ts';
import { createSqs } from './sqs/sqs.ts';
import { type StandIn, toNodeListener } from './stand-in.ts';
import { createSts } from './sts/sts.ts';
import { countUnderWay } from './under-way.ts';

export interface DevVaultOptions {
  /** 0 for any free one. */
  readonly port: number;
  readonly dataDir: string;
  readonly rateLimit: boolean;
  /** Keeps the functions' logs and metrics off the terminal. */
  readonly quiet: boolean;
  /** Lets a day pass in about a minute. */
  readonly fastClock?: boolean;
  /**
   * Whether functions run when their time comes; otherwise only when somebody runs them, or the tables wake them.
   *
   * @default true
   */
  readonly scheduled?: boolean;
}

export interface DevVault {
  readonly url: string;
  /** What `dev.json` says. */
  readonly config: DevConfig;
  /** Runs a scheduled function now and gives its result. */
  readonly runJob: RunFunction;
  /**
   * Hands over what waits in the tables' streams and in the queues until nothing does: all that was written before has
   * then been guarded, and whoever it concerns was woken. Throws the first error of a function.
   */
  pump(): Promise<void>;
  /** Time as everything in this process sees it. */
  readonly time: ShiftedTime;
  /** Ends all that was started and gives the data directory back. May be called twice. */
  stop(): Promise<void>;
}

/** Below these the one HTTP port serves what stands in for AWS, and for Have I Been Pwned. */
const MOUNTS = {
  kms: '/_aws/kms',
  s3: '/_aws/s3',
  secretsManager: '/_aws/secretsmanager',
  ses: '/_aws/ses',
  sqs: '/_aws/sqs',
  sts: '/_aws/sts',
  exports: '/_aws/dynamodb-export',
  pwnedPasswords: '/_hibp',
};

let used = false;

/**
 * Starts the whole vault on this machine: DynamoDB Local, the stand-ins and the API on one HTTP port, the schedules,
 * and a demo workspace. Its data stays in the data directory from start to start; `dev.json` there says how to reach it.
 *
 * It sets this process's environment, which the functions read once: one vault in the life of a process. Throws
 * StartError or JavaMissingError for what the developer can mend; nothing is left running then.
 */
export async function startDevVault(options: DevVaultOptions): Promise<DevVault> {
  const { port, dataDir, rateLimit, quiet, fastClock = false, scheduled = true } = options;
  if (used) throw new Error('A process runs one dev vault in its life: the functions are configured once.');
  const unlock = lockDataDir(dataDir);
  used = true;
  const time = enterShiftedTime(timeFile(dataDir));
  const { now } = time;

  const outbox = resolve(dataDir, 'outbox');
  let server: Server | undefined;
  let database: DynamoDbLocal | undefined;
  let schedules: Schedules | undefined;
  let eventSources: EventSources | undefined;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all([schedules?.stop(), eventSources?.stop()]);
    await trail.flush();
    await server?.stop();
    await database?.stop();
    unlock();
  };
  const { standIns, trail } = createStandIns(dataDir, outbox, now, {
    baseUrl: () => `http://127.0.0.1:${server?.port}`,
    dynamodbEndpoint: () => database?.endpoint ?? '',
  });
  // The functions need the stand-ins, so the port is open before they are there; early requests wait for them.
  const functions = Promise.withResolvers<Functions>();
  const runJob: RunFunction = async (name, event = {}) => {
    const { jobs } = await functions.promise;
    // What CloudTrail delivers minutes later is there when a job looks for it.
    await trail.flush();
    return jobs[name](event);
  };
  const pump = async (): Promise<void> => {
    await functions.promise;
    await eventSources?.pump();
  };
  const requests = countUnderWay();

  try {
    server = await openServer(port, [
      toNodeListener(standIns),
      createControls({ runJob, pump, advance: time.advance }),
      createGateway({
        invoke: async (event) => {
          const { api } = await functions.promise;
          return requests.during(() => api(event));
        },
        rateLimit: rateLimit ? createRateLimit(now) : UNLIMITED,
        now,
      }),
    ]);
    // Loading the AWS SDK takes about as long as starting DynamoDB Local, so both go on at once.
    const loading = Promise.all([import('./provision.ts'), import('./function-events.ts')]);
    database = await startDynamoDbLocal({ dataDir: join(dataDir, 'dynamodb') });
    const [operator, { eventSourcesOf }] = await loading;

    const url = `http://127.0.0.1:${server.port}`;
    const endpoints = endpointsOf(url, database);
    enterAwsEnvironment(endpoints);
    const provisioned = await operator.provision();
    const { keyArns, queueUrls } = provisioned;
    const pwnedPasswordsUrl = url + MOUNTS.pwnedPasswords;
    const exportEndpoint = url + MOUNTS.exports;
    enterFunctionEnvironment({ ...keyArns, ...queueUrls, url, pwnedPasswordsUrl, exportEndpoint }, quiet);
    const imported = await importFunctions();
    eventSources = startEventSources(eventSourcesOf(imported, provisioned, dataDir, time));
    functions.resolve(imported);

    const owner = await obtainOwner(url, operator, readDevConfig(dataDir));
    const { region, vaultTable, auditTable, archiveBucket, stagingBucket } = RESOURCES;
    const buckets = { archiveBucket, stagingBucket };
    const aws = { region, ...endpoints, vaultTable, auditTable, ...buckets, ...keyArns };
    const config = { url, ...owner, outbox, aws };
    writeDevConfig(dataDir, config);
    if (fastClock) schedules = startFastSchedules({ runJob, time, pump, requestsDone: requests.none });
    else if (scheduled) schedules = startSchedules(runJob, now);
    return { url, config, runJob, pump, time, stop: () => (stopping ??= stop()) };
  } catch (error) {
    functions.promise.catch(() => undefined);
    functions.reject(error);
    await stop();
    throw error;
  }
}

/** Known once the server and the database are there, which is before anybody asks. */
interface Whereabouts {
  readonly baseUrl: () => string;
  readonly dynamodbEndpoint: () => string;
}

function createStandIns(
  dataDir: string,
  outbox: string,
  now: () => number,
  { baseUrl, dynamodbEndpoint }: Whereabouts,
): { readonly standIns: Record<string, StandIn>; readonly trail: TrailWriter } {
  const { region, accountId, trailBucket: bucket, apiRole: roleName } = RESOURCES;
  const shared = { now, region, accountId };
  const s3 = createS3({ folder: join(dataDir, 's3'), now });
  const trail = createTrailWriter({ ...shared, s3, bucket });
  const kms = createKms({ ...shared, file: join(dataDir, 'kms.json') });
  const standIns = {
    [MOUNTS.kms]: recordKeyCalls(kms, { ...shared, trail, roleName }),
    [MOUNTS.s3]: s3,
    [MOUNTS.secretsManager]: createSecretsManager({ ...shared, file: join(dataDir, 'secrets-manager.json') }),
    [MOUNTS.ses]: createSes({ folder: outbox, now }),
    [MOUNTS.sqs]: createSqs({ ...shared, baseUrl: () => baseUrl() + MOUNTS.sqs }),
    [MOUNTS.exports]: createDynamodbExport({
      now,
      endpoints: () => ({
        dynamodbEndpoint: dynamodbEndpoint(),
        s3Endpoint: baseUrl() + MOUNTS.s3,
        region,
      }),
    }),
    [MOUNTS.sts]: createSts({ now, accountId, roleName, file: join(dataDir, 'sts.json') }),
    [MOUNTS.pwnedPasswords]: createPwnedPasswordsService(),
  };
  return { standIns, trail };
}

function endpointsOf(url: string, database: DynamoDbLocal): Endpoints {
  return {
    dynamodbEndpoint: database.endpoint,
    kmsEndpoint: url + MOUNTS.kms,
    s3Endpoint: url + MOUNTS.s3,
    secretsManagerEndpoint: url + MOUNTS.secretsManager,
    sesEndpoint: url + MOUNTS.ses,
    sqsEndpoint: url + MOUNTS.sqs,
    stsEndpoint: url + MOUNTS.sts,
  };
}
