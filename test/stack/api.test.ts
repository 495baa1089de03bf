import { type ErrorCode, VaultError } from '../../core/kernel/errors.ts';
import { problemResponse } from '../../lambdas/api/http/problem.ts';
import { SECURITY_HEADERS } from '../../lambdas/api/http/security-headers.ts';
import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { resourcesOf, synth } from './synth.ts';

const { api } = synth(findStage('production'));
const { api: withDomain } = synth(
  parseStage({
    name: 'custom',
    account: '111122223333',
    archive: { mode: 'COMPLIANCE', retentionDays: 2557 },
    logRetentionDays: 365,
    fips: true,
    domain: {
      name: 'vault.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d',
      hostedZone: { id: 'Z0123456789', name: 'example.com' },
    },
  }),
);

function only(type: string, template = api): Record<string, unknown> {
  const [found, ...others] = resourcesOf(template, type);
  if (found === undefined || others.length > 0) throw new Error(`Expected one ${type}.`);
  return found[1].Properties;
}

describe('the REST API', () => {
  test('is regional and speaks TLS 1.3 only, strictly', () => {
    expect(only('AWS::ApiGateway::RestApi')).toMatchObject({
      EndpointConfiguration: { Types: ['REGIONAL'] },
      SecurityPolicy: 'SecurityPolicy_TLS13_1_3_2025_09',
      EndpointAccessMode: 'STRICT',
      DisableExecuteApiEndpoint: false,
      BinaryMediaTypes: ['*/*'],
    });
    expect(only('AWS::ApiGateway::RestApi')['MinimumCompressionSize']).toBeUndefined();
  });

  test('sends every method of every path to the one function, but no test invocations', () => {
    const methods = resourcesOf(api, 'AWS::ApiGateway::Method').map(([, method]) => method.Properties);
    expect(methods).toHaveLength(2);
    for (const method of methods) {
      expect(method).toMatchObject({ HttpMethod: 'ANY', Integration: { Type: 'AWS_PROXY' } });
    }
    expect(only('AWS::ApiGateway::Resource')).toMatchObject({ PathPart: '{proxy+}' });
    const permissions = resourcesOf(api, 'AWS::Lambda::Permission').map(
      ([, permission]) => permission.Properties,
    );
    expect(permissions).toHaveLength(2);
    expect(JSON.stringify(permissions)).not.toContain('test-invoke-stage');
  });

  test('passes headers on as they are, cookies and credentials included', () => {
    for (const [, { Properties }] of resourcesOf(api, 'AWS::ApiGateway::Method')) {
      expect(Properties['AuthorizationType']).toBe('NONE');
      expect(Properties).not.toHaveProperty('RequestParameters');
      expect(Properties['Integration']).toEqual({
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        Uri: expect.anything(),
      });
    }
    expect(only('AWS::ApiGateway::Stage')).not.toHaveProperty('CacheClusterEnabled');
  });

  test('throttles, traces, and logs errors without any data', () => {
    expect(only('AWS::ApiGateway::Stage')).toMatchObject({
      TracingEnabled: true,
      MethodSettings: [
        {
          HttpMethod: '*',
          ResourcePath: '/*',
          DataTraceEnabled: false,
          LoggingLevel: 'ERROR',
          ThrottlingRateLimit: 200,
          ThrottlingBurstLimit: 400,
        },
      ],
    });
  });

  test('writes access logs from a closed list of fields', () => {
    const { Format } = only('AWS::ApiGateway::Stage')['AccessLogSetting'] as { Format: string };
    const fields = Object.values(JSON.parse(Format) as Record<string, string>);
    expect(fields.sort()).toEqual([
      '$context.httpMethod',
      '$context.identity.sourceIp',
      '$context.identity.userAgent',
      '$context.integrationLatency',
      '$context.path',
      '$context.requestId',
      '$context.requestTimeEpoch',
      '$context.resourcePath',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.status',
      '$context.waf.status',
    ]);
  });

  test('keeps every log encrypted and for a year, the execution log made beforehand', () => {
    const groups = resourcesOf(api, 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(4);
    for (const [, group] of groups) {
      expect(JSON.stringify(group.Properties['KmsKeyId'])).toContain('DataKey');
      expect(group.Properties['RetentionInDays']).toBe(365);
    }
    const [executionLog] =
      groups.find(([, group]) => /Execution-Logs_/.test(JSON.stringify(group.Properties))) ?? [];
    const [, stage] = resourcesOf(api, 'AWS::ApiGateway::Stage')[0] ?? [];
    expect(stage?.DependsOn).toContain(executionLog);
  });
});

describe('with a domain', () => {
  test('domain and API speak TLS 1.3 only, with FIPS ciphers where the stage asks', () => {
    const tls = { SecurityPolicy: 'SecurityPolicy_TLS13_1_3_FIPS_2025_09', EndpointAccessMode: 'STRICT' };
    expect(only('AWS::ApiGateway::RestApi', withDomain)).toMatchObject(tls);
    expect(only('AWS::ApiGateway::DomainName', withDomain)).toMatchObject({
      ...tls,
      DomainName: 'vault.example.com',
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
  });

  test('the default endpoint is off and the domain serves without a base path', () => {
    expect(only('AWS::ApiGateway::RestApi', withDomain)).toMatchObject({ DisableExecuteApiEndpoint: true });
    expect(only('AWS::ApiGateway::BasePathMapping', withDomain)['BasePath']).toBeUndefined();
    expect(only('AWS::Route53::RecordSet', withDomain)).toMatchObject({
      Name: 'vault.example.com.',
      Type: 'A',
    });
    withDomain.hasOutput('ApiUrl', { Value: 'https://vault.example.com/' });
  });
});

describe('gateway responses', () => {
  const responses = resourcesOf(api, 'AWS::ApiGateway::GatewayResponse').map(([, response]) => {
    const properties = response.Properties as {
      ResponseType: string;
      StatusCode: string;
      ResponseParameters: Record<string, string>;
      ResponseTemplates: Record<string, string>;
    };
    return [properties.ResponseType, properties] as const;
  });

  test.each(responses)('%s looks like an answer of the function itself', (_, response) => {
    const { 'application/json': template = '' } = response.ResponseTemplates;
    const problem = JSON.parse(template) as { code: ErrorCode; detail: string };
    const seconds = response.ResponseParameters['gatewayresponse.header.Retry-After']?.replaceAll("'", '');
    const error = new VaultError(
      problem.code,
      problem.detail,
      seconds === undefined ? {} : { retryAfter: Number(seconds) },
    );
    const answer = problemResponse(error, '$context.requestId');
    expect(problem).toEqual(JSON.parse(answer.text ?? ''));
    expect(response.StatusCode).toBe(String(answer.status));
    const headers = { ...SECURITY_HEADERS, ...answer.headers };
    expect(response.ResponseParameters).toEqual({
      'gatewayresponse.header.X-Request-Id': 'context.requestId',
      ...Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [`gatewayresponse.header.${name}`, `'${value}'`]),
      ),
    });
  });

  test('say when to come back wherever that is what helps', () => {
    const later = responses.filter(([, response]) => ['429', '503'].includes(response.StatusCode));
    expect(later.length).toBeGreaterThan(0);
    for (const [, response] of later) {
      expect(response.ResponseParameters['gatewayresponse.header.Retry-After']).toMatch(/^'\d+'$/);
    }
  });

  test('cover both defaults, WAF, throttling, authentication, missing routes and large bodies', () => {
    const statusOf = Object.fromEntries(responses.map(([type, response]) => [type, response.StatusCode]));
    expect(statusOf).toMatchObject({
      DEFAULT_4XX: '400',
      DEFAULT_5XX: '500',
      WAF_FILTERED: '403',
      THROTTLED: '429',
      UNAUTHORIZED: '401',
      MISSING_AUTHENTICATION_TOKEN: '404',
      REQUEST_TOO_LARGE: '413',
      INTEGRATION_TIMEOUT: '503',
    });
  });
});

describe('the web ACL', () => {
  interface Rule {
    readonly Name: string;
    readonly VisibilityConfig: { readonly SampledRequestsEnabled: boolean };
    readonly Statement: {
      readonly ManagedRuleGroupStatement?: {
        readonly RuleActionOverrides: ReadonlyArray<{ readonly Name: string; readonly ActionToUse: unknown }>;
      };
    };
  }
  const acl = only('AWS::WAFv2::WebACL');
  const rules = acl['Rules'] as Rule[];
  const counted = (name: string) => {
    const group = rules.find((rule) => rule.Name === name)?.Statement.ManagedRuleGroupStatement;
    const overrides = group?.RuleActionOverrides ?? [];
    for (const override of overrides) expect(override.ActionToUse).toEqual({ Count: {} });
    return overrides.map((override) => override.Name);
  };

  test('stands before the stage', () => {
    expect(acl['Scope']).toBe('REGIONAL');
    expect(JSON.stringify(only('AWS::WAFv2::WebACLAssociation')['ResourceArn'])).toContain('/stages/');
  });

  test('lets one address send 240 requests in 60 seconds, then answers 429 with Retry-After: 60', () => {
    expect(rules[0]).toMatchObject({
      Priority: 0,
      Statement: { RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 60, Limit: 240 } },
      Action: {
        Block: {
          CustomResponse: {
            ResponseCode: 429,
            CustomResponseBodyKey: 'rate-limited',
            ResponseHeaders: expect.arrayContaining(
              Object.entries({ ...SECURITY_HEADERS, 'Retry-After': '60' }).map(([Name, Value]) => ({
                Name,
                Value,
              })),
            ),
          },
        },
      },
    });
    const bodies = acl['CustomResponseBodies'] as Record<string, { Content: string }>;
    expect(JSON.parse(bodies['rate-limited']?.Content ?? '')).toMatchObject({
      status: 429,
      code: 'rate_limited',
    });
  });

  test('only counts what inspects bodies, and URLs and names in values', () => {
    expect([...counted('AWSManagedRulesCommonRuleSet')].sort()).toEqual([
      'CrossSiteScripting_BODY',
      'EC2MetaDataSSRF_BODY',
      'EC2MetaDataSSRF_COOKIE',
      'EC2MetaDataSSRF_QUERYARGUMENTS',
      'EC2MetaDataSSRF_URIPATH',
      'GenericLFI_BODY',
      'GenericRFI_BODY',
      'GenericRFI_QUERYARGUMENTS',
      'GenericRFI_URIPATH',
      'NoUserAgent_HEADER',
      'RestrictedExtensions_QUERYARGUMENTS',
      'RestrictedExtensions_URIPATH',
      'SizeRestrictions_BODY',
      'SizeRestrictions_QUERYSTRING',
    ]);
    expect(counted('AWSManagedRulesKnownBadInputsRuleSet')).toEqual([
      'JavaDeserializationRCE_BODY',
      'Log4JRCE_BODY',
      'ReactJSRCE_BODY',
    ]);
    expect(counted('AWSManagedRulesAmazonIpReputationList')).toEqual([]);
  });

  test('lets a redirect URI on loopback through, in the query of /oauth/authorize and the form of /oauth/token', () => {
    for (const part of ['QUERYARGUMENTS', 'BODY']) {
      expect(counted('AWSManagedRulesCommonRuleSet')).toEqual(
        expect.arrayContaining([`GenericRFI_${part}`, `EC2MetaDataSSRF_${part}`]),
      );
    }
  });

  test('goes on blocking scripts in queries, paths and cookies, in front of pages of HTML', () => {
    for (const part of ['QUERYARGUMENTS', 'URIPATH', 'COOKIE']) {
      expect(counted('AWSManagedRulesCommonRuleSet')).not.toContain(`CrossSiteScripting_${part}`);
    }
  });

  test('samples nothing and keeps credentials, queries and bodies out of its log', () => {
    const visibility = [acl['VisibilityConfig'], ...rules.map((rule) => rule.VisibilityConfig)];
    for (const config of visibility) expect(config).toMatchObject({ SampledRequestsEnabled: false });
    expect(only('AWS::WAFv2::LoggingConfiguration')['RedactedFields']).toEqual([
      { SingleHeader: { Name: 'authorization' } },
      { SingleHeader: { Name: 'cookie' } },
      { SingleHeader: { Name: 'x-csrf-token' } },
      { QueryString: {} },
    ]);
    const { DataProtections } = acl['DataProtectionConfig'] as { DataProtections: Array<{ Field: unknown }> };
    expect(DataProtections.map((protection) => protection.Field)).toEqual(
      expect.arrayContaining([{ FieldType: 'BODY' }, { FieldType: 'QUERY_STRING' }]),
    );
  });
});
