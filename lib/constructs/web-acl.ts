import { Stack } from 'aws-cdk-lib';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { logGroupArn, namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { problemBody, RATE_LIMITED, SECURITY_HEADERS } from './problem-responses.ts';
import { VaultLogGroup } from './vault-log-group.ts';

export interface WebAclProps {
  readonly stage: StageConfig;
  readonly dataKeyArn: string;
  /** The ARN of the API stage that it protects. */
  readonly resourceArn: string;
}

/** Requests that one address may send within RATE_WINDOW_SECONDS. */
export const RATE_LIMIT = 240;
export const RATE_WINDOW_SECONDS = 60;

/**
 * Rules that count only, because what they look for is legitimate here. The vault neither fetches a URL nor opens a file
 * that a request names. Rules against scripts in queries and cookies go on blocking: login and consent are HTML.
 */
const COMMON_COUNTED = [
  // Secrets and passwords look like attacks: scripts, URLs and paths are what people keep in them. The form that
  // redeems an OAuth code holds a `redirect_uri` besides.
  'CrossSiteScripting_BODY',
  'EC2MetaDataSSRF_BODY',
  'GenericLFI_BODY',
  'GenericRFI_BODY',
  // `/oauth/authorize` names where to return to, on the caller's own machine: `redirect_uri=http://127.0.0.1:<port>/…`
  // (RFC 8252 section 7.3). A URL with an IPv4 address is what GenericRFI refuses, a loopback host what EC2MetaDataSSRF
  // does. The vault compares it with what the client registered and sends the browser there, never itself.
  'EC2MetaDataSSRF_QUERYARGUMENTS',
  'GenericRFI_QUERYARGUMENTS',
  // A name such as `127.0.0.1` is as good as any in a path, and a cookie is never read as an address.
  'EC2MetaDataSSRF_COOKIE',
  'EC2MetaDataSSRF_URIPATH',
  'GenericRFI_URIPATH',
  // So is `app.ini` or `key.conf`, in a path or a filter.
  'RestrictedExtensions_QUERYARGUMENTS',
  'RestrictedExtensions_URIPATH',
  // A secret is often longer than 8 KiB; a filter or an authorization request may be longer than 2.
  'SizeRestrictions_BODY',
  'SizeRestrictions_QUERYSTRING',
  // Machines call, often without a user agent.
  'NoUserAgent_HEADER',
];
const BAD_INPUTS_COUNTED = ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY', 'ReactJSRCE_BODY'];

const CREDENTIAL_HEADERS = ['authorization', 'cookie', 'x-csrf-token'];

const RATE_LIMITED_BODY = 'rate-limited';

/** The web ACL before the API: a rate per address, and AWS's managed rules where they can tell an attack from a secret. */
export class WebAcl extends Construct {
  constructor(scope: Construct, id: string, props: WebAclProps) {
    super(scope, id);
    const acl = new CfnWebACL(this, 'Acl', {
      name: namesOf(props.stage).prefix,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('WebAcl'),
      customResponseBodies: {
        [RATE_LIMITED_BODY]: { contentType: 'APPLICATION_JSON', content: problemBody(RATE_LIMITED) },
      },
      // Rule matches quote what they matched: without this, pieces of a secret's value could reach the log.
      dataProtectionConfig: {
        dataProtections: [
          { action: 'SUBSTITUTION', field: { fieldType: 'BODY' } },
          { action: 'SUBSTITUTION', field: { fieldType: 'QUERY_STRING' } },
          { action: 'SUBSTITUTION', field: { fieldType: 'SINGLE_QUERY_ARGUMENT' } },
          { action: 'SUBSTITUTION', field: { fieldType: 'SINGLE_COOKIE' } },
          { action: 'SUBSTITUTION', field: { fieldType: 'SINGLE_HEADER', fieldKeys: CREDENTIAL_HEADERS } },
        ],
      },
      rules: [
        ratePerAddress(0),
        managed(1, 'AWSManagedRulesAmazonIpReputationList', []),
        managed(2, 'AWSManagedRulesCommonRuleSet', COMMON_COUNTED),
        managed(3, 'AWSManagedRulesKnownBadInputsRuleSet', BAD_INPUTS_COUNTED),
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { webAclArn: acl.attrArn, resourceArn: props.resourceArn });
    this.log(acl, props);
  }

  private log(acl: CfnWebACL, { stage, dataKeyArn }: WebAclProps): void {
    const { wafLogGroup } = namesOf(stage);
    const logGroup = new VaultLogGroup(this, 'Log', { stage, dataKeyArn, logGroupName: wafLogGroup });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [logGroupArn(Stack.of(this), wafLogGroup)],
      redactedFields: [
        ...CREDENTIAL_HEADERS.map((name) => ({ singleHeader: { Name: name } })),
        { queryString: {} },
      ],
    });
    logging.node.addDependency(logGroup);
  }
}

function ratePerAddress(priority: number): CfnWebACL.RuleProperty {
  return {
    name: 'RatePerAddress',
    priority,
    action: {
      block: {
        customResponse: {
          responseCode: RATE_LIMITED.status,
          customResponseBodyKey: RATE_LIMITED_BODY,
          // WAF refuses a Content-Type here, so this one problem document arrives as application/json.
          responseHeaders: Object.entries({
            ...SECURITY_HEADERS,
            'Retry-After': String(RATE_LIMITED.retryAfter),
          }).map(([name, value]) => ({ name, value })),
        },
      },
    },
    statement: {
      rateBasedStatement: {
        limit: RATE_LIMIT,
        evaluationWindowSec: RATE_WINDOW_SECONDS,
        aggregateKeyType: 'IP',
      },
    },
    visibilityConfig: visibility('RatePerAddress'),
  };
}

function managed(priority: number, name: string, counted: readonly string[]): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: visibility(name),
  };
}

/** Metrics yes, samples no: a sampled request shows its headers and path in the console. */
function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}
