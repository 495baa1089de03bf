import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { type RunbookSection, runbookLink } from './runbook.ts';

export interface AlarmRule {
  /** Names the alarm within the stage: lower case with hyphens. */
  readonly name: string;
  /** One sentence: what is wrong when it rings. */
  readonly says: string;
  readonly section: RunbookSection;
  readonly metric: IMetric;
  /**
   * Rings when the metric is at least this.
   * @default 1
   */
  readonly atLeast?: number;
  /**
   * Rings when the metric is below this instead.
   * @default - it rings for too much
   */
  readonly below?: number;
  /**
   * For how many periods in a row.
   * @default 1
   */
  readonly periods?: number;
  /**
   * Whether no data is as bad: what should speak is silent.
   * @default false
   */
  readonly silenceRings?: boolean;
}

/** Alarms that all go to one topic, each with the section of the runbook that says what to do. */
export class Alarms extends Construct {
  readonly #prefix: string;
  readonly #topic: ITopic;

  constructor(scope: Construct, id: string, { prefix, topic }: { prefix: string; topic: ITopic }) {
    super(scope, id);
    this.#prefix = prefix;
    this.#topic = topic;
    acknowledge(
      this,
      'What ends by itself needs nobody: people look at the alarm when it begins, and again in the alert that it leaves.',
      'NIST.800.53.R5-CloudWatchAlarmAction',
    );
  }

  add({
    name,
    says,
    section,
    metric,
    atLeast = 1,
    below,
    periods = 1,
    silenceRings = false,
  }: AlarmRule): void {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.#prefix}-${name}`,
      alarmDescription: `${says} What to do: ${runbookLink(section)}`,
      metric,
      threshold: below ?? atLeast,
      comparisonOperator:
        below === undefined
          ? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: silenceRings ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
  }
}

export const FIVE_MINUTES = Duration.minutes(5);
