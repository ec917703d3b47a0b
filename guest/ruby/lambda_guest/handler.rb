# frozen_string_literal: true

module LambdaGuest
  # The handler that a function's configuration names: `file.method`, `file.Class.method` or
  # `file.Module::Class.method` (AWS Lambda Developer Guide, "Define Lambda function handler in Ruby").
  class Handler
    FORM = 'must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with an existing Ruby ' \
           'source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable method. If ' \
           'using CLASS, METHOD must be a class-level method.'

    # Loads the file. Raises ArgumentError, or what the file raised.
    def initialize(name, task_root)
      parts = name.to_s.split('.')
      raise ArgumentError, "Invalid handler #{parts}, #{FORM}" unless [2, 3].include?(parts.size)

      @file = parts.first
      @class_name = parts[1] if parts.size == 3
      @method_name = parts.last
      $LOAD_PATH.unshift(task_root) unless $LOAD_PATH.include?(task_root)
      # Another object than this one is `self`, so that the function sees nothing of the runtime's.
      @main = TOPLEVEL_BINDING.receiver
      Kernel.require(@file)
    end

    def call(event, context)
      receiver = @class_name ? Kernel.const_get(@class_name) : @main
      receiver.__send__(@method_name, event: event, context: context)
    end
  end
end
