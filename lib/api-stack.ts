import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  type CfnRestApi,
  DomainName,
  EndpointAccessMode,
  EndpointType,
  type IRestApi,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { apiPermissions, topicEnvironment } from './api-permissions.ts';
import { acknowledge } from './constructs/acknowledge.ts';
import { addProblemResponses } from './constructs/problem-responses.ts';
import { VaultFunction } from './constructs/vault-function.ts';
import { VaultLogGroup } from './constructs/vault-log-group.ts';
import { WebAcl } from './constructs/web-acl.ts';
import type { DataStack } from './data-stack.ts';
import { logEnvironment, readArchive } from './log-access.ts';
import { namesOf } from './names.ts';
import { syncEnvironment, writeCopies } from './secrets-sync-access.ts';
import { planEnvironment, type StageConfig } from './stage.ts';
import { customerKeyEnvironment, useValueKeys, valueKeyEnvironment } from './value-keys.ts';
import type { WatchedFunction } from './watch/watched.ts';

export interface ApiStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  /** The deployment's own keys for values: the one that wraps, then those that still unwrap. */
  readonly secretsKeyArns: readonly string[];
  readonly dataKeyArn: string;
  /** The key that signs access tokens first, then those that still verify. */
  readonly signingKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
}

/** The name of the API Gateway stage. It shows in the path of the execute-api endpoint only. */
const API_STAGE = 'live';

/** API Gateway gives up after 29 seconds; the function shall fail first and say so itself. */
const TIMEOUT = Duration.seconds(28);

/** All addresses together, in requests a second; WAF limits each of them long before. */
const THROTTLING = { throttlingRateLimit: 200, throttlingBurstLimit: 400 };

/** The HTTP API: one function behind a regional REST API with a web ACL in front. */
export class ApiStack extends Stack {
  readonly apiStage = API_STAGE;
  /** Where clients find the API, without a slash at the end. */
  readonly url: string;
  readonly functions: readonly WatchedFunction[] = [{ functionName: 'api', timeout: TIMEOUT }];

  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { stage } = props;
    const tls = {
      securityPolicy: stage.fips ? SecurityPolicy.TLS13_1_3_FIPS_2025_09 : SecurityPolicy.TLS13_1_3_2025_09,
      endpointAccessMode: EndpointAccessMode.STRICT,
    };

    const api = this.restApi(props);
    // The L2 construct sets the policy on domains only.
    Object.assign(api.node.defaultChild as CfnRestApi, tls);
    addProblemResponses(api);
    this.route(api, props);
    this.encryptExecutionLog(api, props);
    new WebAcl(this, 'WebAcl', {
      stage,
      dataKeyArn: props.dataKeyArn,
      resourceArn: api.deploymentStage.stageArn,
    });
    if (stage.domain !== undefined) this.domain(api, stage.domain, tls);

