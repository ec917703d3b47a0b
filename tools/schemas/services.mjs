/**
 * The services whose tables are made, by their name in botocore. The client's own settings tell its default protocol;
 * `protocols` lists all that clients about today speak, the current clients' first: boto3 before 1.28 speaks query to
 * SQS, before 1.40 to CloudWatch.
 */
export const services = {
  lambda: { client: "client-lambda", protocols: ["rest-json"] },
  iam: { client: "client-iam", protocols: ["query"] },
  sts: { client: "client-sts", protocols: ["query"] },
  logs: { client: "client-cloudwatch-logs", protocols: ["aws-json-1.1"] },
  cloudwatch: { client: "client-cloudwatch", protocols: ["aws-json-1.0", "rpcv2-cbor", "query"] },
  xray: { client: "client-xray", protocols: ["rest-json"] },
  accessanalyzer: { client: "client-accessanalyzer", protocols: ["rest-json"] },
  sns: { client: "client-sns", protocols: ["query"] },
  sqs: {
    client: "client-sqs",
    protocols: ["aws-json-1.0", "query"],
    // The current client no longer speaks query and so no longer tells; from the service's responses.
    xmlNamespace: "http://queue.amazonaws.com/doc/2012-11-05/",
  },
  s3: { client: "client-s3", protocols: ["rest-xml"] },
  events: { client: "client-eventbridge", protocols: ["aws-json-1.1"] },
  cloudformation: { client: "client-cloudformation", protocols: ["query"] },
  ec2: { client: "client-ec2", protocols: ["ec2-query"] },
};
