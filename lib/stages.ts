import { parseStage, type StageConfig, StageError, type StageInput } from './stage.ts';

/** In days, with two leap days. */
export const SEVEN_YEARS = 2557;

/**
 * The stages that `cdk -c stage=<name>` can deploy. Add yours here: an account, another region. Give a stage that people
 * use a `domain` and `mail`: without mail nobody can be invited and no password reset.
 */
const stages: readonly StageInput[] = [
  {
    name: 'development',
    archive: { mode: 'GOVERNANCE', retentionDays: 1 },
    logRetentionDays: 30,
    removal: 'destroy',
  },
  {
    name: 'production',
    archive: { mode: 'COMPLIANCE', retentionDays: SEVEN_YEARS },
    logRetentionDays: 365,
  },
  {
    name: 'production-eu',
    region: 'eu-central-1',
    archive: { mode: 'COMPLIANCE', retentionDays: SEVEN_YEARS },
    logRetentionDays: 365,
  },
];

export const stageNames: readonly string[] = stages.map((stage) => stage.name);

/** The stage of that name; `development` where none is given. Throws StageError with the valid names. */
export function findStage(name: unknown = 'development'): StageConfig {
  const found = stages.find((stage) => stage.name === name);
  if (found === undefined) {
    throw new StageError(
      `There is no stage ${JSON.stringify(name)}: choose ${stageNames.join(', ')} with -c stage=<name>.`,
    );
  }
  return parseStage(found);
}
