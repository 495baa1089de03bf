import { App } from 'aws-cdk-lib';
import { addLockzero } from '../lib/lockzero.ts';
import { StageError } from '../lib/stage.ts';
import { findStage } from '../lib/stages.ts';

const app = new App();
try {
  addLockzero(app, findStage(app.node.tryGetContext('stage')));
} catch (error) {
  if (!(error instanceof StageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
