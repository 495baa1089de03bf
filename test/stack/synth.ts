import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addLockzero, type Lockzero } from '../../lib/lockzero.ts';
import type { StageConfig } from '../../lib/stage.ts';
import { TEMPLATES_VARIABLE } from '../support/templates-folder.ts';

const cdk: { context: Record<string, unknown> } = JSON.parse(readFileSync('cdk.json', 'utf8'));

export interface AppOptions {
  readonly bundledStacks?: readonly string[];
  /** Whether CloudFormation's schemas and rules are applied as well, which takes longer than all the rest of a synthesis. */
  readonly hasRules?: boolean;
}

/** An app with the feature flags of `cdk.json`, writing to a directory of its own: whoever synthesizes it removes that. */
export function emptyApp({ bundledStacks = [], hasRules = false }: AppOptions = {}): App {
  return new App({
    context: { ...cdk.context, 'aws:cdk:bundling-stacks': bundledStacks },
    builtinCloudFormationValidation: hasRules,
  });
}

type Synthesized = Readonly<Record<keyof Lockzero, object | undefined>>;

/**
 * The templates of a stage by the names of its stacks. Throws where cdk-nag finds anything that is not acknowledged. Within
 * a run of the tests a stage is synthesized once, for all files that look at it. CloudFormation's rules are for
 * `stages.test.ts`.
 */
export function synthAll(stage: StageConfig): Record<keyof Lockzero, Template | undefined> {
  const { keys, data, api, jobs, trail, watch, archiveCopy } = synthesizedOnce(stage);
  const template = (json: object | undefined) => json && Template.fromJSON(structuredClone(json));
  return {
    keys: template(keys),
    data: template(data),
    api: template(api),
    jobs: template(jobs),
    trail: template(trail),
    watch: template(watch),
    archiveCopy: template(archiveCopy),
  };
}

function synthesizedOnce(stage: StageConfig): Synthesized {
  const folder = process.env[TEMPLATES_VARIABLE];
  if (folder === undefined) return synthesize(stage);
  const file = join(folder, `${createHash('sha256').update(JSON.stringify(stage)).digest('hex')}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Synthesized;
  const synthesized = synthesize(stage);
  // Two workers may be at the same stage: each puts a whole file in place.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(synthesized));
  renameSync(draft, file);
  return synthesized;
}

function synthesize(stage: StageConfig): Synthesized {
  const app = emptyApp();
  const stacks = addLockzero(app, stage);
  try {
    const assembly = app.synth();
    const template = (stack: Stack | undefined): object | undefined =>
      stack && assembly.getStackArtifact(stack.artifactId).template;
    return {
      keys: template(stacks.keys),
      data: template(stacks.data),
      api: template(stacks.api),
      jobs: template(stacks.jobs),
      trail: template(stacks.trail),
      watch: template(stacks.watch),
      archiveCopy: template(stacks.archiveCopy),
    };
  } finally {
    rmSync(app.outdir, { recursive: true });
  }
}

/** Those that every stage has. */
export function synth(
  stage: StageConfig,
): Record<'keys' | 'data' | 'api' | 'jobs' | 'trail' | 'watch', Template> {
  const { archiveCopy: _elsewhere, ...templates } = synthAll(stage);
  return templates as Record<keyof typeof templates, Template>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** Every resource of a type, by logical id. */
export function resourcesOf(template: Template, type: string): Array<[string, Resource]> {
  return Object.entries(template.findResources(type) as Record<string, Resource>);
}
