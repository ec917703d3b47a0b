# frozen_string_literal: true

# The guide's process_order (1.1, keep functions small and focused) in Ruby.
def process_order(event:, context:)
  puts "request #{context.aws_request_id}"
  { status: 'processed', order_id: event['order_id'] }
end
