import { readFileSync, rmSync } from 'node:fs';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addLockzero, type Lockzero } from '../../lib/lockzero.ts';
import type { StageConfig } from '../../lib/stage.ts';

const cdk: { context: Record<string, unknown> } = JSON.parse(readFileSync('cdk.json', 'utf8'));

/** An app with the feature flags of `cdk.json`, writing to a directory of its own: whoever synthesizes it removes that. */
export function emptyApp(bundledStacks: readonly string[] = []): App {
  return new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': bundledStacks } });
}

/** The templates of a stage by the names of its stacks. Throws where cdk-nag finds anything that is not acknowledged. */
export function synthAll(stage: StageConfig): Record<keyof Lockzero, Template | undefined> {
  const app = emptyApp();
  const stacks = addLockzero(app, stage);
  try {
    const assembly = app.synth();
    const template = (stack: Stack | undefined) =>
      stack && Template.fromJSON(assembly.getStackArtifact(stack.artifactId).template);
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
