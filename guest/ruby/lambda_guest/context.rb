# frozen_string_literal: true

# The `context` argument (AWS Lambda Developer Guide, "Using the Lambda context object to retrieve Ruby function
# information"), under the name that it has in Lambda.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(init, header)
    @deadline_ms = header['deadlineMs'].to_i
    @aws_request_id = header['requestId']
    @invoked_function_arn = header['invokedFunctionArn']
    @tenant_id = header['tenantId']
    @log_group_name = init['logGroup']
    @log_stream_name = init['logStream']
    @function_name = init['functionName']
    @memory_limit_in_mb = init['memoryMb'].to_s
    @function_version = init['functionVersion']
    @identity = JSON.parse(header['identity']) if header['identity']
    @client_context = JSON.parse(header['clientContext']) if header['clientContext']
  end

  def get_remaining_time_in_millis
    remaining = @deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
    remaining.positive? ? remaining : 0
  end
end
