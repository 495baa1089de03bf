import { type App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { ApiStack } from './api-stack.ts';
import { type ArchiveCopyStack, addArchiveCopy } from './archive-copy-stack.ts';
import { DataStack } from './data-stack.ts';
import { JobsStack } from './jobs-stack.ts';
import { KeysStack } from './keys-stack.ts';
import { namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';
import { TrailStack } from './trail-stack.ts';
import { WatchStack } from './watch-stack.ts';

export interface Lockzero {
  readonly keys: KeysStack;
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly jobs: JobsStack;
  readonly trail: TrailStack;
  readonly watch: WatchStack;
  /** In the other region, if the archive is copied to one. */
  readonly archiveCopy: ArchiveCopyStack | undefined;
}

/** Adds the stacks of one stage to the app, under the checks of cdk-nag. */
export function addLockzero(app: App, stage: StageConfig): Lockzero {
  const { prefix } = namesOf(stage);
  const common = (name: string) => ({
    stage,
    stackName: `${prefix}-${name}`,
    description: `Lockzero ${stage.name}: ${name}`,
    env: { region: stage.region, ...(stage.account === undefined ? {} : { account: stage.account }) },
    terminationProtection: stage.removal === 'retain',
  });

  const keys = new KeysStack(app, 'Keys', common('keys'));
  const { secretsKeyArns, dataKeyArn, signingKeyArns, checkpointKeyArn } = keys;
  const data = new DataStack(app, 'Data', { ...common('data'), dataKeyArn });
  const archiveCopy = addArchiveCopy(app, stage, common('archive-copy'));
  // S3 takes no rule that names a bucket which is not there.
  if (archiveCopy !== undefined) data.addStackDependency(archiveCopy);
  const api = new ApiStack(app, 'Api', {
    ...common('api'),
    data,
    secretsKeyArns,
    dataKeyArn,
    signingKeyArns,
    checkpointKeyArn,
  });
  const jobs = new JobsStack(app, 'Jobs', {
    ...common('jobs'),
    data,
    dataKeyArn,
    secretsKeyArns,
    checkpointKeyArn,
    publicUrl: api.url,
  });
  const trail = new TrailStack(app, 'Trail', { ...common('trail'), data, dataKeyArn, checkpointKeyArn });

  const watch = new WatchStack(app, 'Watch', {
    ...common('watch'),
    data,
    api,
    jobs,
    trail,
    dataKeyArn,
    secretsKeyArns,
    checkpointKeyArn,
  });

  Tags.of(app).add('project', 'lockzero');
  Tags.of(app).add('stage', stage.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  return { keys, data, api, jobs, trail, watch, archiveCopy };
}
