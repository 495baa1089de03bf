import { App } from 'aws-cdk-lib';
import { addLockzero } from '../lib/lockzero.ts';
import { StageError } from '../lib/stage.ts';
import { findStage } from '../lib/stages.ts';
import { findTenant, refuseUnknownOptions } from '../lib/tenant.ts';
import { findWitness, WitnessConfigError } from '../lib/witness.ts';
import { addWitness } from '../lib/witness-stack.ts';

const app = new App();
try {
  refuseUnknownOptions(Object.keys(app.node.getAllContext()));
  const context = (name: string): unknown => app.node.tryGetContext(name);
  const tenant = findTenant(context);
  const witness = context('witness');
  if (tenant !== undefined) addLockzero(app, tenant);
  else if (witness === undefined) addLockzero(app, findStage(context('stage')));
  else addWitness(app, findWitness(witness));
} catch (error) {
  if (!(error instanceof StageError || error instanceof WitnessConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
