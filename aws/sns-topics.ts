import type { SNSClient } from '@aws-sdk/client-sns';
import { unavailable } from '../core/kernel/errors.ts';
import type { TopicPublisher } from '../core/siem/topic-publisher.ts';
import { CLIENT_CONFIG } from './clients.ts';

/**
 * The `TopicPublisher` port on Amazon SNS, for topics of the function's own region. Subscribers by mail get the text, all
 * others the event. A retry after a lost answer may publish a message twice, unless the topic is a FIFO one.
 *
 * @param topicArns those that the deployment publishes to; what a webhook says counts only among these.
 */
export function createSnsTopics(
  topicArns: readonly string[],
  client?: Pick<SNSClient, 'send'>,
): TopicPublisher {
  let publisher = client;
  return {
    async publish({ topicArn, id, group, subject, event, text, attributes }) {
      if (!topicArns.includes(topicArn)) {
        throw unavailable('This vault does not publish to the topic: its operator lists it, and deploys.');
      }
      try {
        // Loaded here, because most deployments publish to no topic.
        const sns = await import('@aws-sdk/client-sns');
        publisher ??= new sns.SNSClient(CLIENT_CONFIG);
        await publisher.send(
          new sns.PublishCommand({
            TopicArn: topicArn,
            Subject: asSubject(subject),
            ...(topicArn.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: id } : {}),
            MessageStructure: 'json',
            Message: JSON.stringify({ default: event, email: text }),
            MessageAttributes: Object.fromEntries(
              Object.entries(attributes).map(([name, value]) => [
                name,
                { DataType: 'String', StringValue: value },
              ]),
            ),
          }),
        );
      } catch (cause) {
        throw unavailable('The topic does not take the message right now. Try again.', cause);
      }
    },
  };
}

const MAX_SUBJECT_LENGTH = 99;

/** ASCII without control characters, fewer than 100 of them (SNS API, "Publish"). */
function asSubject(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '?').slice(0, MAX_SUBJECT_LENGTH);
}
