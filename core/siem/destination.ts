import * as z from 'zod';
import { invalid } from '../kernel/errors.ts';
import { parseReceiverUrl, type ReceiverRules } from './receiver-url.ts';
import type { Preset } from './webhook.ts';

/** What the deployment can reach. */
export interface DestinationRules extends ReceiverRules {
  /** Whether it has an address to send mail from. */
  readonly sendsMail: boolean;
  /** The topics that it may publish to. */
  readonly topicArns: readonly string[];
}

/** Where a webhook leads, as far as everybody may know who sees the webhook. */
export interface Destination {
  readonly url: string;
  /** What an audit row says of it: the host, the domain of a mail address, or the topic. */
  readonly host: string;
  /** The part of what was given that only the receiver may know. */
  readonly credential?: string;
}

/**
 * Reads what a person gave as `url`.
 *
 * @throws VaultError `invalid_request`
 */
export function parseDestination(preset: Preset, text: string, rules: DestinationRules): Destination {
  switch (preset) {
    case 'slack':
      return parseSlack(text, rules);
    case 'pagerduty':
      return parsePagerDuty(text, rules);
    case 'email':
      return parseMail(text, rules);
    case 'sns':
      return parseTopic(text, rules);
    default: {
      const { href, host } = parseReceiverUrl(text, rules);
      return { url: href, host };
    }
  }
}

/** Whoever knows the path of an incoming webhook of Slack may post to its channel, so the path is kept as the credential. */
function parseSlack(text: string, rules: ReceiverRules): Destination {
  const { origin, host, pathname, search } = parseReceiverUrl(text, rules);
  const path = `${pathname}${search}`;
  return { url: `${origin}/`, host, ...(path === '/' ? {} : { credential: path }) };
}

const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';
const PAGERDUTY_EU_URL = 'https://events.eu.pagerduty.com/v2/enqueue';

/** The body has the routing key in it, so on the internet it goes to PagerDuty alone. */
function parsePagerDuty(text: string, rules: ReceiverRules): Destination {
  const { href, host } = parseReceiverUrl(text, rules);
  if (href !== PAGERDUTY_URL && href !== PAGERDUTY_EU_URL && !rules.allowPrivate) {
    throw invalid('url', `must be ${PAGERDUTY_URL}, or ${PAGERDUTY_EU_URL} for an account in the EU`);
  }
  return { url: href, host };
}

const addressSchema = z.email().max(254);

/** One address and nothing else: what RFC 6068 allows besides would let whoever sets it write headers. */
function parseMail(text: string, { sendsMail }: DestinationRules): Destination {
  if (!sendsMail) {
    throw invalid(
      'preset',
      'email needs a vault that sends mail: its operator sets "mail" in lib/stages.ts and deploys',
    );
  }
  const [, address] = /^mailto:(.*)$/i.exec(text) ?? [];
  if (!addressSchema.safeParse(address).success || address === undefined) {
    throw invalid('url', 'must be mailto: and one address, such as mailto:oncall@example.com');
  }
  return { url: `mailto:${address}`, host: address.slice(address.lastIndexOf('@') + 1) };
}

function parseTopic(text: string, { topicArns }: DestinationRules): Destination {
  if (topicArns.length === 0) {
    throw invalid(
      'preset',
      'sns needs a vault that publishes to topics: its operator sets "alertTopicArns" in lib/stages.ts and deploys',
    );
  }
  if (!topicArns.includes(text)) {
    throw invalid(
      'url',
      'must be the ARN of a topic that this vault publishes to: ask its operator for them',
    );
  }
  return { url: text, host: text };
}
