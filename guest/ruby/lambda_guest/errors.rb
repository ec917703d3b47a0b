# frozen_string_literal: true

module LambdaGuest
  # Error documents, as Invoke answers them and as they are logged: LambdaErrors of aws_lambda_ric.
  module Errors
    OWN_FOLDER = File.dirname(__dir__) + File::SEPARATOR
    MAX_FRAMES = 100

    # Answers {errorMessage, errorType: "Function<StandardError>", stackTrace}.
    def self.document(error, classification)
      {
        errorMessage: text(error),
        errorType: "#{classification}<#{error.class}>",
        stackTrace: stack(error)
      }
    end

    # The frames of the function and of what it called: where the platform is installed is not for callers to read.
    def self.stack(error)
      (error.backtrace || []).first(MAX_FRAMES).take_while { |line| !line.start_with?(OWN_FOLDER) }.map { |line| utf8(line) }
    end

    # What error_highlight and did_you_mean add is for terminals, and Lambda's runtimes answer without it.
    def self.text(error)
      message = error.respond_to?(:original_message) ? error.original_message : error.message
      utf8(message.to_s)
    end

    def self.utf8(text)
      text.encode('UTF-8', invalid: :replace, undef: :replace, replace: '�').scrub('�')
    end
  end
end
