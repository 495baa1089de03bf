import { AwsError } from '../stand-in.ts';
import { type FifoQueue, openFifoQueue, type QueueSettings } from './fifo-queue.ts';

export interface QueuesOptions {
  readonly now: () => number;
  readonly region: string;
  readonly accountId: string;
  readonly baseUrl: () => string;
}

/** What SQS takes for granted where a queue's attributes do not say. */
const DEFAULT_VISIBILITY_SECONDS = 30;

export type Queues = ReturnType<typeof openQueues>;

/** The queues of the account by their names. */
export function openQueues({ now, region, accountId, baseUrl }: QueuesOptions) {
  const queues = new Map<string, { readonly queue: FifoQueue; readonly attributes: string }>();
  const url = (name: string): string => `${baseUrl()}/${accountId}/${name}`;
  const arn = (name: string): string => `arn:aws:sqs:${region}:${accountId}:${name}`;

  const find = (name: string): FifoQueue => {
    const found = queues.get(name);
    if (found !== undefined) return found.queue;
    throw new AwsError('QueueDoesNotExist', `The queue ${name} does not exist.`);
  };

  const settingsOf = (attributes: Readonly<Record<string, unknown>>): QueueSettings => {
    const { FifoQueue: fifo, VisibilityTimeout: seconds, RedrivePolicy: redrive, ...others } = attributes;
    const [other] = Object.keys(others);
    if (other !== undefined)
      throw new AwsError('InvalidAttributeName', `This stand-in does not know ${other}.`);
    if (fifo !== 'true') {
      throw new AwsError('InvalidAttributeValue', 'This stand-in has FIFO queues only: set FifoQueue.');
    }
    const visibilityTimeoutMs = Number(seconds ?? DEFAULT_VISIBILITY_SECONDS) * 1000;
    if (redrive === undefined) return { visibilityTimeoutMs };
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(String(redrive));
    const deadLetters = find(String(deadLetterTargetArn).split(':').at(-1) ?? '');
    return { visibilityTimeoutMs, redrive: { maxReceiveCount: Number(maxReceiveCount), deadLetters } };
  };

  return {
    /** The queue of that name, made where it is missing. Throws AwsError where it has other attributes. */
    create(name: string, attributes: unknown): string {
      if (!/^[A-Za-z0-9_-]{1,75}\.fifo$/.test(name)) {
        throw new AwsError('InvalidParameterValue', 'The name of a FIFO queue ends in .fifo.');
      }
      const wanted = JSON.stringify(attributes);
      const known = queues.get(name);
      if (known !== undefined && known.attributes !== wanted) {
        throw new AwsError('QueueNameExists', `There is a queue ${name} with other attributes.`);
      }
      if (known === undefined) {
        const settings = settingsOf(attributes as Readonly<Record<string, unknown>>);
        queues.set(name, { queue: openFifoQueue(settings, now), attributes: wanted });
      }
      return url(name);
    },

    urlOf(name: string): string {
      find(name);
      return url(name);
    },

    urls: (): string[] => [...queues.keys()].map(url),

    byUrl: (queueUrl: string): FifoQueue => find(nameIn(queueUrl)),

    arnOf: (queueUrl: string): string => arn(nameIn(queueUrl)),
  };
}

function nameIn(queueUrl: string): string {
  return queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
}
