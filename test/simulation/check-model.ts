import { toVaultError } from '../../lambdas/api/http/problem.ts';
import { checkSuccess } from './check-answers.ts';
import { checkOver, checkRefusal, checkStrangers } from './check-refusals.ts';
import { checkRights } from './check-rights.ts';
import { isPublic, tokenOf } from './credentials.ts';
import type { Answer, Exchange } from './evidence.ts';
import { type Facts, isSuccess, nameOf, rowName } from './facts.ts';
import { verifications } from './jobs.ts';
import { WorkspaceModel } from './model.ts';
import type { PeopleModel } from './model-people.ts';

/**
 * I8 and the model: the rows tell a story that the manual allows, every answer agrees with some moment of it while the
 * request was under way, what was acknowledged is in it, and what was refused for good is not.
 */
export function checkModel(facts: Facts, people: PeopleModel): void {
  const models = tellStories(facts, people);
  for (const exchange of facts.evidence.exchanges) {
    const { answer, start, end = Number.MAX_SAFE_INTEGER } = exchange;
    const holder = facts.holders.get(tokenOf(exchange) ?? '');
    const model = models.get(holder?.workspaceId ?? '');
    if (answer === undefined) continue;
    if (answer.status === 500) facts.report('I8', `${nameOf(exchange)}: ${answer.cause}`);
    // What answers those who have no credentials yet is looked at in `check-doors.ts`.
    if (isPublic(exchange.sent)) continue;
    if (holder === undefined || model === undefined) {
      checkStranger(facts, exchange, answer);
      continue;
    }
    const fail = (problem: string): void => facts.report('I8', `${nameOf(exchange)} ${problem}`);
    const observed = { facts, model, people, holder, exchange, answer, start, end, fail };
    if (holder.type === 'api_key') checkOver(observed);
    else checkRights(observed);
    if (isSuccess(answer)) checkSuccess(observed);
    else checkRefusal(observed);
  }
  checkStrangers(facts);
  checkJobs(facts);
}

function tellStories({ rows, evidence, report }: Facts, people: PeopleModel): Map<string, WorkspaceModel> {
  const models = new Map<string, WorkspaceModel>();
  for (const row of rows) {
    if (row.lane === STRANGERS) continue;
    const model =
      models.get(row.ws) ??
      new WorkspaceModel(people, evidence.skew, (at, problem) =>
        report('model', `the row ${rowName(at.stored)} (${at.action}) ${problem}`),
      );
    models.set(row.ws, model);
    const exchange = row.exchange === undefined ? undefined : evidence.exchanges[row.exchange];
    model.apply(row, exchange?.sent, exchange?.start ?? row.step);
  }
  return models;
}

function checkStranger({ report }: Facts, exchange: Exchange, answer: Answer): void {
  if (answer.status !== 401 && answer.status !== 503) {
    report('I8', `${nameOf(exchange)} answered somebody without a key`);
  }
}

/** In a history without tampering the vault's own verifier finds nothing, and jobs fail only when a port does. */
function checkJobs({ evidence, report }: Facts): void {
  for (const complaint of evidence.complaints) report('I8', complaint);
  for (const job of evidence.jobs) {
    if (job.error !== undefined && !EXCUSES.has(job.error)) report('job', `${job.name}: ${job.error}`);
    for (const { workspaceId, verification, error } of verifications(job)) {
      const code = error === undefined ? undefined : toVaultError(error).code;
      if (code !== undefined && !EXCUSES.has(code)) report('job', `${job.name}: ${String(error)}`);
      if (verification?.ok === false) {
        report('verifier', `finds ${JSON.stringify(verification.breaks)} in ${workspaceId}, which is honest`);
      }
    }
  }
}

/** The lane of what strangers cause, which is no part of the story. */
const STRANGERS = 1;

/** What a fault of a port may make of a job. */
const EXCUSES: ReadonlySet<string> = new Set(['crashed', 'unavailable']);
