# frozen_string_literal: true

require 'logger'

module LambdaGuest
  # A text stream whose every line is a log event, in order with those of the loggers. It stands for $stdout and $stderr.
  class Lines < IO
    def initialize(descriptor, frames)
      super(descriptor, 'w', autoclose: false)
      @frames = frames
      @partial = +''
      self.sync = true
    end

    def write(*texts)
      texts.sum do |text|
        text = text.to_s
        add(text)
        text.bytesize
      end
    end

    def <<(text)
      write(text)
      self
    end

    def print(*texts)
      write(*(texts.empty? ? [$_] : texts), $, || '', $\ || '')
      nil
    end

    # As AWS's runtime patches Kernel#puts: what one call prints is one log event.
    def puts(*values)
      finish
      @frames.log(Errors.utf8(values.flatten.map(&:to_s).join("\n").chomp))
      nil
    end

    def printf(format = nil, *values)
      write(Kernel.format(format, *values)) if format
      nil
    end

    def putc(char)
      write(char.is_a?(Integer) ? (char & 0xff).chr : char.to_s[0])
      char
    end

    # Bytes written past the streams' own order go to the descriptor itself, which the platform reads line by line.
    def flush
      self
    end

    # Stays open: other code logs through it.
    def close; end

    # Sends what was written without a newline; called when an invocation ends.
    def finish
      return if @partial.empty?

      text = @partial
      @partial = +''
      @frames.log(Errors.utf8(text))
    end

    private

    def add(text)
      @partial << text
      return unless text.include?("\n")

      *lines, @partial = @partial.split("\n", -1)
      @partial = +@partial
      lines.each { |line| @frames.log(Errors.utf8(line)) }
    end
  end

  # Lambda's text form: the severity, the request id, no need of a time zone.
  class TextFormatter < Logger::Formatter
    LINE = "%<sev>s, [%<time>s #%<process>d] %<severity>5s %<request_id>s -- %<progname>s: %<message>s\n"

    def call(severity, time, progname, message)
      Errors.utf8(
        format(LINE, sev: severity[0], time: format_datetime(time), process: Process.pid, severity: severity,
                     request_id: Output.request_id, progname: progname, message: msg2str(message))
      )
    end
  end

  # Lambda's JSON form (LambdaLogFormatter of aws_lambda_ric).
  class JsonFormatter < Logger::Formatter
    def call(severity, time, progname, message)
      record = {
        timestamp: time.getutc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'),
        level: severity,
        message: Errors.utf8(message.is_a?(Exception) ? Errors.text(message) : msg2str(message)),
        requestId: Output.request_id,
        tenantId: Output.tenant_id
      }
      record[:logger] = Errors.utf8(progname.to_s) unless progname.to_s.empty?
      record.merge!(failure(message)) if message.is_a?(Exception)
      "#{JSON.generate(record.compact)}\n"
    end

    private

    def failure(error)
      trace = Array(error.backtrace).map { |line| Errors.utf8(line) }
      found = /\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/.match(trace.first.to_s)
      {
        errorType: error.class.to_s,
        errorMessage: Errors.text(error),
        stackTrace: trace,
        location: found ? "#{found[:file]}:#{found[:method]}:#{found[:line]}" : trace.first
      }
    end
  end

  # A logger's device that makes each of its messages one log event, however many lines it has.
  class EventDevice
    def initialize(frames)
      @frames = frames
    end

    def write(text)
      Output.finish
      @frames.log(text.chomp)
    end

    def reopen(*); end

    def close; end
  end

  # Makes loggers on the standard streams write Lambda's form.
  module LoggerOnStreams
    def initialize(device = nil, *arguments, **options)
      return super unless device.nil? || device.equal?($stdout) || device.equal?($stderr) || device.is_a?(Lines)

      given = options.dup
      level = given.delete(:level)
      super(Output.device, *arguments, **given, level: level || Output.level)
      @default_formatter = Output.formatter
    end
  end

  # The streams and loggers of this environment.
  module Output
    LEVELS = { 'TRACE' => 'DEBUG', 'DEBUG' => 'DEBUG', 'INFO' => 'INFO', 'WARN' => 'WARN', 'ERROR' => 'ERROR',
               'FATAL' => 'FATAL' }.freeze

    class << self
      attr_accessor :request_id, :tenant_id
      attr_reader :device, :level, :formatter

      def install(frames, as_json, level)
        @frames = frames
        @device = EventDevice.new(frames)
        @formatter = as_json ? JsonFormatter.new : TextFormatter.new
        @level = LEVELS.fetch(level.to_s.upcase, 'DEBUG')
        $stdout = Lines.new(1, frames)
        $stderr = Lines.new(2, frames)
        @streams = [$stdout, $stderr]
        Logger.prepend(LoggerOnStreams)
      end

      # Ends unfinished lines on the streams as installed; a function may have put its own in their place.
      def finish
        @streams.each(&:finish)
      end

      # Logs a failure: a line that says where, and the document, as AWS's runtime does.
      def failure(message, document)
        finish
        @frames.log(message)
        @frames.log(JSON.pretty_generate(document))
      end
    end
  end
end