    this.url = this.publicUrl(api, stage);
    new CfnOutput(this, 'ApiUrl', { value: `${this.url}/` });
  }

  /**
   * Where clients find the API, without a slash at the end: the issuer of its tokens and the beginning of the links in
   * its mails. Spelled out rather than `api.url`, which refers to the API's stage: that depends on the function, and
   * the function is told this.
   */
  private publicUrl(api: RestApi, { domain }: StageConfig): string {
    if (domain !== undefined) return `https://${domain.name}`;
    return `https://${api.restApiId}.execute-api.${this.region}.${this.urlSuffix}/${API_STAGE}`;
  }

  private restApi({ stage, dataKeyArn }: ApiStackProps): RestApi {
    const names = namesOf(stage);
    const accessLog = new VaultLogGroup(this, 'AccessLog', {
      stage,
      dataKeyArn,
      logGroupName: names.logGroup('access'),
    });
    const api = new RestApi(this, 'Api', {
      restApiName: names.prefix,
      description: `Lockzero ${stage.name}: the HTTP API`,
      endpointConfiguration: { types: [EndpointType.REGIONAL] },
      disableExecuteApiEndpoint: stage.domain !== undefined,
      // Bodies reach the function as the bytes that were sent, so that it can refuse what is not UTF-8.
      binaryMediaTypes: ['*/*'],
      cloudWatchRole: true,
      deployOptions: {
        stageName: API_STAGE,
        ...THROTTLING,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat: accessLogFormat(),
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        metricsEnabled: true,
        tracingEnabled: true,
      },
    });
    acknowledge(
      api,
      'API Gateway checks its account-wide logging role against exactly this managed policy; the role is API Gateway’s alone.',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
    );
    acknowledge(
      api,
      'The function validates every request by the schemas of its routes, which say more than a JSON Schema in the gateway.',
      'AwsSolutions-APIG2',
    );
    acknowledge(
      api,
      'The function authenticates every request but the public routes: API keys live in the vault, and every denial is recorded.',
      'AwsSolutions-APIG4',
      'AwsSolutions-COG4',
    );
    acknowledge(api, 'No answer of a vault may be cached.', 'NIST.800.53.R5-APIGWCacheEnabledAndEncrypted');
    acknowledge(
      api,
      'The backend is a Lambda function, which IAM authenticates; a client certificate is for HTTP backends.',
      'NIST.800.53.R5-APIGWSSLEnabled',
    );
    return api;
  }

  private route(api: RestApi, props: ApiStackProps): void {
    const { data, stage, secretsKeyArns } = props;
    const copies = writeCopies(this, stage, 'api');
    const { handler } = new VaultFunction(this, 'ApiFunction', {
      stage,
      functionName: 'api',
      description: 'Answers every request of the HTTP API',
      vault: data.vault,
      audit: data.audit,
      dataKeyArn: props.dataKeyArn,
      vaultActions: [
        'BatchGetItem',
        'ConditionCheckItem',
        'DeleteItem',
        'GetItem',
        'PutItem',
        'Query',
        'UpdateItem',
      ],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
      objects: [readArchive(data, 'log/'), readArchive(data, 'archive/')],
      statements: [
        ...copies.statements,
        ...apiPermissions(this, {
          ...props,
          bootstrapSecretArns: [data.rootSecret.secretArn, data.setupToken.secretArn],
        }),
      ],
      accepted: copies.accepted,
      valueKeys: useValueKeys(this, stage, secretsKeyArns, 'api'),
      timeout: TIMEOUT,
      memorySize: 1024,
      argon2: true,
      environment: {
        ...logEnvironment(stage, data, props.checkpointKeyArn),
        ...valueKeyEnvironment(stage, secretsKeyArns),
        ...customerKeyEnvironment(stage),
        ...syncEnvironment(stage),
        ...planEnvironment(stage),
        ROOT_SECRET_ID: data.rootSecret.secretArn,
        SETUP_TOKEN_SECRET_ID: data.setupToken.secretArn,
        SIGNING_KEY_ARNS: props.signingKeyArns.join(','),
        PUBLIC_URL: this.publicUrl(api, stage),
        ...(stage.mail === undefined ? {} : { MAIL_FROM: stage.mail.from }),
        ...topicEnvironment(stage),
      },
    });
    acknowledge(
      handler,
      'API Gateway calls it and waits for the answer: a failed call goes back to the client, never to a queue.',
      'NIST.800.53.R5-LambdaDLQ',
    );
    const integration = new LambdaIntegration(handler, { allowTestInvoke: false });
    api.root.addMethod('ANY', integration);
    api.root.addProxy({ defaultIntegration: integration });
  }

  /** API Gateway would create this group itself, without a key and kept for ever; it writes to one that exists. */
  private encryptExecutionLog(api: RestApi, { stage, dataKeyArn }: ApiStackProps): void {
    const executionLog = new VaultLogGroup(this, 'ExecutionLog', {
      stage,
      dataKeyArn,
      logGroupName: `API-Gateway-Execution-Logs_${api.restApiId}/${API_STAGE}`,
    });
    api.deploymentStage.node.addDependency(executionLog);
  }

  private domain(
    api: RestApi,
    domain: NonNullable<StageConfig['domain']>,
    tls: { securityPolicy: SecurityPolicy; endpointAccessMode: EndpointAccessMode },
  ): void {
    const domainName = new DomainName(this, 'Domain', {
      domainName: domain.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      endpointType: EndpointType.REGIONAL,
      ...tls,
      // aws-cdk-lib is compiled without exactOptionalPropertyTypes: its classes miss their own interfaces by a hair.
      mapping: api as IRestApi,
    });
    if (domain.hostedZone === undefined) return;
    new ARecord(this, 'Alias', {
      zone: HostedZone.fromHostedZoneAttributes(this, 'Zone', {
        hostedZoneId: domain.hostedZone.id,
        zoneName: domain.hostedZone.name,
      }),
      recordName: `${domain.name}.`,
      target: RecordTarget.fromAlias(new ApiGatewayDomain(domainName)),
    });
  }
}

/** Who asked for what and how it went. No header but the user agent, no query string, no body. */
function accessLogFormat(): AccessLogFormat {
  return AccessLogFormat.custom(
    JSON.stringify({
      requestId: AccessLogField.contextRequestId(),
      time: AccessLogField.contextRequestTimeEpoch(),
      ip: AccessLogField.contextIdentitySourceIp(),
      method: AccessLogField.contextHttpMethod(),
      path: AccessLogField.contextPath(),
      resource: AccessLogField.contextResourcePath(),
      status: AccessLogField.contextStatus(),
      wafStatus: AccessLogField.contextWafStatus(),
      responseLength: AccessLogField.contextResponseLength(),
      responseLatency: AccessLogField.contextResponseLatency(),
      integrationLatency: AccessLogField.contextIntegrationLatency(),
      userAgent: AccessLogField.contextIdentityUserAgent(),
    }),
  );
}
