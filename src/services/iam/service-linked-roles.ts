/** A role that a service of AWS makes for itself. */
export interface ServiceLinkedRole {
  readonly role: string;
  /** Below `arn:aws:iam::aws:policy/aws-service-role/`; undefined where it is not known. */
  readonly policy?: string;
  readonly description?: string;
}

/** By service, without `.amazonaws.com` (recorded: test_service_role_lifecycle). */
export const SERVICE_LINKED_ROLES: Readonly<Record<string, ServiceLinkedRole>> = {
  lambda: { role: "AWSServiceRoleForLambda" },
  "replicator.lambda": { role: "AWSServiceRoleForLambdaReplicator", policy: "AWSLambdaReplicator" },
  acm: { role: "AWSServiceRoleForCertificateManager", policy: "CertificateManagerServiceRolePolicy" },
  appmesh: { role: "AWSServiceRoleForAppMesh", policy: "AWSAppMeshServiceRolePolicy" },
  "autoscaling-plans": {
    role: "AWSServiceRoleForAutoScalingPlans_EC2AutoScaling",
    policy: "AWSAutoScalingPlansEC2AutoScalingPolicy",
  },
  backup: { role: "AWSServiceRoleForBackup", policy: "AWSBackupServiceLinkedRolePolicyForBackup" },
  batch: { role: "AWSServiceRoleForBatch", policy: "BatchServiceRolePolicy" },
  cloudtrail: { role: "AWSServiceRoleForCloudTrail", policy: "CloudTrailServiceRolePolicy" },
  config: { role: "AWSServiceRoleForConfig", policy: "AWSConfigServiceRolePolicy" },
  connect: { role: "AWSServiceRoleForAmazonConnect", policy: "AmazonConnectServiceLinkedRolePolicy" },
  "dms-fleet-advisor": {
    role: "AWSServiceRoleForDMSFleetAdvisor",
    policy: "AWSDMSFleetAdvisorServiceRolePolicy",
  },
  "docdb-elastic": { role: "AWSServiceRoleForDocDB-Elastic", policy: "AmazonDocDB-ElasticServiceRolePolicy" },
  "ec2.application-autoscaling": {
    role: "AWSServiceRoleForApplicationAutoScaling_EC2SpotFleetRequest",
    policy: "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy",
  },
  ecr: { role: "AWSServiceRoleForECRTemplate", policy: "ECRTemplateServiceRolePolicy" },
  ecs: { role: "AWSServiceRoleForECS", policy: "AmazonECSServiceRolePolicy" },
  "eks-connector": {
    role: "AWSServiceRoleForAmazonEKSConnector",
    policy: "AmazonEKSConnectorServiceRolePolicy",
  },
  "eks-fargate": {
    role: "AWSServiceRoleForAmazonEKSForFargate",
    policy: "AmazonEKSForFargateServiceRolePolicy",
  },
  "eks-nodegroup": {
    role: "AWSServiceRoleForAmazonEKSNodegroup",
    policy: "AWSServiceRoleForAmazonEKSNodegroup",
  },
  elasticloadbalancing: {
    role: "AWSServiceRoleForElasticLoadBalancing",
    policy: "AWSElasticLoadBalancingServiceRolePolicy",
  },
  emrwal: { role: "AWSServiceRoleForEMRWAL", policy: "EMRDescribeClusterPolicyForEMRWAL" },
  fis: { role: "AWSServiceRoleForFIS", policy: "AmazonFISServiceRolePolicy" },
  iotmanagedintegrations: {
    role: "AWSServiceRoleForIoTManagedIntegrations",
    policy: "AWSIoTManagedIntegrationsRolePolicy",
  },
  kafka: { role: "AWSServiceRoleForKafka", policy: "KafkaServiceRolePolicy" },
  memorydb: { role: "AWSServiceRoleForMemoryDB", policy: "MemoryDBServiceRolePolicy" },
  notifications: {
    role: "AWSServiceRoleForAwsUserNotifications",
    policy: "AWSUserNotificationsServiceLinkedRolePolicy",
  },
  "ops.emr-serverless": {
    role: "AWSServiceRoleForAmazonEMRServerless",
    policy: "AmazonEMRServerlessServiceRolePolicy",
  },
  "opsdatasync.ssm": {
    role: "AWSServiceRoleForSystemsManagerOpsDataSync",
    policy: "AWSSystemsManagerOpsDataSyncServiceRolePolicy",
  },
  "opsinsights.ssm": {
    role: "AWSServiceRoleForAmazonSSM_OpsInsights",
    policy: "AWSSSMOpsInsightsServiceRolePolicy",
  },
  ram: {
    role: "AWSServiceRoleForResourceAccessManager",
    policy: "AWSResourceAccessManagerServiceRolePolicy",
  },
  rds: {
    role: "AWSServiceRoleForRDS",
    policy: "AmazonRDSServiceRolePolicy",
    description: "Allows Amazon RDS to manage AWS resources on your behalf",
  },
  redshift: { role: "AWSServiceRoleForRedshift", policy: "AmazonRedshiftServiceLinkedRolePolicy" },
  "replication.cassandra": {
    role: "AWSServiceRoleForKeyspacesReplication",
    policy: "KeyspacesReplicationServiceRolePolicy",
  },
  "resource-explorer-2": {
    role: "AWSServiceRoleForResourceExplorer",
    policy: "AWSResourceExplorerServiceRolePolicy",
  },
  rolesanywhere: { role: "AWSServiceRoleForRolesAnywhere", policy: "AWSRolesAnywhereServicePolicy" },
  "s3-outposts": { role: "AWSServiceRoleForS3OnOutposts", policy: "AWSS3OnOutpostsServiceRolePolicy" },
  "ssm-incidents": {
    role: "AWSServiceRoleForIncidentManager",
    policy: "AWSIncidentManagerServiceRolePolicy",
  },
  "ssm-quicksetup": { role: "AWSServiceRoleForSSMQuickSetup", policy: "SSMQuickSetupRolePolicy" },
  ssm: {
    role: "AWSServiceRoleForAmazonSSM",
    policy: "AmazonSSMServiceRolePolicy",
    description: "Provides access to AWS Resources managed or used by Amazon SSM.",
  },
  sso: {
    role: "AWSServiceRoleForSSO",
    policy: "AWSSSOServiceRolePolicy",
    description:
      "Service-linked role used by AWS SSO to manage AWS resources, including IAM roles, policies and SAML IdP on your behalf.",
  },
  "vpcorigin.cloudfront": {
    role: "AWSServiceRoleForCloudFrontVPCOrigin",
    policy: "AWSCloudFrontVPCOriginServiceRolePolicy",
  },
  waf: { role: "AWSServiceRoleForWAFLogging", policy: "WAFLoggingServiceRolePolicy" },
  wafv2: { role: "AWSServiceRoleForWAFV2Logging", policy: "WAFV2LoggingServiceRolePolicy" },
};

/** Services whose roles may have a suffix of the customer's. */
export const WITH_SUFFIX: Readonly<Record<string, ServiceLinkedRole>> = {
  lexv2: { role: "AWSServiceRoleForLexV2Bots", policy: "AmazonLexV2BotPolicy" },
  autoscaling: { role: "AWSServiceRoleForAutoScaling", policy: "AutoScalingServiceRolePolicy" },
};
